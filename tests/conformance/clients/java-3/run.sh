#!/usr/bin/env bash
# The last of Kafka's own clients of version 3, which speaks older versions of the protocol.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/java.sh"
java_story 3.9.1
