#!/usr/bin/env bash
# Our own client library.
source "$(dirname "$0")/../library/client.sh"
need cargo
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-client --example story
story "${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}/debug/examples/story"
