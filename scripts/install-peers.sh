#!/usr/bin/env bash
# Installs the real servers that `npm run test:peers` talks to, where that is possible: as root on a machine with apt.
# Never fails: a test whose server is missing is skipped and says so.
set -u

# Program and the Debian package that holds it.
readonly PROGRAMS=(redis-server:redis-server openssl:openssl)

# Seconds that installing may take.
readonly LIMIT=240

packages=()
for entry in "${PROGRAMS[@]}"; do
  command -v "${entry%%:*}" >/dev/null || packages+=("${entry##*:}")
done
[ ${#packages[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "peers: ${packages[*]} missing and not installable here; the tests that need them are skipped"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
# A package must not start a server of its own: the tests start theirs.
export RUNLEVEL=1
timeout "$LIMIT" apt-get update -qq &&
  timeout "$LIMIT" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
  echo "peers: could not install ${packages[*]}; the tests that need them are skipped"
exit 0
