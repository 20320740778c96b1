#!/usr/bin/env bash
# Uses the web console in a real browser (Chromium) against clusters that it starts on free ports. Needs npm (Node 20.19 or newer) and the built
# program (dotnet build -c Release); installs Chromium on Debian. Takes the arguments of `playwright test`, such as specs/cluster.spec.ts.
set -euo pipefail
cd "$(dirname "$0")/console"

command -v npm >/dev/null || { echo "tests/console.sh needs npm, which comes with Node.js 20.19 or newer." >&2; exit 1; }
[ -e ../../bin/Release/net10.0/distdb.dll ] || dotnet build ../../DistDb.csproj -c Release --nologo -v quiet
if ! command -v "${CHROMIUM:-chromium}" >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null || {
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
    }
  else
    echo "tests/console.sh needs Chromium: install the package chromium, or name another one in CHROMIUM." >&2
    exit 1
  fi
fi

CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-fund --no-audit
npx tsc
npx playwright test "$@"
