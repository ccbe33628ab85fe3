#!/bin/sh
# Run by mmdebstrap at the end, with the new root as $1 and a folder for answers as $FACTS.
# Removes what differs between two builds of the same packages or has no use in a container.
set -eu
root=$1

rm -rf "$root"/var/log/* "$root"/var/cache/apt/*.bin "$root"/var/cache/ldconfig/aux-cache \
  "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old "$root"/etc/*- \
  "$root"/etc/apt/apt.conf.d/99mmdebstrap
# Files of this machine that mmdebstrap lends to the chroot; an engine puts its own in their place.
: >"$root/etc/resolv.conf"
: >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"

[ -x "$root/usr/bin/python3" ] || exit 0

# Packages are installed with pip or uv into the image's own Python, as in the official image.
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
rm -rf "$root"/usr/lib/python3*/test "$root"/usr/lib/python3*/idlelib
ln -s /usr/bin/python3 "$root/usr/local/bin/python3"
ln -s /usr/bin/python3 "$root/usr/local/bin/python"
# Byte code by hash, not by time: time stamps are levelled, and the code would count as stale.
find "$root/usr/lib" -name '*.pyc' -delete
PYTHONHASHSEED=0 chroot "$root" /usr/bin/python3 -m compileall -q -f \
  --invalidation-mode unchecked-hash /usr/lib/python3* >/dev/null || {
  echo "byte code could not be compiled" >&2
  exit 1
}
chroot "$root" /usr/bin/python3 -c 'import platform; print(platform.python_version(), end="")' \
  >"$FACTS/python-version"
