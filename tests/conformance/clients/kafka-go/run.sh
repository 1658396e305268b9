#!/usr/bin/env bash
# segmentio's kafka-go. It cannot delete records: franz-go does it for it.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/go.sh"
source "$CLIENTS_FOLDER/library/python.sh"
driver=$(go_driver kafka-go)
helper=$(go_driver franz-go)
story "$driver" "$helper"
# As a leader it does not understand what members of today say of themselves.
group_story "$driver" "$driver"
