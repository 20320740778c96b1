#!/usr/bin/env bash
# Uses libSQL's own clients, as npm has them, against a cluster of three. Needs npm (Node 20 or newer); the versions are in clients/package-lock.json.
set -euo pipefail
. "$(dirname "$0")/free-port.sh"
cd "$(dirname "$0")/clients"

command -v npm >/dev/null || { echo "tests/clients.sh needs npm, which comes with Node.js 20 or newer." >&2; exit 1; }

# One of them has a native driver beside it, which nobody uses here and which would take minutes to build.
npm ci --silent --no-fund --no-audit --ignore-scripts

# Writers that wait for each other must not run out of time on a slow machine.
export DISTDB_TIMEOUT=60s
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
../../run-cluster.sh 2 --base-port "$(free_port)" --data "$data" -- node clients.mjs
