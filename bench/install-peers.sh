#!/bin/sh
# Installs what the benchmarks compare runway with, and the generators, from Debian's packages. (@fastify/http-proxy comes
# with the other npm packages.)
set -eu

packages="wrk nghttp2-client nginx libnginx-mod-http-lua haproxy caddy util-linux git"

if ! command -v apt-get >/dev/null; then
  echo "install-peers: there is no apt-get here; install these with the tool of your system: $packages" >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-peers: must be run as root; run it with sudo, or install these yourself: $packages" >&2
  exit 2
fi

# Debian starts a server as soon as it is installed, and one that idles beside a benchmark is still in its way. A server
# that was here before is left as it is.
new=
for server in nginx haproxy caddy; do
  dpkg -s "$server" >/dev/null 2>&1 || new="$new $server"
done

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # One word for each package.
apt-get install -q -y --no-install-recommends $packages

if [ -d /run/systemd/system ]; then
  for server in $new; do systemctl disable --now "$server"; done
fi
