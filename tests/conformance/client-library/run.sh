#!/usr/bin/env bash
# Our client library against both brokers, with the same expectations: the story of all clients, the library's own tests
# that need a broker, and the command line.
source "$(dirname "$0")/../clients/library/client.sh"
need cargo java mvn
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
target_folder=${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}
export COMMAND_LINE="${STRANDLINE:-$target_folder/debug/strandline}"
for BROKER in ${BROKERS:-strandline kafka kafka-3}; do
    "$CLIENTS_FOLDER/strandline/run.sh"
    play "$CLIENT_FOLDER/library.py" "$WORK_FOLDER"
done

# Keys go where Java's producer sends them; a planted difference has to be seen.
cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-client --example partitions
clients=$(classpath "java-$KAFKA_VERSION" "org.apache.kafka:kafka-clients:$KAFKA_VERSION" "org.slf4j:slf4j-nop:$SLF4J_VERSION" \
    "com.fasterxml.jackson.core:jackson-databind:$JACKSON_VERSION")
java -cp "$clients" "$CLIENT_FOLDER/KafkaPartitions.java" "$RANDOM" >"$WORK_FOLDER/partitions"
if { head -c -4 "$WORK_FOLDER/partitions"; printf '\377\377\377\377'; } | "$target_folder/debug/examples/partitions" >/dev/null 2>&1; then
    echo "client-library: a planted difference was not seen" >&2
    exit 1
fi
keys=$("$target_folder/debug/examples/partitions" <"$WORK_FOLDER/partitions")
echo "client-library: $keys keys go where Kafka $KAFKA_VERSION sends them"
