#!/usr/bin/env bash
# Brings a Debian machine to where Slipway runs on it: installs with apt-get what is missing.
# Needs root only then. Quiet and quick when everything is there.
set -euo pipefail

# Command and the Debian package it comes in.
needs="
  crun crun
  runc runc
  slirp4netns slirp4netns
  ip iproute2
  nft nftables
  openssl openssl
  getfattr attr
  nsenter util-linux
  mount mount
  mmdebstrap mmdebstrap
  skopeo skopeo
  busybox busybox-static
  git git
  python3 python3
  curl curl
  jq jq
  chromium chromium
"

missing=()
while read -r command package; do
  [ -z "$command" ] || PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null || missing+=("$package")
done <<<"$needs"

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]} (Debian's names). Install them with this machine's package manager." >&2
    exit 3
  fi
  if [ "$(id -u)" -ne 0 ]; then
    echo "Missing: ${missing[*]}. Install them: sudo apt-get update && sudo apt-get install ${missing[*]}" >&2
    exit 3
  fi
  echo "apt-get install ${missing[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; are the sources in /etc/apt reachable from this machine?" >&2
    exit 3
  fi
fi

if ! node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null; then
  echo "Node.js 20 or later is needed; found $(node --version 2>/dev/null || echo none)." >&2
  exit 3
fi
