#!/usr/bin/env bash
# Kafka Connect carries the lines of a file to a topic, and those of the topic to a file: alone, and as two workers that
# are killed while they do it exactly once.
#
# usage: tests/conformance/connect/run.sh [SECONDS] [SEED]
source "$(dirname "${BASH_SOURCE[0]}")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need java mvn

CONNECT_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-12}
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
prepare_broker
python=$(python_driver confluent-kafka)
CONNECT_CLASSPATH=$(classpath kafka-connect "org.apache.kafka:connect-runtime:$KAFKA_VERSION" "org.apache.kafka:connect-file:$KAFKA_VERSION")
export CONNECT_CLASSPATH
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$CONFORMANCE_FOLDER/transactions" "${python%% *}" -B \
    "$CONNECT_FOLDER/connect.py" "$WORK_FOLDER" "$seconds" "$seed" || { echo "Kafka Connect: failed" >&2; exit 1; }
echo "Kafka Connect: as Kafka has it"
