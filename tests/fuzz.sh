#!/usr/bin/env bash
# Sends 100,000 generated requests and garbage, or so many as are given, to a cluster of real processes; see --help for the options.
set -euo pipefail
exec dotnet run -c Release --project "$(dirname "$0")" -- fuzz "$@"
