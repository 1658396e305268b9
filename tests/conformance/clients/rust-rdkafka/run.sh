#!/usr/bin/env bash
# rust-rdkafka, linked to the librdkafka of Debian's packages: to build that one takes minutes. The newest version whose
# bindings that library is new enough for. It cannot delete records: for that it has a helper.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
need cargo cc
install_librdkafka() {
    pkg-config --exists rdkafka || { apt-get update -q && apt-get install -y -q pkg-config librdkafka-dev; }
}
once librdkafka /dev/null install_librdkafka
helper=$(python_driver confluent-kafka)
CARGO_TARGET_DIR="$INSTALL_FOLDER/rust" cargo build --quiet --locked --manifest-path "$CLIENT_FOLDER/Cargo.toml"
story "$INSTALL_FOLDER/rust/debug/rust-rdkafka-driver" "$helper"
