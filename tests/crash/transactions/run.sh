#!/usr/bin/env bash
# Kills a broker, and clients that consume, transform and produce in transactions, and looks whether each value came
# out once, and in order.
#
# usage: tests/crash/transactions/run.sh [SECONDS] [SEED]
source "$(dirname "${BASH_SOURCE[0]}")/../../conformance/clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"

seconds=${1:-60}
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
TRANSACTIONS_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepare_broker
python=$(python_driver confluent-kafka)
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$TRANSACTIONS_FOLDER" "${python%% *}" -B \
    "$TRANSACTIONS_FOLDER/exactly_once.py" "$WORK_FOLDER" "$seconds" "$seed"
