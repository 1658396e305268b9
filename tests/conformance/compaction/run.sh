#!/usr/bin/env bash
# Random logs that Kafka's own cleaner has compacted, round by round: of the same rounds ours has to leave the same.

source "$(dirname "$0")/../kafka.sh"
need cargo java javac mvn

LOGS=40

cat >"$WORK_FOLDER/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>compaction</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-storage</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>$SLF4J_VERSION</version></dependency>
  </dependencies>
</project>
POM
maven -f "$WORK_FOLDER/pom.xml" dependency:build-classpath -Dmdep.outputFile="$WORK_FOLDER/classpath"
KAFKA_CLASSPATH=$(<"$WORK_FOLDER/classpath")

fail() {
    echo "compaction: $*" >&2
    exit 1
}

# agrees FOLDER: whether we leave of each round in there what Kafka left.
agrees() {
    STRANDLINE_COMPACTION="$1" cargo test --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" \
        --package strandline-log --test kafka_compaction -- --ignored >"$WORK_FOLDER/test.log" 2>&1
}

# plant NAME COMMAND…: a copy in which one thing is different, which has to be seen.
plant() {
    local copy="$WORK_FOLDER/planted-$1"
    cp -r "$WORK_FOLDER/logs" "$copy"
    (cd "$copy" && "${@:2}")
    ! agrees "$copy" || fail "the planted $1 was not seen"
}

mkdir "$WORK_FOLDER/logs" "$WORK_FOLDER/classes"
javac -cp "$KAFKA_CLASSPATH" -d "$WORK_FOLDER/classes" "$CONFORMANCE_FOLDER/compaction/KafkaCompaction.java"
java -cp "$WORK_FOLDER/classes:$KAFKA_CLASSPATH" KafkaCompaction "$WORK_FOLDER/logs" "$LOGS" >"$WORK_FOLDER/kafka.log" 2>&1 \
    || { cat "$WORK_FOLDER/kafka.log" >&2; fail "Kafka compacted nothing"; }
plant time sed -i '1s/^round 1700/round 1701/' 7/3/facts.txt
plant producer find . -name facts.txt -exec sed -i '/^producer/d' {} +
plant byte truncate -s -1 9/5/after.bin
agrees "$WORK_FOLDER/logs" || { cut -c1-2000 "$WORK_FOLDER/test.log" >&2; fail "we leave something else than Kafka $KAFKA_VERSION"; }
