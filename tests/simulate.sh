#!/usr/bin/env bash
# Simulates clusters of the Raft core in broken worlds; see --help for the options.
set -euo pipefail
exec dotnet run -c Release --project "$(dirname "$0")" -- simulate "$@"
