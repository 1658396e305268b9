#!/usr/bin/env bash
# aiokafka, with the codecs that it asks for.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
driver=$(python_driver aiokafka)
story "$driver"
group_story "$(python_member aiokafka)"
