#!/usr/bin/env bash
# What others have written to watch Kafka and to look into it, unmodified: an exporter for Prometheus, a monitor, and a
# console in the browser. Each has to see of our broker what is there.
#
# usage: tests/conformance/ecosystem/run.sh [exporter | monitor | console]…; all but the console if nothing is said: the
# console brings a few hundred megabytes along.
source "$(dirname "$0")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
prepare_broker

# installed NAME: the Python of an environment with what NAME.txt names.
installed() {
    local folder="$INSTALL_FOLDER/ecosystem-$1.venv"
    install_packages() {
        python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
    }
    once "ecosystem-$1" "$CLIENT_FOLDER/$1.txt" install_packages "$CLIENT_FOLDER/$1.txt"
    echo "$folder/bin"
}

[[ $# -gt 0 ]] || set -- exporter monitor
export PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$CLIENT_FOLDER"
driver=$(python_driver confluent-kafka)
for tool in "$@"; do
    bin=$(installed "$tool")
    mkdir "$WORK_FOLDER/$tool"
    "${driver%% *}" -B "$CLIENT_FOLDER/see.py" "$tool" "$WORK_FOLDER/$tool" "$bin"
done
