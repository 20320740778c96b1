#!/usr/bin/env bash
# Has clusters grow on this machine, in rows, nodes, sizes of values, databases and what they have written, and prints what becomes of speed, memory, files and start.
# Takes the options of `distdb-bench grow`: bench/grow.sh --only rows --rows 10000,1000000 (see --help).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/bench/build.sh"
"${bench[@]}" grow "$@"
