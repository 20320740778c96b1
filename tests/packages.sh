#!/usr/bin/env bash
# Installs the Debian package of packaging/build.sh on this machine, runs a node of it, removes and purges it, and looks at each step; likewise the .NET
# tool, in a folder of its own. Needs root, for it installs; refuses where DistDb is installed already. Argument: --no-build takes what was built before.
set -euo pipefail
cd "$(dirname "$0")/.."

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
cleanup() {
  [[ -z $node ]] || kill "$node" 2>/dev/null || true
  dpkg --purge distdb >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

step() { echo "- $1"; }

free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

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

step "the .NET tool"
dotnet tool install distdb --tool-path "$work/tool" --source "$PWD/artifacts/packages" --version "$version" >"$work/tool.log" || { cat "$work/tool.log" >&2; fail "it is not installed."; }
"$work/tool/distdb" --version | grep -q "^distdb $version\$" || fail "it is another version."
echo "All packages are good."
