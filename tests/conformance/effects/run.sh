#!/usr/bin/env bash
# Every setting that a running broker takes is set by a real client, librdkafka, and seen to act: by what is produced and
# fetched, or by the broker's own numbers where a client can see nothing; at once, and after a restart. One that does
# nothing has to say so in docs/CONFIGURATION.md.
source "$(dirname "$0")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
prepare_broker
python=$(python_driver confluent-kafka)
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library" "${python%% *}" -B "$CLIENT_FOLDER/effects.py" \
    "$WORK_FOLDER" "$REPOSITORY_FOLDER/docs/CONFIGURATION.md"
