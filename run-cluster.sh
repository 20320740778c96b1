#!/usr/bin/env bash
# Builds DistDb, starts a master and n nodes on this machine, and stops them all on Ctrl-C.
set -euo pipefail

usage() {
  cat <<'EOF'
Usage: run-cluster.sh <n> [--base-port PORT] [--data FOLDER] [--fresh] [-- COMMAND...]

Starts a master on PORT and n nodes on PORT+1 to PORT+n, and stops them on Ctrl-C.

  <n>               how many nodes beside the master, 0 to 99
  --base-port PORT  the master's port (default: 8080)
  --data FOLDER     where the nodes keep their data and logs (default: ./data); kept between runs
  --fresh           begin with empty nodes: deletes what an earlier run left in FOLDER
  -- COMMAND...     run this once the cluster is ready, then stop the cluster and exit as the command did;
                    it finds the cluster's address in DISTDB_URL
EOF
}

wrong_usage() {
  echo "run-cluster.sh: $1" >&2
  usage >&2
  exit 2
}

fail() {
  echo "run-cluster.sh: $1" >&2
  exit 1
}

is_number() { # text min max
  [[ $1 =~ ^[0-9]{1,5}$ ]] && ((10#$1 >= $2 && 10#$1 <= $3))
}

nodes='' base_port=8080 data=data fresh=no command=()
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --base-port | --data)
      (($# > 1)) || wrong_usage "$1 needs a value."
      if [[ $1 == --data ]]; then data=$2; else base_port=$2; fi
      shift ;;
    --fresh) fresh=yes ;;
    --) shift; (($# > 0)) || wrong_usage "a command is missing after --."; command=("$@"); break ;;
    -*) wrong_usage "there is no option $1." ;;
    *) [[ -z $nodes ]] || wrong_usage "one number of nodes is enough."; nodes=$1 ;;
  esac
  shift
done
[[ -n $nodes ]] || wrong_usage "the number of nodes is missing."
is_number "$nodes" 0 99 || wrong_usage "the number of nodes must be from 0 to 99, not '$nodes'."
is_number "$base_port" 1 65535 || wrong_usage "--base-port must be a port, not '$base_port'."
nodes=$((10#$nodes)) base_port=$((10#$base_port))
((base_port + nodes <= 65535)) || wrong_usage "there are not $((nodes + 1)) ports from $base_port on."
[[ -n $data ]] || wrong_usage "--data needs a folder."

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$(realpath -m -- "$data")
logs=$data/logs
pids=() # by node id; without the nodes that ended
command_pid=

# Speaks just enough HTTP to need nothing that is not in bash: prints the status code, or nothing.
http_status() ( # port path
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
  read -r -t 5 _ code _ <&3 && echo "$code"
) 2>/dev/null

port_in_use() ( exec 3<>"/dev/tcp/127.0.0.1/$1" ) 2>/dev/null

show_log() { # id
  echo "The end of $logs/node-$1.log:" >&2
  tail -n 20 "$logs/node-$1.log" | sed 's/^/  /' >&2
}

is_running() { # id
  [[ -n ${pids[$1]:-} ]] && kill -0 "${pids[$1]}" 2>/dev/null
}

# Asks every node to stop at once, and waits for each; one that does not within 20 s is killed.
stop_nodes() {
  trap '' INT TERM HUP
  if [[ -n $command_pid ]]; then
    kill -TERM "$command_pid" 2>/dev/null || true
    wait "$command_pid" 2>/dev/null || true
  fi
  local id deadline=$((SECONDS + 20))
  for id in "${!pids[@]}"; do
    kill -TERM "${pids[$id]}" 2>/dev/null || true
  done
  for id in "${!pids[@]}"; do
    while is_running "$id" && ((SECONDS < deadline)); do
      sleep 0.05
    done
    if is_running "$id"; then
      echo "Node $id did not stop in time and is killed." >&2
      kill -KILL "${pids[$id]}" 2>/dev/null || true
    fi
    wait "${pids[$id]}" 2>/dev/null || true
  done
  pids=()
}

stop_on_signal() {
  echo
  echo "Stopping ..."
  stop_nodes
  echo "All nodes have stopped. Their data is in $data."
  # To stop the cluster is what the signal is for; a command that was cut short has not succeeded.
  [[ -z $command_pid ]] || exit 130
  exit 0
}

install_sqlite() {
  if ! PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q 'libsqlite3\.so\.0'; then
    if ((EUID == 0)) && command -v apt-get >/dev/null &&
      { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libsqlite3-0 || { apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libsqlite3-0; }; } >/dev/null 2>&1; then
      echo "Installed the system's SQLite library (libsqlite3-0)."
    else
      echo "The system's SQLite library (libsqlite3-0) is not installed; the older, bundled one is used."
    fi
  fi
}

build() {
  command -v dotnet >/dev/null ||
    fail "the .NET SDK 10 is needed to build; see https://learn.microsoft.com/dotnet/core/install/linux-debian"
  echo "Building ..."
  local output
  if ! output=$(DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 \
    dotnet build "$root/DistDb.csproj" -c Release -v quiet --nologo -clp:NoSummary 2>&1); then
    printf '%s\n' "$output" >&2
    fail "the build failed."
  fi
}

clear_data() {
  local node
  for node in "$data"/node-*/; do
    # The lock is held by the node for as long as it runs.
    if [[ -e $node/node.lock ]] && command -v flock >/dev/null && ! flock -n "$node/node.lock" true; then
      fail "$node is in use by a running node; stop it before --fresh, or choose another --data."
    fi
  done
  rm -rf -- "$data"/node-[0-9]* "$data/cluster.secret" "$logs"
}

start_node() { # id
  local role=(node "$1" "$nodes")
  (($1 > 0)) || role=(master "$nodes")
  dotnet "$root/bin/Release/net10.0/distdb.dll" "${role[@]}" --base-port "$base_port" --data "$data" \
    >"$logs/node-$1.log" 2>&1 </dev/null &
  pids[$1]=$!
}

wait_until_ready() {
  local id deadline=$((SECONDS + 60))
  for ((id = 0; id <= nodes; id++)); do
    until [[ $(http_status $((base_port + id)) /health/ready) == 200 ]]; do
      local other
      for other in "${!pids[@]}"; do
        if ! is_running "$other"; then
          show_log "$other"
          fail "node $other did not start."
        fi
      done
      if ((SECONDS >= deadline)); then
        show_log "$id"
        fail "node $id is not ready after 60 s."
      fi
      sleep 0.1
    done
  done
}

# Returns when no node is left. A signal ends the wait, and its trap the script.
watch_nodes() {
  local died id status
  while ((${#pids[@]} > 0)); do
    status=0
    # Bash has words of its own about a killed process, with the whole command; ours follow.
    wait -n -p died "${pids[@]}" 2>/dev/null || status=$?
    for id in "${!pids[@]}"; do
      if [[ ${pids[$id]} == "${died:-}" ]]; then
        unset "pids[$id]"
        echo "Node $id ended by itself (exit code $status); the log is $logs/node-$id.log." >&2
      fi
    done
  done
}

for ((id = 0; id <= nodes; id++)); do
  ! port_in_use $((base_port + id)) ||
    fail "port $((base_port + id)) is in use; stop what listens there, or choose another --base-port."
done
install_sqlite
build
[[ $fresh == no ]] || clear_data
mkdir -p "$logs"

trap stop_on_signal INT TERM HUP
trap stop_nodes EXIT
for ((id = 0; id <= nodes; id++)); do
  start_node "$id"
done
wait_until_ready

echo "The cluster is ready:"
echo "  master  http://localhost:$base_port"
for ((id = 1; id <= nodes; id++)); do
  echo "  node $id  http://localhost:$((base_port + id))"
done

if ((${#command[@]} > 0)); then
  # In the background, since bash would keep a signal waiting until a command in the foreground has ended.
  DISTDB_URL=http://127.0.0.1:$base_port "${command[@]}" <&0 &
  command_pid=$!
  status=0
  wait "$command_pid" || status=$?
  command_pid=
  exit "$status"
fi

authorization=
[[ -z ${DISTDB_TOKEN:-} ]] || authorization=' -H "Authorization: Bearer $DISTDB_TOKEN"'
cat <<EOF
Try it:
  curl localhost:$((base_port + nodes))/query$authorization -d '{"command":"query","query":"SELECT sqlite_version()"}'
Ctrl-C stops all nodes. Logs are in $logs.
EOF
watch_nodes
fail "no node is left."
