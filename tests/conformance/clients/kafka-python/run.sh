#!/usr/bin/env bash
# kafka-python, with the codecs that it asks for.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
driver=$(python_driver kafka-python)
story "$driver"
group_story "$(python_member kafka-python)"
