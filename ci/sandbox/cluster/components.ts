import { join } from "node:path";

import type { Credentials } from "./credentials.js";
import { ISSUER } from "./credentials.js";
import { DNS_SERVICE, POD_CIDR, PORTS, SERVICE_CIDR, type Link } from "./network.js";
import type { Programs } from "./programs.js";

/** What a component is made of: files to write, then a command to run. */
export interface Component {
  command: readonly string[];
  /** Text by path; relative ones are below the cluster's folder of configuration. */
  files?: Readonly<Record<string, string>>;
}

/** What the components are told. */
export interface Setting {
  link: Link;
  /** Where their configuration is. */
  conf: string;
  /** Path of the administrator's, which all components use. */
  kubeconfig: string;
  credentials: Credentials;
  programs: Programs;
  /** Where the host's registries are reached, `host:port`. */
  registries: string;
}

export const NODE_NAME = "node";

/** Nobody else asks the API server: there is no need to ask it slowly. */
const FAST = ["--kube-api-qps=500", "--kube-api-burst=1000"];

/** All that a cluster consists of, by the name of the program. */
export type ComponentName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "containerd"
  | "kubelet"
  | "kube-proxy"
  | "coredns"
  | "contour"
  | "envoy"
  | "prometheus"
  | "mlflow";

function etcd({ programs }: Setting): Component {
  return {
    command: [
      programs.etcd,
      ...["--data-dir=/var/lib/etcd", "--log-level=warn"],
      // Nothing here has to survive the machine.
      "--unsafe-no-fsync",
    ],
  };
}

function apiServer({ link, credentials, programs }: Setting): Component {
  const path = (file: string): string => credentials.path(file);
  return {
    command: [
      join(programs.kubernetes, "kube-apiserver"),
      ...["--etcd-servers=http://127.0.0.1:2379", `--service-cluster-ip-range=${SERVICE_CIDR}`],
      ...[
        "--bind-address=0.0.0.0",
        `--advertise-address=${link.node}`,
        `--secure-port=${PORTS.api}`,
      ],
      ...["--authorization-mode=RBAC", `--client-ca-file=${path("ca.crt")}`],
      ...[
        `--tls-cert-file=${path("apiserver.crt")}`,
        `--tls-private-key-file=${path("apiserver.key")}`,
      ],
      ...[`--service-account-key-file=${path("sa.key")}`, `--service-account-issuer=${ISSUER}`],
      `--service-account-signing-key-file=${path("sa.key")}`,
      `--kubelet-client-certificate=${path("admin.crt")}`,
      `--kubelet-client-key=${path("admin.key")}`,
      ...["--kubelet-preferred-address-types=InternalIP", "--allow-privileged"],
    ],
  };
}

function controllerManager({ kubeconfig, credentials, programs }: Setting): Component {
  return {
    command: [
      join(programs.kubernetes, "kube-controller-manager"),
      ...[`--kubeconfig=${kubeconfig}`, "--leader-elect=false"],
      `--service-account-private-key-file=${credentials.path("sa.key")}`,
      // On a busy machine the only node reports late; it is not to lose its pods by that.
      "--node-monitor-grace-period=5m",
      ...FAST,
      `--root-ca-file=${credentials.path("ca.crt")}`,
    ],
  };
}

function scheduler({ kubeconfig, programs }: Setting): Component {
  return {
    command: [
      join(programs.kubernetes, "kube-scheduler"),
      ...[`--kubeconfig=${kubeconfig}`, "--leader-elect=false", ...FAST],
    ],
  };
}

function containerd({ conf, programs, registries }: Setting): Component {
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return {
    command: [join(programs.containerd, "containerd"), "--config", join(conf, "containerd.toml")],
    files: {
      "containerd.toml": `version = 2
[${cri}]
sandbox_image = "registry.k8s.io/pause:3.10.1"
restrict_oom_score_adj = true
[${cri}.cni]
bin_dir = "${programs.cni}"
conf_dir = "${join(conf, "cni")}"
[${cri}.registry]
config_path = "${join(conf, "certs.d")}"
`,
      // Whatever the registry is called, the guardian is asked for it.
      "certs.d/_default/hosts.toml": `server = "http://${registries}"
[host."http://${registries}"]
capabilities = ["pull", "resolve"]
`,
      // Each pod is routed to, without a bridge: all packets pass the node's rules.
      "cni/pods.conflist": JSON.stringify({
        cniVersion: "0.4.0",
        name: "pods",
        plugins: [
          {
            type: "ptp",
            ipam: {
              type: "host-local",
              ranges: [[{ subnet: POD_CIDR }]],
              routes: [{ dst: "0.0.0.0/0" }],
            },
          },
        ],
      }),
    },
  };
}

function kubelet({ link, conf, kubeconfig, credentials, programs }: Setting): Component {
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: credentials.path("ca.crt") },
    },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "cgroupfs",
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    clusterDNS: [DNS_SERVICE],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    failCgroupV1: false,
    failSwapOn: false,
    // The disk is the machine's: how full it is says nothing about the pods.
    evictionHard: {
      "nodefs.available": "0%",
      "imagefs.available": "0%",
      "memory.available": "1Mi",
    },
    imageGCHighThresholdPercent: 100,
    resolvConf: "",
    volumePluginDir: "/var/lib/kubelet/plugins/exec",
    // Images come from this machine, and a test waits for each pod.
    serializeImagePulls: false,
    maxPods: 500,
    nodeStatusUpdateFrequency: "5s",
  };
  return {
    command: [
      join(programs.kubernetes, "kubelet"),
      ...[`--config=${join(conf, "kubelet.json")}`, `--kubeconfig=${kubeconfig}`],
      ...[`--node-ip=${link.node}`, `--hostname-override=${NODE_NAME}`],
    ],
    files: { "kubelet.json": JSON.stringify(config) },
  };
}

function kubeProxy({ conf, kubeconfig, programs }: Setting): Component {
  const config = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    clientConnection: { kubeconfig: kubeconfig },
    clusterCIDR: POD_CIDR,
    hostnameOverride: NODE_NAME,
    // Those are the machine's, not the namespace's.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
      udpTimeout: "0s",
      udpStreamTimeout: "0s",
    },
  };
  return {
    command: [join(programs.kubernetes, "kube-proxy"), `--config=${join(conf, "kube-proxy.json")}`],
    files: { "kube-proxy.json": JSON.stringify(config) },
  };
}

function coredns({ link, conf, kubeconfig, programs }: Setting): Component {
  return {
    command: [programs.coredns, "-conf", join(conf, "Corefile")],
    files: {
      Corefile: `cluster.local in-addr.arpa {
  bind ${link.node}
  errors
  kubernetes {
    kubeconfig ${kubeconfig}
    ttl 5
  }
}
# There is nobody to ask for other names.
. {
  bind ${link.node}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`,
    },
  };
}

/** How to make each component that is a part of Kubernetes itself. */
export const KUBERNETES = {
  etcd,
  "kube-apiserver": apiServer,
  "kube-controller-manager": controllerManager,
  "kube-scheduler": scheduler,
  containerd,
  kubelet,
  "kube-proxy": kubeProxy,
  coredns,
} as const satisfies Partial<Record<ComponentName, (setting: Setting) => Component>>;
