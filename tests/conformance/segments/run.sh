#!/usr/bin/env bash
# Segments of every codec, rolled, reopened and with aborted transactions: ours have to be in order to Kafka's dump
# tool, and about Kafka's own we have to answer what Kafka answers, and to make the indexes that Kafka made.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn python3

# The dump tool with all that it depends on, which includes Kafka's storage.
cat >"$WORK_FOLDER/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>segments</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>$SLF4J_VERSION</version></dependency>
  </dependencies>
</project>
POM
maven -f "$WORK_FOLDER/pom.xml" dependency:build-classpath -Dmdep.outputFile="$WORK_FOLDER/classpath"
KAFKA_CLASSPATH=$(<"$WORK_FOLDER/classpath")

fail() {
    echo "segments: $*" >&2
    exit 1
}

# our_test NAME FOLDER: one of the two halves of broker/log/tests/kafka_segments.
our_test() {
    STRANDLINE_SEGMENTS="$2" cargo test --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" \
        --package strandline-log --test kafka_segments -- --ignored --exact "$1" >"$WORK_FOLDER/test.log" 2>&1
}

# dump WORDS…: what the tool prints, its errors included.
dump() {
    java -cp "$KAFKA_CLASSPATH" org.apache.kafka.tools.DumpLogSegments "$@" 2>&1 || fail "the dump tool failed"
}

# files FOLDER PATTERN: all files of that name, as the tool wants them.
files() {
    find "$1/data/logs" -name "$2" | sort | paste -sd,
}

# agrees FOLDER: whether the tool sees what was written there, and nothing wrong with it.
agrees() {
    dump --deep-iteration --files "$(files "$1" '*.*')" | sed "s|$1/|$WORK_FOLDER/ours/|" >"$1/dump.txt"
    python3 -B "$CONFORMANCE_FOLDER/segments/compare.py" "$WORK_FOLDER/ours/expected.txt" "$1/dump.txt"
}

# plant NAME FILE BYTE OFFSET: a copy of our segments with another byte in it, which has to be seen.
plant() {
    local copy="$WORK_FOLDER/planted-$1"
    cp -r "$WORK_FOLDER/ours" "$copy"
    printf "$3" | dd of="$copy/data/logs/00000/0000000000000001/00000000000000000000.$2" bs=1 seek="$4" conv=notrunc status=none
    ! agrees "$copy" 2>/dev/null || fail "the planted difference in the $1 was not seen"
}

mkdir "$WORK_FOLDER/ours" "$WORK_FOLDER/theirs"
our_test ours::write_segments_for_kafka "$WORK_FOLDER/ours" || { cat "$WORK_FOLDER/test.log" >&2; fail "nothing was written"; }
plant record log '\xff' 200
plant position index '\xff' 7
plant offset index '\x00' 3
plant timestamp timeindex '\x07' 7
plant transaction txnindex '\x07' 9
agrees "$WORK_FOLDER/ours" || fail "Kafka $KAFKA_VERSION sees something else in our segments than was written"
sane=$(dump --index-sanity-check --files "$(files "$WORK_FOLDER/ours" '*.*index')" | grep -cE ' (passed sanity check|is empty)\.$')
indexes=$(find "$WORK_FOLDER/ours/data/logs" -name '*.index' -o -name '*.timeindex' | wc -l)
((sane == indexes)) || fail "of $indexes indexes $sane are sane to Kafka"

java -cp "$KAFKA_CLASSPATH" "$CONFORMANCE_FOLDER/segments/KafkaSegments.java" "$WORK_FOLDER/theirs" || fail "Kafka wrote nothing"
# What compare.py puts up with, it puts up with because the tool says it of Kafka's segments too.
dump --deep-iteration --files "$(files "$WORK_FOLDER/theirs" '*.log')" | grep -q '^  -1 is followed by ' \
    || fail "the dump tool counts segments' first offsets right by now: take the exception from compare.py"
for word in record find time aborted; do
    planted="$WORK_FOLDER/planted-$word-answer"
    cp -r "$WORK_FOLDER/theirs" "$planted"
    # The last number of one answer in the middle, one more than it was.
    awk -v word="$word" '$1 == word && ++seen == 20 { $NF += 1 } { print }' "$WORK_FOLDER/theirs/kafka.txt" >"$planted/kafka.txt"
    ! our_test theirs::read_segments_of_kafka "$planted" || fail "the planted difference in a $word line was not seen"
done
our_test theirs::read_segments_of_kafka "$WORK_FOLDER/theirs" \
    || { cat "$WORK_FOLDER/test.log" >&2; fail "we see something else in segments of Kafka $KAFKA_VERSION than Kafka does"; }
