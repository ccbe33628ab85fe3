#!/bin/bash
# Stands in for k3s where its image is not to be had: Kubernetes of one node in a container, from the
# programs that k3s is made of. It understands what Slipway's demo says to k3s, and refuses all else.
set -euo pipefail

PODS=10.42.0.0/16
SERVICES=10.43.0.0/16
API=10.43.0.1
DNS=10.43.0.10
PAUSE=registry.k8s.io/pause:3.10.1
DATA=/var/lib/rancher/k3s
CONFIG=/etc/rancher/k3s
CGROUPS=/sys/fs/cgroup
NAME=slipway-k3s-$$-$RANDOM

die() {
  echo "k3s (stand-in): $*" >&2
  exit 1
}

# Mounts every hierarchy of cgroups of the first version where a node looks for it.
mount_cgroups() {
  umount --recursive --lazy $CGROUPS 2>/dev/null || true
  mount -t tmpfs -o mode=755 tmpfs $CGROUPS
  local names path folder options
  while IFS=: read -r _ names path; do
    [ -n "$names" ] || continue
    folder=$CGROUPS/${names#name=}
    case $names in name=*) options=none,$names ;; *) options=$names ;; esac
    mkdir "$folder"
    mount -t cgroup -o "$options" cgroup "$folder" || die "this machine has no cgroups of version 1 for $names"
    case $names in *,*) for one in ${names//,/ }; do ln -s "$names" "$CGROUPS/$one"; done ;; esac
    echo "$folder $path"
  done </proc/self/cgroup
}

# Ends everything and removes its cgroups, which outlive their processes.
leave() {
  trap - EXIT
  trap '' TERM INT
  for folder in "$@"; do
    for _ in $(seq 50); do
      for process in $(find "$folder" -name cgroup.procs -exec cat {} + 2>/dev/null); do
        kill -KILL "$process" 2>/dev/null || true
      done
      # One that ended and was not asked how is still counted.
      wait
      find "$folder" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      [ -d "$folder" ] || break
      sleep 0.1
    done
  done
}

# First time: in a group of its own, below the one that it is in, which a new namespace takes for the root.
if [ -z "${K3S_INSIDE:-}" ]; then
  [ "${1:-}" = server ] || die "only \`k3s server\` is here, not \`k3s $*\`"
  mapfile -t mounted < <(mount_cgroups)
  [ "${#mounted[@]}" -gt 0 ] || die "this machine has cgroups of version 2 alone"
  own=()
  for line in "${mounted[@]}"; do
    folder=${line%% *}${line#* }
    folder=${folder%/}
    for left in "$folder"/slipway-k3s-*; do
      [ -d "$left" ] && find "$left" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    mkdir "$folder/$NAME"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$folder/$file" ] || cat "$folder/$file" >"$folder/$NAME/$file"
    done
    own+=("$folder/$NAME")
  done
  trap 'leave "${own[@]}"' EXIT
  trap 'exit 143' TERM INT
  (
    trap - EXIT TERM INT
    for folder in "${own[@]}"; do echo "$BASHPID" >"$folder/cgroup.procs"; done
    K3S_INSIDE=yes exec unshare --cgroup --mount --propagation=slave "$0" "$@"
  ) &
  wait $!
  exit
fi

mount_cgroups >/dev/null
mount --make-rshared /
shift
names=
kubeconfig=$CONFIG/k3s.yaml
for flag; do
  case $flag in
    --write-kubeconfig=*) kubeconfig=${flag#*=} ;;
    --tls-san=*) names+=",DNS:${flag#*=}" ;;
    # What these leave out or choose is not here, or is so.
    --disable=* | --disable-network-policy | --flannel-backend=host-gw | --disable-helm-controller) ;;
    *) die "$flag is not known" ;;
  esac
done

# kubelet sets these for the whole machine unless they are so already: it sees files instead.
while read -r file value; do
  [ -e "/proc/sys/$file" ] || continue
  mkdir -p "/run/sysctl/${file%/*}"
  echo "$value" >"/run/sysctl/$file"
  mount --bind "/run/sysctl/$file" "/proc/sys/$file"
done <<'X'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
X

read -r device address < <(ip -4 -o addr show scope global | awk '{split($4, ip, "/"); print $2, ip[1]; exit}')
echo 1 >/proc/sys/net/ipv4/ip_forward
ip route replace $SERVICES dev "$device"
nft -f - <<X
table ip k3s {
  chain outgoing {
    type nat hook postrouting priority srcnat;
    oifname "$device" ip saddr $PODS masquerade
  }
}
X

pki=$DATA/server/tls
conf=$DATA/agent/etc
mkdir -p "$pki" "$conf/cni" "$DATA/server/db" $CONFIG /var/log/k3s
cd "$pki"
ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
# shellcheck disable=SC2086
{
  openssl req -x509 $ec -subj /CN=k3s-server-ca -days 30 -keyout ca.key -out ca.crt
  openssl ecparam -name prime256v1 -genkey -noout -out sa.key
  issue() {
    openssl req -new $ec -keyout "$1.key" -out "$1.csr" -subj "$2"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
      -extfile <(printf 'basicConstraints=critical,CA:FALSE\n%s\n' "$3")
  }
  issue api /CN=kube-apiserver "extendedKeyUsage=serverAuth
subjectAltName=IP:127.0.0.1,IP:$address,IP:$API,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc$names"
  issue admin "/O=system:masters/CN=system:admin" extendedKeyUsage=clientAuth
} >/var/log/k3s/openssl.log 2>&1 || die "$(tail -n 5 /var/log/k3s/openssl.log)"

base64_of() { base64 -w 0 "$1"; }
cat >"$kubeconfig.new" <<X
apiVersion: v1
kind: Config
clusters:
- name: default
  cluster:
    certificate-authority-data: $(base64_of ca.crt)
    server: https://127.0.0.1:6443
users:
- name: default
  user:
    client-certificate-data: $(base64_of admin.crt)
    client-key-data: $(base64_of admin.key)
contexts:
- name: default
  context: {cluster: default, user: default}
current-context: default
X
chmod 600 "$kubeconfig.new"
mv "$kubeconfig.new" "$kubeconfig"

cri='plugins."io.containerd.grpc.v1.cri"'
cat >"$conf/containerd.toml" <<X
version = 2
root = "$DATA/agent/containerd"
[$cri]
sandbox_image = "$PAUSE"
restrict_oom_score_adj = true
[$cri.cni]
bin_dir = "/usr/lib/cni"
conf_dir = "$conf/cni"
[$cri.registry]
config_path = "$conf/certs.d"
X
if [ -e $CONFIG/registries.yaml ]; then
  while IFS=$'\t' read -r registry endpoint; do
    mkdir -p "$conf/certs.d/$registry"
    printf 'server = "%s"\n[host."%s"]\ncapabilities = ["pull", "resolve"]\n' "$endpoint" "$endpoint" \
      >"$conf/certs.d/$registry/hosts.toml"
  done < <(jq -r '.mirrors | to_entries[] | [.key, .value.endpoint[0]] | @tsv' $CONFIG/registries.yaml)
fi
cat >"$conf/cni/10-pods.conflist" <<X
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {"type": "host-local",
  "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
X
cat >"$conf/kubelet.json" <<X
{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
 "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": false}, "x509": {"clientCAFile": "$pki/ca.crt"}},
 "authorization": {"mode": "AlwaysAllow"}, "cgroupDriver": "cgroupfs", "cgroupsPerQOS": false, "enforceNodeAllocatable": [],
 "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock", "failCgroupV1": false, "failSwapOn": false,
 "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%", "memory.available": "1Mi"},
 "imageGCHighThresholdPercent": 100, "clusterDNS": ["$DNS"], "clusterDomain": "cluster.local", "resolvConf": "", "serializeImagePulls": false}
X
cat >"$conf/kube-proxy.json" <<X
{"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "nftables",
 "clientConnection": {"kubeconfig": "$kubeconfig"}, "clusterCIDR": "$PODS", "hostnameOverride": "node",
 "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"}}
X

start() {
  local name=$1
  shift
  { "$@" >"/var/log/k3s/$name.log" 2>&1 || true; echo "$name ended: $(tail -n 5 "/var/log/k3s/$name.log")" >&2; } &
}
start containerd containerd --config "$conf/containerd.toml"
start etcd etcd --data-dir="$DATA/server/db" --log-level=warn --unsafe-no-fsync
start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=$SERVICES \
  --bind-address=0.0.0.0 --advertise-address="$address" --secure-port=6443 --authorization-mode=RBAC \
  --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/api.crt" --tls-private-key-file="$pki/api.key" \
  --service-account-key-file="$pki/sa.key" --service-account-signing-key-file="$pki/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local --allow-privileged \
  --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
  --kubelet-preferred-address-types=InternalIP
for _ in $(seq 600); do
  openssl s_client -connect 127.0.0.1:6443 </dev/null >/dev/null 2>&1 && break
  sleep 0.1
done
for _ in $(seq 100); do
  ctr --namespace=k8s.io images import /usr/share/k3s/pause.tar >/dev/null 2>&1 && break
  sleep 0.1
done
ctr --namespace=k8s.io images tag "$(ctr --namespace=k8s.io images ls -q | head -n 1)" $PAUSE >/dev/null
start kube-controller-manager kube-controller-manager --kubeconfig="$kubeconfig" --leader-elect=false \
  --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --node-monitor-grace-period=5m
start kube-scheduler kube-scheduler --kubeconfig="$kubeconfig" --leader-elect=false
start kubelet kubelet --config="$conf/kubelet.json" --kubeconfig="$kubeconfig" --node-ip="$address" --hostname-override=node
start kube-proxy kube-proxy --config="$conf/kube-proxy.json"
wait -n
exit 1
