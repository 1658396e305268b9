#!/usr/bin/env bash
# Runs every command of README.md and of docs/, as somebody would who has read no more than that, and holds what comes out
# against commands.json. A command that is not there fails, and so does one there that no page has any more.
#
# STRANDLINE may name a built binary; without it one is built. Needs kcat and confluent-kafka, which are installed by name.
source "$(dirname "$0")/../conformance/clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
prepare_broker
command -v kcat >/dev/null || {
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y kcat >/dev/null 2>&1 || { apt-get update -qq >/dev/null && apt-get install -qq -y kcat >/dev/null; }
}
PYTHON=$(python_driver confluent-kafka)
export PYTHON=${PYTHON%% *}
PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$CLIENT_FOLDER/commands.py" "$WORK_FOLDER"
