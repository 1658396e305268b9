#!/usr/bin/env bash
# KafkaJS, which no longer changes and is still everywhere. It consumes only in groups: librdkafka reads what it wrote.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need node npm
folder="$INSTALL_FOLDER/kafkajs"
install_kafkajs() {
    mkdir -p "$folder" && cp "$CLIENT_FOLDER"/package*.json "$folder" && (cd "$folder" && npm ci --silent --no-audit --no-fund)
}
once kafkajs "$CLIENT_FOLDER/package-lock.json" install_kafkajs
helper=$(python_driver confluent-kafka)
story "node $CLIENT_FOLDER/driver.js $folder" "$helper"
# Its assignors have names of their own, which no other client knows.
group_story "node $CLIENT_FOLDER/member.js $folder" "node $CLIENT_FOLDER/member.js $folder"
