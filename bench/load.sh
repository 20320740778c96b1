#!/usr/bin/env bash
# Measures a cluster of three nodes that it starts for itself, or with --url one that runs already. Takes the benchmark's options:
# bench/load.sh --seconds 10 --clients 1,64 --operations write,read (see --help).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tests/free-port.sh"
. "$root/bench/build.sh"

for argument in "$@"; do
  case $argument in
    --url | --url=* | -h | --help) exec "${bench[@]}" "$@" ;;
  esac
done

port=$(free_port)
data=$(mktemp -d "${TMPDIR:-/tmp}/distdb-load.XXXXXX")
cluster_pid=
clean_up() {
  if [[ -n $cluster_pid ]]; then
    kill -TERM "$cluster_pid" 2>/dev/null || true
    wait "$cluster_pid" 2>/dev/null || true
  fi
  rm -rf -- "$data"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

echo "Data in $data ($(stat -f -c %T "$data"))." >&2
"$root/run-cluster.sh" 2 --base-port "$port" --data "$data" -- "${bench[@]}" --data "$data" "$@" &
cluster_pid=$!
status=0
wait "$cluster_pid" || status=$?
cluster_pid=
exit "$status"
