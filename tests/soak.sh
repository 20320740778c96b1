#!/usr/bin/env bash
# Uses a cluster of real processes for so many minutes while everything goes wrong; see --help for the options.
set -euo pipefail
exec dotnet run -c Release --project "$(dirname "$0")" -- soak "$@"
