#!/usr/bin/env bash
# Kafka's own client of the version that all of this is compared with.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/java.sh"
java_story "$KAFKA_VERSION"
