#!/usr/bin/env bash
# Kafka's own command line tools, from its artifacts, and its dump tool on the segments in the broker's data folder.
source "$(dirname "$0")/../library/client.sh"
need java mvn
TOOLS_CLASSPATH=$(classpath kafka-tools "org.apache.kafka:kafka-tools:$KAFKA_VERSION" "org.slf4j:slf4j-nop:$SLF4J_VERSION")
export TOOLS_CLASSPATH
play "$CLIENT_FOLDER/tools.py" "$WORK_FOLDER"
