#!/usr/bin/env bash
# Our own client library: the story of all, what it and others compress for one another, and groups of ours and Java's
# members by the rules that need them to agree.
source "$(dirname "$0")/../library/client.sh"
source "$CLIENTS_FOLDER/library/java.sh"
need cargo
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-client --example story --example member
examples_folder="${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}/debug/examples"
story "$examples_folder/story"

# What ours compresses Java's and librdkafka's read, and the other way round.
java=$(java_client "$KAFKA_VERSION")
exchange "$examples_folder/story" "$java Driver" "$(python_driver confluent-kafka)"

# Groups with Java's members, by each rule that members agree on, and by the broker's: against Kafka only where ASSIGNORS names
# some, since that takes half a minute for each.
[[ $BROKER != strandline ]] || ASSIGNORS=${ASSIGNORS-range roundrobin sticky cooperative-sticky consumer}
[[ -n ${ASSIGNORS:-} ]] || exit 0
for ASSIGNOR in $ASSIGNORS; do
    export ASSIGNOR
    group_story "$examples_folder/member" "$java Member"
done
