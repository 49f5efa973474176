#!/usr/bin/env bash
# Installs the real servers and clients that `npm run test:peers` talks to, where that is possible: programs of Debian as root on a machine
# with apt, programs in Go (servers, and clients) with a Go toolchain, by the exact versions of the modules in e2e/go, and grpcio with Python.
# Never fails: a test whose peer is missing is skipped and says so.
set -u

# Program and the Debian package that holds it.
readonly PROGRAMS=(redis-server:redis-server redis-cli:redis-tools openssl:openssl nginx:nginx-light h2load:nghttp2-client nghttp:nghttp2-client
  psql:postgresql mariadbd:mariadb-server-core mariadb:mariadb-client-core dropbear:dropbear-bin ssh:openssh-client)

# Seconds that installing from one source may take, and everything together: on a machine that builds slowly the tests go on with what
# is there by then, within the time that .ci/run gives to all of it.
readonly LIMIT=240 TOTAL=1500

# Folder of the programs in Go; git ignores it.
root=$(cd "$(dirname "$0")/.." && pwd)
readonly root BUILT="$root/e2e/.cache/peers"

# Programs in Go: a folder of e2e/go, which is a module with exact versions of its own, the packages of it to build, each to a program named
# like the last part of its path, and the seconds that a build may take on a machine that never built it: a server is half a million lines.
readonly GO_PEERS=(
  "grpc-peer|.|240"
  "h2spec|github.com/summerwind/h2spec/cmd/h2spec|240"
  "etcd|.|300"
  "service-center|.|600"
  "chassis-peer|.|300"
  "jaeger|github.com/jaegertracing/jaeger/cmd/all-in-one|900"
  "statsd-exporter|github.com/prometheus/statsd_exporter|300"
  "consul|github.com/hashicorp/consul|1500"
)

# Process that is waited for.
child=
# Whoever ends this ends the build, too: it is a process group of its own. The group of `timeout` gets what `timeout` gets.
trap '[ -n "$child" ] && kill "$child" 2>/dev/null; exit 143' TERM INT HUP

# bounded SECONDS COMMAND...: runs it for so long, and no longer than is left of the total. Status 124 when the time is over.
bounded() {
  local left=$((TOTAL - SECONDS)) limit=$1 status
  shift
  ((left > 0)) || return 124
  if command -v timeout >/dev/null; then timeout --kill-after=10 $((limit < left ? limit : left)) "$@" & else "$@" & fi
  child=$!
  wait "$child"
  status=$?
  child=
  return "$status"
}

build_go_programs() {
  if ! command -v go >/dev/null; then
    echo "peers: there is no Go, so the programs of e2e/go are not built; the tests that need them are skipped"
    return
  fi
  mkdir -p "$BUILT"
  local entry folder packages limit started
  for entry in "${GO_PEERS[@]}"; do
    IFS='|' read -r folder packages limit <<<"$entry"
    started=$SECONDS
    # The packages are several words. -mod=readonly: versions never move while peers are installed.
    # shellcheck disable=SC2086
    if ! bounded "$limit" go -C "$root/e2e/go/$folder" build -mod=readonly -o "$BUILT/" $packages; then
      echo "peers: could not build $folder within $((SECONDS - started)) s; the tests that need it are skipped, unless it was built before"
    elif ((SECONDS - started > 5)); then
      echo "peers: built $folder in $((SECONDS - started)) s"
    fi
  done
}

# Version of grpcio: its core is that of the gRPC libraries for C++, Ruby and PHP, too.
readonly GRPCIO=1.76.0

install_grpcio() {
  local python="$BUILT/python"
  PYTHONPATH="$python" python3 -c "import grpc, sys; sys.exit(grpc.__version__ != '$GRPCIO')" 2>/dev/null && return
  if ! command -v python3 >/dev/null; then
    echo "peers: there is no Python 3, so grpcio is not installed; the tests that need it are skipped"
    return
  fi
  bounded "$LIMIT" python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade \
    --only-binary :all: --target "$python" "grpcio==$GRPCIO" ||
    echo "peers: could not install grpcio for Python; the tests that need it are skipped"
}

build_go_programs
install_grpcio

packages=()
for entry in "${PROGRAMS[@]}"; do
  package=${entry##*:}
  # Two programs may be in one package.
  command -v "${entry%%:*}" >/dev/null || [[ " ${packages[*]} " == *" $package "* ]] || packages+=("$package")
done
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "peers: ${packages[*]} missing and not installable here; the tests that need them are skipped"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
# A package must not start a server of its own: the tests start theirs.
export RUNLEVEL=1
bounded "$LIMIT" apt-get update -qq &&
  bounded "$LIMIT" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
  echo "peers: could not install ${packages[*]}; the tests that need them are skipped"
exit 0
