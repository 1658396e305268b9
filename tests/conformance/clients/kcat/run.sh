#!/usr/bin/env bash
# kcat, of Debian's packages: a librdkafka of 2023. It only produces, consumes and lists: for the rest it has a helper.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
install_kcat() {
    command -v kcat >/dev/null || { apt-get update -q && apt-get install -y -q kcat; }
}
once kcat /dev/null install_kcat
helper=$(python_driver confluent-kafka)
story "python3 -B $CLIENT_FOLDER/driver.py" "$helper"
play "$CLIENT_FOLDER/first_steps.py" "$WORK_FOLDER"
group_story "python3 -B $CLIENT_FOLDER/member.py"
