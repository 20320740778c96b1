# To be sourced, with root set to the project's folder: builds the benchmark, quietly where it builds. "${bench[@]}" runs it.
bench=(dotnet "$root/bench/bin/Release/net10.0/distdb-bench.dll")
if ! output=$(DOTNET_NOLOGO=1 dotnet build "$root/bench/DistDb.Bench.csproj" -c Release -v quiet --nologo -clp:NoSummary 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
