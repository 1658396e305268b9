#!/usr/bin/env bash
# What franz-go's admin client does beside the story of all clients. BROKER=kafka holds the expectations against Kafka.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/go.sh"
play "$CLIENT_FOLDER/administer.py" "$WORK_FOLDER" "$(go_driver franz-go-admin)"
