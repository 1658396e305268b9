#!/usr/bin/env bash
# Compares what our tests of consumer groups go by with Kafka's own: which topics a pattern stands for, by the library
# that Kafka compiles patterns with; the hashes by which its coordinator notices that topics changed; and that its assignors
# look at no racks.

source "$(dirname "$0")/../kafka.sh"
need java mvn diff

fetch_jar com.google.re2j re2j "$RE2J_VERSION"
ours=$REPOSITORY_FOLDER/broker/state/src/regex/tests
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/groups/KafkaRegexes.java" "$ours/texts.txt" "$ours/re2j.txt" \
    >"$WORK_FOLDER/re2j.txt"

# A difference that is planted has to be seen.
if sed 's/^abc\t0/abc\t1/' "$ours/re2j.txt" | diff -q - "$WORK_FOLDER/re2j.txt" >/dev/null; then
    echo "groups: a planted difference was not seen" >&2
    exit 1
fi
diff "$ours/re2j.txt" "$WORK_FOLDER/re2j.txt"

for artifact in kafka-clients kafka-server-common kafka-coordinator-common kafka-group-coordinator kafka-group-coordinator-api; do
    fetch_jar org.apache.kafka "$artifact" "$KAFKA_VERSION"
done
fetch_jar com.dynatrace.hash4j hash4j "$HASH4J_VERSION"
fetch_jar org.slf4j slf4j-api "$SLF4J_VERSION"
fetch_jar org.slf4j slf4j-nop "$SLF4J_VERSION"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/groups/KafkaHashes.java" >"$WORK_FOLDER/hashes.txt"
diff "$REPOSITORY_FOLDER/broker/state/src/groups/consumer/tests/hashes.txt" "$WORK_FOLDER/hashes.txt"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/groups/KafkaRacks.java" >"$WORK_FOLDER/racks.txt" \
    || { cat "$WORK_FOLDER/racks.txt"; echo "groups: Kafka's assignors look at racks, and ours do not" >&2; exit 1; }
echo "groups: $(wc -l <"$ours/re2j.txt") patterns mean what RE2/J $RE2J_VERSION says, and hashes of topics are those of Kafka $KAFKA_VERSION"
