#!/usr/bin/env bash
# sarama, which is written in Go from the ground up.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/go.sh"
source "$CLIENTS_FOLDER/library/python.sh"
driver=$(go_driver sarama)
story "$driver"
group_story "$driver"
