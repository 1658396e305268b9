#!/usr/bin/env bash
# Our command line, command by command, against Strandline and against Kafka: with the same expectations, the same exit
# codes, and answers of the same shape; in a terminal, too, where it asks and draws. Of Strandline also what is said of
# mistakes, which takes root, what its log says, and the examples in the help.
source "$(dirname "$0")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need cargo
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
target_folder=${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}
export COMMAND_LINE="${STRANDLINE:-$target_folder/debug/strandline}"
# One that opens a transaction, and leaves it open.
PYTHON=$(python_driver confluent-kafka)
export PYTHON=${PYTHON%% *}
for BROKER in ${BROKERS:-strandline kafka}; do
    play "$CLIENT_FOLDER/commands.py" "$WORK_FOLDER"
done
if [[ -z ${BROKERS:-} ]]; then
    BROKER=strandline prepare_broker
    for what in mistakes logged; do
        PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library" python3 -B "$CLIENT_FOLDER/$what.py" "$WORK_FOLDER"
    done
    PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$CLIENT_FOLDER/helps.py" "$WORK_FOLDER"
    python3 -B "$CLIENT_FOLDER/shapes.py" "$WORK_FOLDER/strandline.json" "$WORK_FOLDER/kafka.json"
fi
