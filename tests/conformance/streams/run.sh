#!/usr/bin/env bash
# Kafka Streams counts words, exactly once, and is killed while it does: README.md of the folder above.
#
# usage: tests/conformance/streams/run.sh [SECONDS] [SEED] [PROTOCOL]
source "$(dirname "${BASH_SOURCE[0]}")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need java javac mvn

STREAMS_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
seconds=${1:-12}
seed=${2:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
prepare_broker
python=$(python_driver confluent-kafka)
path=$(classpath kafka-streams "org.apache.kafka:kafka-streams:$KAFKA_VERSION" "org.slf4j:slf4j-simple:$SLF4J_VERSION")
once kafka-streams-program "$STREAMS_FOLDER/WordCount.java" \
    javac -nowarn -d "$INSTALL_FOLDER/kafka-streams-program" -cp "$path" "$STREAMS_FOLDER/WordCount.java"
program="java -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
program+=" -cp $INSTALL_FOLDER/kafka-streams-program:$path WordCount"
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$CONFORMANCE_FOLDER/transactions" "${python%% *}" -B \
    "$STREAMS_FOLDER/streams.py" "$WORK_FOLDER" "$seconds" "$seed" "$program" "${3:-classic}" \
    || { echo "Kafka Streams: failed" >&2; exit 1; }
echo "Kafka Streams: as Kafka has it"
