#!/usr/bin/env bash
# Builds what users install, into artifacts/packages: for each runtime one file that needs no .NET, and a Debian package of it; a .NET tool; and the ADO.NET provider.
# Usage: packaging/build.sh [runtime...]; default: linux-x64 linux-arm64
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "packaging/build.sh: $1" >&2
  exit 1
}

runtimes=("$@")
((${#runtimes[@]} > 0)) || runtimes=(linux-x64 linux-arm64)
command -v dpkg-deb >/dev/null || fail "needs dpkg-deb, which Debian and its kin have."
out=$PWD/artifacts/packages
mkdir -p "$out"
version=$(dotnet msbuild DistDb.csproj -getProperty:Version)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One file, compiled ahead so that it starts fast.
publish() { # runtime
  dotnet publish DistDb.csproj -c Release -r "$1" -p:PublishSingleFile=true -o "$work/$1" --nologo -v quiet
  local files
  files=$(find "$work/$1" -type f -printf '%P\n')
  [[ $files = distdb ]] || fail "more than one file was published for $1: $files"
  install -m 0755 "$work/$1/distdb" "$out/distdb-$version-$1"
}

debian_package() { # runtime architecture
  local root=$work/deb-$2
  install -D -m 0755 "$work/$1/distdb" "$root/usr/bin/distdb"
  install -D -m 0644 packaging/distdb.service "$root/lib/systemd/system/distdb.service"
  install -D -m 0640 packaging/distdb.env "$root/etc/distdb/distdb.env"
  install -D -m 0644 LICENSE "$root/usr/share/doc/distdb/copyright"
  install -D -m 0644 "$work/distdb.1.gz" "$root/usr/share/man/man1/distdb.1.gz"
  install -m 0644 README.md CHANGELOG.md docs/operating.md docs/consistency.md docs/performance.md docs/grafana-dashboard.json "$root/usr/share/doc/distdb/"
  install -d "$root/DEBIAN"
  install -m 0755 packaging/debian/postinst packaging/debian/prerm packaging/debian/postrm "$root/DEBIAN/"
  echo /etc/distdb/distdb.env >"$root/DEBIAN/conffiles"
  cat >"$root/DEBIAN/control" <<CONTROL
Package: distdb
Version: $version
Architecture: $2
Maintainer: The DistDb maintainers <maintainers@distdb.invalid>
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6, libssl3 | libssl3t64, libsqlite3-0 (>= 3.38), adduser
Recommends: ca-certificates
Section: database
Priority: optional
Description: SQLite, replicated
 Every node holds whole SQLite databases and takes reads and writes over HTTP;
 every write reaches every replica exactly once, in one order.
CONTROL
  (cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  dpkg-deb --build --root-owner-group -Zxz "$root" "$out/distdb_${version}_$2.deb" >/dev/null
}

echo "Building the .NET tool ..."
dotnet pack DistDb.csproj -c Release -p:PackAsTool=true -o "$out" --nologo -v quiet

echo "Building the ADO.NET provider ..."
dotnet pack DistDb.Data/DistDb.Data.csproj -c Release -o "$out" --nologo -v quiet

# Made by the commands themselves, in a folder without a .env file and without variables that would be taken for defaults.
(cd "$work" && env -i PATH="$PATH" HOME="$work" DOTNET_ROOT="${DOTNET_ROOT:-}" dotnet "$OLDPWD/bin/Release/net10.0/distdb.dll" man) | gzip -9n >"$work/distdb.1.gz"

for runtime in "${runtimes[@]}"; do
  echo "Building for $runtime ..."
  publish "$runtime"
  case $runtime in
    linux-x64) debian_package "$runtime" amd64 ;;
    linux-arm64) debian_package "$runtime" arm64 ;;
    *) ;;
  esac
done

du -h --apparent-size "$out"/distdb*"$version"*
