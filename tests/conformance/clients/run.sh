#!/usr/bin/env bash
# Every client that continuous integration plays the story with, two at a time. All of them are, even if one fails.
source "$(dirname "$0")/library/client.sh"

# The slow ones first.
CLIENTS="kafka-tools kafka-groups consumer-protocol java-4 rust-rdkafka kafka-go java-3 kafkajs kafka-python sarama franz-go franz-go-admin aiokafka confluent-kafka kcat"

one() {
    local log="$WORK_FOLDER/$1.log" began=$SECONDS
    if "$CLIENTS_FOLDER/$1/run.sh" >"$log" 2>&1; then
        echo "clients: $1 passed in $((SECONDS - began)) s"
    else
        sed "s/^/$1: /" "$log" >&2
        echo "clients: $1 FAILED" >&2
        return 1
    fi
}
export -f one
export WORK_FOLDER CLIENTS_FOLDER

PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library" python3 -B "$CLIENTS_FOLDER/library/planted.py" "$CLIENTS_FOLDER/cases.json" \
    || { echo "clients: a planted difference was not seen" >&2; exit 1; }
prepare_broker
xargs --max-args 1 --max-procs 2 bash -c 'one "$0"' <<<"${CLIENTS// /$'\n'}"
