#!/usr/bin/env bash
# Kafka's own tools of groups: its verifiable producer and consumer, its performance tools, and what its group command
# says of them and does to them, for both protocols.
source "$(dirname "$0")/../library/client.sh"
need java mvn
TOOLS_CLASSPATH=$(classpath kafka-tools "org.apache.kafka:kafka-tools:$KAFKA_VERSION" "org.slf4j:slf4j-nop:$SLF4J_VERSION")
export TOOLS_CLASSPATH
play "$CLIENT_FOLDER/groups.py" "$WORK_FOLDER"
