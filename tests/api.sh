#!/usr/bin/env bash
# Checks the API with public tools: the OpenAPI document with a linter, a client generated from it and the Postman collection against a cluster of
# three. Needs npm (Node 20 or newer); the tools' versions are in api-tools/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/api-tools"

command -v npm >/dev/null || { echo "tests/api.sh needs npm, which comes with Node.js 20 or newer." >&2; exit 1; }
npm ci --silent --no-fund --no-audit
export PATH=$PWD/node_modules/.bin:$PATH REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

document=../../Node/Api/openapi.json
redocly lint --config redocly.yaml "$document"
openapi-typescript "$document" --output api.d.ts
tsc

# The first of three ports in a row that nobody listens on, below those that the system gives out by itself.
free_port() {
  local port i
  while true; do
    port=$((20000 + RANDOM % 12000))
    for i in 0 1 2; do
      ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + i))") 2>/dev/null || continue 2
    done
    echo "$port"
    return
  done
}

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
# shellcheck disable=SC2016
../../run-cluster.sh 2 --base-port "$(free_port)" --data "$data" -- bash -euc '
  newman run ../../docs/distdb.postman_collection.json --env-var "baseUrl=$DISTDB_URL" --reporters cli --reporter-cli-no-banner --reporter-cli-no-success-assertions --disable-unicode
  node out/client.js
  echo "The generated client works."
'
