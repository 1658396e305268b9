#!/usr/bin/env bash
# librdkafka as it is today, by its Python binding.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
driver=$(python_driver confluent-kafka)
story "$driver"
group_story "$(python_member confluent-kafka)"
