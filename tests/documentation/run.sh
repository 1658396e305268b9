#!/usr/bin/env bash
# Runs every command of README.md and of docs/, as somebody would who has read no more than that, and holds what comes out
# against commands.json. A command that is not there fails, and so does one there that no page has any more.
#
# STRANDLINE may name a built binary; without it one is built. Needs kcat, which is installed by name.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [[ -z ${STRANDLINE:-} ]]; then
    cargo build --quiet --locked --package strandline
    STRANDLINE=$PWD/target/debug/strandline
fi
export STRANDLINE
command -v kcat >/dev/null || {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y kcat >/dev/null 2>&1 || { apt-get update -qq >/dev/null && apt-get install -qq -y kcat >/dev/null; }
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PYTHONPATH=tests/conformance python3 -B tests/documentation/commands.py "$folder"
