#!/bin/sh
# Installs the system programs that some tests use: Chromium for the browser story, Redis for limits that are counted there.
# Debian and Ubuntu, as root or by sudo. The tests start a Redis of their own, on a free port.
set -eu

wanted=""
if command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then
  echo "chromium: found"
else
  wanted="chromium fonts-noto-core"
fi
if command -v redis-server >/dev/null 2>&1; then
  echo "redis-server: found"
else
  wanted="$wanted redis-server"
fi
[ -n "$wanted" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "There is no apt-get here. Install by hand: $wanted. Or set CHROMIUM to the browser's program." >&2
  exit 1
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted
