# For other scripts: a function that finds free ports.

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
