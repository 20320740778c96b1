#!/usr/bin/env bash
# Checks the API with public tools: the OpenAPI document with a linter, a client generated from it and the Postman collection against a cluster of
# three, and what Prometheus says to the metrics. Needs npm (Node 20 or newer), whose tools' versions are in api-tools/package-lock.json, and promtool, which
# is installed from Debian's package prometheus where it is missing.
set -euo pipefail
. "$(dirname "$0")/free-port.sh"
cd "$(dirname "$0")/api-tools"

command -v npm >/dev/null || { echo "tests/api.sh needs npm, which comes with Node.js 20 or newer." >&2; exit 1; }
if ! command -v promtool >/dev/null; then
  [[ $(id -u) = 0 ]] || { echo "tests/api.sh needs promtool, of Debian's package prometheus: apt-get install prometheus" >&2; exit 1; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus >/dev/null
fi
npm ci --silent --no-fund --no-audit
export PATH=$PWD/node_modules/.bin:$PATH REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

document=../../Node/Api/openapi.json
redocly lint --config redocly.yaml "$document"
openapi-typescript "$document" --output api.d.ts
tsc

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
# shellcheck disable=SC2016
../../run-cluster.sh 2 --base-port "$(free_port)" --data "$data" -- bash -euc '
  newman run ../../docs/distdb.postman_collection.json --env-var "baseUrl=$DISTDB_URL" --reporters cli --reporter-cli-no-banner --reporter-cli-no-success-assertions --disable-unicode
  node out/client.js
  echo "The generated client works."
  curl --silent --fail "$DISTDB_URL/metrics" | promtool check metrics
  echo "Prometheus takes the metrics."
'
