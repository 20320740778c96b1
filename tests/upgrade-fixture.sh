#!/usr/bin/env bash
# Writes the data folders of a cluster of this version, as later versions must be able to start from them: tests/data/upgrade/<version>.tar.gz.
# For every release, once; what is there already is never written again. UpgradeTests starts from all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -nE 's|.*<Version>(.*)</Version>.*|\1|p' DistDb.csproj)
target=tests/data/upgrade/$version.tar.gz
[[ ! -e $target ]] || { echo "$target exists already." >&2; exit 1; }
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

fill() {
  exec_sql() { curl -sSf "$1/query" -d "{\"command\":\"exec\",\"query\":\"$2\"${3:-}}" >/dev/null; }
  local master=$DISTDB_URL node=${DISTDB_URL%?}1
  exec_sql "$master" 'CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, r REAL, b BLOB)'
  exec_sql "$master" 'CREATE VIRTUAL TABLE notes USING fts5(body)'
  exec_sql "$master" 'CREATE TABLE words (word TEXT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 1) WITHOUT ROWID'
  exec_sql "$master" 'CREATE TRIGGER count_words AFTER INSERT ON users BEGIN INSERT INTO words (word) VALUES (new.username) ON CONFLICT DO UPDATE SET n = n + 1; END'
  for i in $(seq 1 50); do
    exec_sql "$node" "INSERT INTO users (username, r, b) VALUES ('user $i', random(), randomblob(100))" ",\"id\":\"user-$i\""
  done
  exec_sql "$node" "INSERT INTO notes (body) SELECT 'a note about ' || username FROM users"
  curl -sSf "$master/cluster/promote" -d '{"id":1}' >/dev/null
  exec_sql "$node" 'CREATE INDEX users_by_time ON users(created_at)'
  curl -sSf "$master/cluster/verify" -d '' | grep -q '"outcome":"equal"'
}
export -f fill

./run-cluster.sh 2 --base-port 21830 --data "$data" --fresh -- bash -euo pipefail -c fill
rm -rf "$data/logs" "$data"/node-*/node.lock "$data"/node-*/snapshots/*
mkdir -p "$(dirname "$target")"
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$data" -czf "$target" .
ls -l "$target"
