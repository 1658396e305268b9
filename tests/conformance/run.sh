#!/usr/bin/env bash
# Runs every check of this folder that continuous integration runs: what our wire, our
# segments, our compaction and our client have to do with Kafka's own.
# All of them run even if one fails, so that one run shows everything.

set -uo pipefail
cd "$(dirname "$0")"

failed=()
for check in schema codec batch errors settings groups segments compaction client client-library commands admin effects answers clients ecosystem transactions streams connect prometheus; do
    "./$check/run.sh" || failed+=("$check")
done
if ((${#failed[@]})); then
    echo "conformance: failed: ${failed[*]}" >&2
    exit 1
fi
