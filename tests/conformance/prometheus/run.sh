#!/usr/bin/env bash
# A real Prometheus, of Debian's packages, scrapes a broker that is at work: `promtool` has nothing against its metrics
# and our alerts, every query of the dashboard and every metric of an alert finds something, and what a scrape of 10,000
# partitions costs is printed, and bounded.
#
# STRANDLINE may name a built binary; without it one is built.
source "$(dirname "$0")/../kafka.sh"
need flock python3

install_prometheus() {
    command -v prometheus >/dev/null && command -v promtool >/dev/null && command -v kcat >/dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends prometheus kcat || {
        apt-get update -qq && apt-get install -qq -y --no-install-recommends prometheus kcat
    }
}
install_prometheus >"$WORK_FOLDER/install.log" 2>&1 || { cat "$WORK_FOLDER/install.log" >&2; exit 2; }
need prometheus promtool kcat

if [[ -z ${STRANDLINE:-} ]]; then
    need cargo
    cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
    STRANDLINE="$REPOSITORY_FOLDER/target/debug/strandline"
fi
export STRANDLINE
promtool check rules "$REPOSITORY_FOLDER/docs/alerts/strandline.rules.yml" >"$WORK_FOLDER/rules.txt" \
    || { cat "$WORK_FOLDER/rules.txt" >&2; exit 1; }
(cd "$CONFORMANCE_FOLDER/prometheus" && promtool test rules strandline.test.yml) >"$WORK_FOLDER/rules.txt" 2>&1 \
    || { cat "$WORK_FOLDER/rules.txt" >&2; exit 1; }
PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$CONFORMANCE_FOLDER/prometheus/scrape.py" "$WORK_FOLDER" "$REPOSITORY_FOLDER"
