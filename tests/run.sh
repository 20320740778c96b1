#!/usr/bin/env bash
# Runs everything that must hold: build (warnings are errors), format, tests. Needs the .NET SDK 10; installs the rest on Debian.
set -euo pipefail
cd "$(dirname "$0")/.."

# Where ldconfig is, for users whose path lacks it.
PATH=$PATH:/usr/sbin:/sbin
if ! command -v sqlite3 >/dev/null || ! ldconfig -p | grep -q 'libsqlite3\.so\.0'; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq sqlite3 libsqlite3-0 >/dev/null
  else
    echo "The tests need the sqlite3 program and library: install the packages sqlite3 and libsqlite3-0." >&2
    exit 1
  fi
fi

dotnet build tests/DistDb.slnx -c Release --nologo -v quiet
dotnet format tests/DistDb.slnx --verify-no-changes --no-restore

# Hundreds of nodes are started, and live for some seconds: code that comes compiled, as in packages, and is not compiled again for speed saves more than
# a third of that work.
dotnet publish DistDb.csproj -c Release --use-current-runtime --self-contained false -o tests/obj/ahead --nologo -v quiet
cp tests/obj/ahead/*.dll tests/bin/Release/net10.0/
export DOTNET_TieredPGO=0 DOTNET_EnableWriteXorExecute=0 DOTNET_TC_CallCountThreshold=300

status=0
if [ $# = 0 ]; then
  # What else the tests say of the API's description does not need them.
  if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
    tests/api.sh || { echo "tests/api.sh has failed." >&2; status=1; }
    tests/clients.sh || { echo "tests/clients.sh has failed." >&2; status=1; }
    tests/console.sh || { echo "tests/console.sh has failed." >&2; status=1; }
  else
    echo "There is no npm of Node.js 20 or newer: the API is not checked by public tools (tests/api.sh), nor tried by libSQL's clients (tests/clients.sh), and the web console is neither built nor tried (tests/console.sh)."
  fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet test tests/DistDb.Tests.csproj -c Release --no-build --nologo --logger "console;verbosity=normal" "$@" | tee "$log" || status=$?

# What failed once more, where it is found: below the names of all that passed.
sed -nE '/^  Failed /,/^(  (Passed|Skipped) |\[xUnit|Test Run )/{/^(  (Passed|Skipped) |\[xUnit|Test Run )/d;p}' "$log" | cut -c 1-400 | head -n 300

# The last line in one form, whatever the test runner's version prints.
count() { sed -nE "s/^ *$1: *([0-9]+).*/\1/p" "$log" | tail -n 1; }
passed=$(count Passed)
failed=$(count Failed)
echo "${passed:-0} passed, ${failed:-0} failed"
if [ "${passed:-0}" = 0 ]; then
  echo "No test ran." >&2
  exit 1
fi
exit "$status"
