#!/usr/bin/env bash
# Installs the Debian package of packaging/build.sh on this machine, runs a node of it, removes and purges it, and looks at each step; likewise the .NET
# tool, in a folder of its own; has a program use the ADO.NET provider; and has a cluster of three of the single file do a bit of everything, since that file lacks what nobody seemed to use. Needs root, for it installs; refuses where DistDb is installed already. Argument: --no-build takes what was built before.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/free-port.sh

fail() {
  echo "tests/packages.sh: $1" >&2
  exit 1
}

[[ $(id -u) = 0 ]] || fail "needs root: it installs a package, and removes it. Run it in a container or a virtual machine."
! dpkg -s distdb >/dev/null 2>&1 || fail "the package distdb is installed here; this would purge it with its data. Run it elsewhere."
[[ ! -e /var/lib/distdb && ! -e /etc/distdb ]] || fail "/var/lib/distdb or /etc/distdb is there; this would delete them. Run it elsewhere."
runtime=linux-$([[ $(dpkg --print-architecture) = arm64 ]] && echo arm64 || echo x64)
[[ ${1:-} = --no-build ]] || packaging/build.sh "$runtime"

version=$(dotnet msbuild DistDb.csproj -getProperty:Version)
package=artifacts/packages/distdb_${version}_$(dpkg --print-architecture).deb
work=$(mktemp -d)
node=
cluster=()
cleanup() {
  [[ -z $node ]] || kill "$node" 2>/dev/null || true
  ((${#cluster[@]} == 0)) || kill -9 "${cluster[@]}" 2>/dev/null || true
  dpkg --purge distdb >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

step() { echo "- $1"; }

wait_until() { # seconds command...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.02
  done
}

step "the package is installed"
dpkg -i "$package" >"$work/install.log" || { cat "$work/install.log" >&2; fail "it is not installed."; }
[[ $(stat -c '%U:%G %a' /var/lib/distdb) = "distdb:distdb 700" ]] || fail "/var/lib/distdb is $(stat -c '%U:%G %a' /var/lib/distdb)."
[[ $(stat -c '%U:%G %a' /etc/distdb/distdb.env) = "root:distdb 640" ]] || fail "/etc/distdb/distdb.env is $(stat -c '%U:%G %a' /etc/distdb/distdb.env)."
# Containers leave out documentation.
changed=$(dpkg --verify distdb | grep -v /usr/share/doc || true)
[[ -z $changed ]] || fail "files are not as packed: $changed"
if command -v man >/dev/null; then
  dpkg-deb --fsys-tarfile "$package" | tar -xO ./usr/share/man/man1/distdb.1.gz | gunzip >"$work/distdb.1"
  complaints=$(LC_ALL=C.UTF-8 MANWIDTH=120 man --warnings -E UTF-8 -l "$work/distdb.1" 2>&1 >"$work/page") || fail "the manual page cannot be shown: $complaints"
  [[ -z $complaints ]] || fail "the manual page is not right: $complaints"
  grep -q 'distdb restore' "$work/page" || fail "the manual page lacks a command."
fi
distdb --version | sed 's/^/    /'
distdb --version | grep -q "^distdb $version\$" || fail "it is another version."

step "systemd has nothing to say against the unit"
complaints=$(systemd-analyze verify /lib/systemd/system/distdb.service 2>&1 | grep distdb || true)
[[ -z $complaints ]] || fail "$complaints"
systemd-analyze security --offline=true /lib/systemd/system/distdb.service 2>/dev/null | tail -1 | sed 's/^/    /'

step "a node starts as the service does, and tells systemd that it is ready"
port=$(free_port)
# What runs a service is called systemd, which is how a service knows.
cp "$(readlink -f /bin/bash)" "$work/systemd"
chmod 755 "$work" "$work/systemd"
python3 - "$work/notify" "$work/notified" <<'PYTHON' &
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
__import__("os").chmod(sys.argv[1], 0o777)
while True:
    text = listener.recv(4096).decode()
    with open(sys.argv[2], "a") as file:
        file.write(text + "\n")
    if "STOPPING=1" in text:
        break
PYTHON
listener=$!
wait_until 10 test -S "$work/notify" || fail "the socket for notifications is not there."
started=$(date +%s%N)
(
  set -a
  # shellcheck disable=SC1091
  . /etc/distdb/distdb.env 2>/dev/null || true
  DISTDB_BASE_PORT=$port NOTIFY_SOCKET=$work/notify
  cd /var/lib/distdb
  exec setpriv --reuid distdb --regid distdb --clear-groups "$work/systemd" -c 'distdb master 0 & trap "kill $!" TERM; wait; wait'
) >"$work/node.log" 2>&1 &
node=$!
wait_until 30 curl -fs "http://127.0.0.1:$port/health/ready" || { cat "$work/node.log" >&2; fail "the node is not ready."; }
echo "    ready after $((($(date +%s%N) - started) / 1000000)) ms"
wait_until 5 grep -qs READY=1 "$work/notified" || fail "it has not told systemd that it is ready."
grep -q '^<6>' "$work/node.log" || fail "its log is not in the journal's form."
curl -fs "http://127.0.0.1:$port/query" -d '{"command":"exec","query":"CREATE TABLE t AS SELECT 7 AS a"}' >/dev/null
curl -fs "http://127.0.0.1:$port/query" -d '{"command":"query","query":"SELECT a FROM t"}' | grep -q '\[\[7\]\]' || fail "it does not keep what it is given."
curl -fs -H 'Accept: text/html' "http://127.0.0.1:$port/" | grep -qi '<html' || fail "it has no web console."
kill "$node"
wait "$node" || true
node=
wait_until 10 grep -qs STOPPING=1 "$work/notified" || fail "it has not told systemd that it stops."
wait "$listener"

step "installed again, it keeps settings and data"
echo "# kept" >>/etc/distdb/distdb.env
dpkg -i "$package" >/dev/null
grep -q '^# kept' /etc/distdb/distdb.env || fail "settings were lost."
[[ -f /var/lib/distdb/node-0/databases/main.db ]] || fail "data was lost."

step "removed, it leaves settings and data"
dpkg --remove distdb >/dev/null
[[ ! -e /usr/bin/distdb && ! -e /lib/systemd/system/distdb.service ]] || fail "the program is still there."
[[ -f /etc/distdb/distdb.env && -f /var/lib/distdb/node-0/databases/main.db ]] || fail "settings or data were deleted."

step "purged, it leaves nothing"
dpkg --purge distdb >/dev/null
[[ ! -e /etc/distdb && ! -e /var/lib/distdb ]] || fail "settings or data are still there."
! getent passwd distdb >/dev/null || fail "the user is still there."

step "three nodes of the single file do a bit of everything, with TLS, tokens, and traces"
file=$PWD/artifacts/packages/distdb-$version-$runtime
echo "    $(($(stat -c %s "$file") >> 20)) MiB"
(($(stat -c %s "$file") < 80 << 20)) || fail "it has 80 MiB or more."
(
  cd "$work"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -subj "/CN=packages test" -days 30
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout node.key -out node.csr -subj "/CN=localhost"
  openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out node.pem \
    -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1"; echo "extendedKeyUsage=serverAuth,clientAuth")
) 2>/dev/null || fail "no certificate could be made."
port=$(free_port)
python3 - "$work/traces" >"$work/otlp-port" <<'PYTHON' &
import http.server, sys
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(sys.argv[1], "ab") as file:
            file.write(self.path.encode() + b"\n" + body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
cluster+=($!)
wait_until 60 test -s "$work/otlp-port" || fail "nothing that takes traces has started."
token=packages-test-$(openssl rand -hex 16)
started=$(date +%s%N)
for id in 0 1 2; do
  role=(node "$id" 2)
  ((id > 0)) || role=(master 2)
  (
    cd "$work"
    DISTDB_TOKEN=$token OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$(cat otlp-port) OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_BSP_SCHEDULE_DELAY=200 \
      exec "$file" "${role[@]}" --base-port "$port" --data "$work/cluster" --cert node.pem --key node.key --ca ca.pem --backup-to "$work/backups-$id" --archive "$work/archive-$id"
  ) >"$work/node-$id.log" 2>&1 &
  cluster+=($!)
done
at() { echo "https://localhost:$((port + $1))${2:-}"; }
get() { curl -fsS --cacert "$work/ca.pem" -H "Authorization: Bearer $token" "$@"; }
tool() { (cd "$work" && DISTDB_TOKEN=$token "$file" "$@" --url "$(at 1)" --ca "$work/ca.pem"); }
check() { # what command...
  local what=$1
  shift
  "$@" >"$work/out" 2>&1 || { cat "$work/out" "$work"/node-*.log >&2; fail "$what does not work."; }
}
for id in 0 1 2; do
  wait_until 60 get "$(at $id /health/ready)" || { cat "$work"/node-*.log >&2; fail "node $id is not ready."; }
done
echo "    ready after $((($(date +%s%N) - started) / 1000000)) ms"
query() { # node json
  get "$(at "$1" /query)" -d "$2"
}
check "a table" query 0 '{"command":"create_table","table":"t","columns":{"id":"int primary key","name":"string","data":"json"}}'
check "a write" query 1 '{"command":"insert","table":"t","data":[{"id":1,"name":"Änne","data":"{\"a\":[1,2.5,null]}"},{"id":2,"name":null,"data":null}],"id":"once"}'
check "a transaction" query 2 '{"command":"exec","transaction":[{"query":"INSERT INTO t VALUES (3, :n, NULL)","params":{"n":{"base64":"AP8="}}},{"query":"SELECT count(*) FROM t"}]}'
check "a strong read" query 2 '{"command":"query","query":"SELECT name, json_extract(data, '"'\$.a[1]'"') FROM t ORDER BY id","consistency":"strong"}'
grep -q '\[\["Änne",2.5\]' "$work/out" || fail "a read gives $(cat "$work/out")."
check "CSV" get "$(at 1 /query)" -H 'Accept: text/csv' -d '{"command":"query","query":"SELECT id FROM t ORDER BY id"}'
get "$(at 1 /query)" -d '{"command":"query","query":"SELEC"}' >/dev/null 2>&1 && fail "wrong SQL is taken."
curl -sS --cacert "$work/ca.pem" -H "Authorization: Bearer $token" "$(at 1 /query)" -d '{"command":"query","query":"SELEC"}' | grep -q '"code":"sql_error"' || fail "an error is not told."
curl -sS --cacert "$work/ca.pem" -H "Authorization: Bearer $token" "$(at 1 /nowhere)" | grep -q '"code"' || fail "an address that is not there is not told."
for path in /status /cluster /databases '/history?limit=5' /cluster/members /openapi/v1.json '/health/ready?verbose' /tokens; do
  check "$path" get "$(at 2 "$path")"
done
check "/metrics" get "$(at 2 /metrics)"
grep -q '^distdb_ready 1' "$work/out" && grep -q '^distdb_http_request' "$work/out" || fail "metrics are missing."
check "the web console" get -H 'Accept: text/html' "$(at 0 /)"
grep -qi '<html' "$work/out" || fail "it has no web console."
for command in "status" "status --json" "members" "members --csv" "verify" "show-all 2" "send-dummy" "promote 1" "promote 0" "token create p --role read" "token list" "token revoke p" \
  "bench --duration 1 --warm-up 0 --clients 4" "bench --duration 1 --warm-up 0 --clients 4 --mix read --strong --json"; do
  # shellcheck disable=SC2086
  check "distdb $command" tool $command
done
check "distdb shell" tool shell -c "SELECT * FROM t" -c ".tables" -c ".nodes" -c ".databases" -c ".dump $work/dump.sql"
check "distdb shell --json" tool shell --json -c "SELECT id FROM t WHERE id = 1"
grep -qx '\[{"id":1}\]' "$work/out" || fail "the shell's JSON is $(cat "$work/out")."
check "distdb backup" tool backup main --to "$work/main.backup"
check "distdb backup of all" tool backup --to "$work/all.tar"
check "a write" query 1 '{"command":"delete","table":"t","all":true}'
check "distdb restore" tool restore main --from "$work/main.backup" --replace
check "a read" query 2 '{"command":"query","query":"SELECT count(*) FROM t","consistency":"strong"}'
grep -q '\[\[3\]\]' "$work/out" || fail "after the restore there is $(cat "$work/out")."
check "distdb import" tool import copy "$work/main.backup"
check "distdb import of SQL" tool import again "$work/dump.sql"
printf 'a,b\n1,x\n2,"y,z"\n' >"$work/rows.csv"
check "distdb import of CSV" tool import main "$work/rows.csv" --table rows
check "the log's level" get -X PUT "$(at 0 /log-level)" -d '{"level":"debug"}'
wait_until 20 grep -qa /v1/traces "$work/traces" || fail "no traces are sent."
wait_until 20 test -n "$(ls "$work/backups-0")" || fail "no backup is made by the clock."
echo "    resident when idle: $(awk '/VmRSS/ { printf "%d MiB", $2 / 1024 }' "/proc/${cluster[1]}/status")"
kill "${cluster[@]:1}"
for id in 1 2 3; do
  wait "${cluster[$id]}" || { cat "$work/node-$((id - 1)).log" >&2; fail "node $((id - 1)) did not stop in good order."; }
done
kill "${cluster[0]}"
cluster=()
! grep -hiE 'unhandled|   at [A-Z]|crit:|fail:' "$work"/node-*.log || fail "a node's log has errors."

step "the .NET tool"
dotnet tool install distdb --tool-path "$work/tool" --source "$PWD/artifacts/packages" --version "$version" >"$work/tool.log" || { cat "$work/tool.log" >&2; fail "it is not installed."; }
"$work/tool/distdb" --version | grep -q "^distdb $version\$" || fail "it is another version."

step "the ADO.NET provider, in a program of its own"
port=$(free_port)
(cd "$work" && exec "$file" master 0 --base-port "$port" --data "$work/alone") >"$work/alone.log" 2>&1 &
node=$!
wait_until 30 curl -fs "http://127.0.0.1:$port/health/ready" || { cat "$work/alone.log" >&2; fail "the node is not ready."; }
mkdir "$work/program"
cat >"$work/program/program.csproj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="DistDb.Data" Version="$version" /></ItemGroup>
</Project>
PROJECT
cat >"$work/program/Program.cs" <<'PROGRAM'
using DistDb.Data;

await using var connection = new DistDbConnection($"Servers={args[0]}");
await connection.OpenAsync();
await using var command = connection.CreateCommand();
command.CommandText = "CREATE TABLE packed (a); INSERT INTO packed VALUES (@a); SELECT a FROM packed";
command.Parameters.AddWithValue("@a", 7);
Console.WriteLine($"{await command.ExecuteScalarAsync()} of DistDb {connection.ServerVersion}");
PROGRAM
dotnet restore "$work/program" --source "$PWD/artifacts/packages" --packages "$work/nuget" >"$work/program.log" || { cat "$work/program.log" >&2; fail "the provider's package is not restored."; }
dotnet run --project "$work/program" --no-restore -- "http://127.0.0.1:$port" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "the program does not work."; }
grep -q "^7 of DistDb $version" "$work/out" || fail "the program says $(cat "$work/out")."
kill "$node"
wait "$node" || true
node=
echo "All packages are good."
