#!/usr/bin/env bash
# Has clusters grow on this machine, in rows, nodes, sizes of values, databases and what they have written, and prints what becomes of speed, memory, files and start.
# Takes the options of `distdb-bench grow`: bench/grow.sh --only rows --rows 10000,1000000 (see --help).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if ! output=$(DOTNET_NOLOGO=1 dotnet build "$root/bench/DistDb.Bench.csproj" -c Release -v quiet --nologo -clp:NoSummary 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
dotnet "$root/bench/bin/Release/net10.0/distdb-bench.dll" grow "$@"
