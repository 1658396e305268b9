#!/usr/bin/env bash
# Groups of the new protocol (KIP-848): librdkafka and Java, alone and together, and members of the classic protocol
# among them.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need java mvn
TOOLS_CLASSPATH=$(classpath kafka-tools "org.apache.kafka:kafka-tools:$KAFKA_VERSION" "org.slf4j:slf4j-nop:$SLF4J_VERSION")
export TOOLS_CLASSPATH
read -r python _ <<<"$(python_driver consumer-protocol)"
prepare_broker
PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library" "$python" -B "$CLIENT_FOLDER/groups.py" "$WORK_FOLDER" \
    || { echo "$CLIENT: failed" >&2; exit 1; }
echo "$CLIENT: as Kafka has it"
