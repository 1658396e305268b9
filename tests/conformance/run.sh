#!/usr/bin/env bash
# Runs every check of this folder that continuous integration runs: what our wire, our
# segments, our compaction and our client have to do with Kafka's own.
# All of them run even if one fails, so that one run shows everything; what a failed one said last is said again at the end.

set -uo pipefail
cd "$(dirname "$0")"

said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
failed=()
for check in schema codec batch errors settings groups segments compaction client client-library commands admin effects answers clients ecosystem transactions streams connect prometheus; do
    started=$SECONDS
    "./$check/run.sh" 2>&1 | tee "$said/$check" || failed+=("$check")
    echo "conformance: $check took $((SECONDS - started)) s"
done
if ((${#failed[@]})); then
    for check in "${failed[@]}"; do
        printf '\nconformance: %s failed, and said last:\n' "$check"
        tail -n 40 "$said/$check"
    done
    echo "conformance: failed: ${failed[*]}" >&2
    exit 1
fi
