#!/usr/bin/env bash
# Our client library against both brokers, with the same expectations: the story of all clients.
set -euo pipefail
cd "$(dirname "$0")"
for broker in strandline kafka; do
    BROKER=$broker ../clients/strandline/run.sh
done
