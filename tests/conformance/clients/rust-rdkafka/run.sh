#!/usr/bin/env bash
# rust-rdkafka, which is librdkafka once more. Not for continuous integration: it takes minutes to build.
source "$(dirname "$0")/../library/client.sh"
need cargo cc make
CARGO_TARGET_DIR="$INSTALL_FOLDER/rust" cargo build --quiet --locked --manifest-path "$CLIENT_FOLDER/Cargo.toml"
story "$INSTALL_FOLDER/rust/debug/rust-rdkafka-driver"
