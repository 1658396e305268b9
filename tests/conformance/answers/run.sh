#!/usr/bin/env bash
# What a broker answers to what no client library asks: each line of expected.txt was recorded from Kafka.
#
#     BROKER=kafka tests/conformance/answers/run.sh             # against Kafka, which passes as well
#     BROKER=kafka tests/conformance/answers/run.sh --record    # writes the file anew
source "$(dirname "$0")/../clients/library/client.sh"
play "$CLIENT_FOLDER/answers.py" "$WORK_FOLDER" "$@"
