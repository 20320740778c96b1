#!/usr/bin/env bash
# Measures DistDb beside etcd, PostgreSQL and Galera, each as three nodes with full durability, in turns on this machine, and prints a table of ratios.
# Installs them on Debian (as root), listens on the loopback alone, and stops what it started. Takes the options of `distdb-bench compare`:
# bench/compare.sh --peers etcd --clients 1,64 --seconds 10 --rounds 5 (see --help).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
declare -A programs=([etcd]=etcd-server [initdb]=postgresql [mariadbd]=mariadb-server [sysbench]=sysbench [rsync]=rsync)
packages=()
for program in "${!programs[@]}"; do
  compgen -G "/usr/lib/postgresql/*/bin/$program" >/dev/null || PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || packages+=("${programs[$program]}")
done
[[ -e /usr/lib/galera/libgalera_smm.so ]] || packages+=(galera-4)
if [[ ${#packages[@]} -gt 0 && "$*" != *--help* ]]; then
  [[ $(id -u) = 0 ]] || { echo "compare.sh needs the packages ${packages[*]}, or --peers without them." >&2; exit 1; }
  # Nobody wants their services.
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

. "$root/bench/build.sh"
PATH=$PATH:/usr/sbin "${bench[@]}" compare "$@"
