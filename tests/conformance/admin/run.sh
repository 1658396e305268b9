#!/usr/bin/env bash
# Kafka's own administration tools against a broker: what they print is in expected.txt, to the letter, and what the
# admin client says of every setting in settings.txt. Both were recorded from Kafka, which passes as well:
#
#     BROKER=kafka tests/conformance/admin/run.sh             # against Kafka
#     BROKER=kafka tests/conformance/admin/run.sh --record    # writes the two files anew
source "$(dirname "$0")/../clients/library/client.sh"
need java mvn
TOOLS_CLASSPATH=$(classpath kafka-admin "org.apache.kafka:kafka_2.13:$KAFKA_VERSION" "org.apache.kafka:kafka-tools:$KAFKA_VERSION" \
    "org.slf4j:slf4j-nop:$SLF4J_VERSION")
export TOOLS_CLASSPATH
play "$CLIENT_FOLDER/admin.py" "$WORK_FOLDER" "$@"
