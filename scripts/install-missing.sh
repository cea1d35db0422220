#!/bin/sh
# Installs the packages of the lock file when they are not there yet or no longer match it. Quiet when there is nothing to do.
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.package-lock.json
if [ -x node_modules/.bin/node ] && [ -f "$stamp" ] && [ ! package-lock.json -nt "$stamp" ]; then exit 0; fi
echo "runway: installing packages (once)…" >&2
# Not `npm ci`: it insists on an entry for every platform, also for packages that a registry does not have for it.
npm install --no-save --no-audit --no-fund --loglevel=error
touch "$stamp"
