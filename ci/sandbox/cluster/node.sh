# First process of a cluster: makes its namespaces into a node, says so, and buries orphans.
# Nothing here is seen by the host; it all goes with this process.
# $1: folder of the cluster. $2: where to wait for a word of the guardian. Set: MOUNT_CGROUPS.
set -eu
folder=$1

hostname node
# The host's cgroups must not be found below the cluster's own.
umount --recursive --lazy /sys
mount -t sysfs -o ro sysfs /sys
eval "$MOUNT_CGROUPS"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock
for place in lib log; do
  mkdir -p "$folder/$place"
  mount --bind "$folder/$place" "/var/$place"
done

# kubelet sets these for the whole machine unless they are so already: it sees files instead.
sysctl() {
  [ -e "/proc/sys/$1" ] || return 0
  mkdir -p "/run/sysctl/${1%/*}"
  echo "$2" >"/run/sysctl/$1"
  mount --bind "/run/sysctl/$1" "/proc/sys/$1"
}
sysctl vm/overcommit_memory 1
sysctl vm/panic_on_oom 0
sysctl kernel/panic 10
sysctl kernel/panic_on_oops 1
sysctl kernel/keys/root_maxkeys 1000000
sysctl kernel/keys/root_maxbytes 25000000

ip link set lo up
echo ready
read -r _
# bash reaps what others leave behind while it waits.
sleep infinity &
wait
