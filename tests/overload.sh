#!/usr/bin/env bash
# Asks a cluster of real processes for more writes than it can do, over 2,000 connections for a minute; see --help for the options.
set -euo pipefail
exec dotnet run -c Release --project "$(dirname "$0")" -- overload "$@"
