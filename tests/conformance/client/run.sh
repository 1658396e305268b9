#!/usr/bin/env bash
# The client library, `strandline topic` and each `strandline bench` against a real Kafka broker: what they do has to
# be there for Kafka's own tools, and what they cannot do has to be said.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn python3

# The broker and Kafka's own tools, with all that they depend on.
cat >"$WORK_FOLDER/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>$SLF4J_VERSION</version></dependency>
  </dependencies>
</project>
POM
maven -f "$WORK_FOLDER/pom.xml" dependency:build-classpath -Dmdep.outputFile="$WORK_FOLDER/classpath"
KAFKA_CLASSPATH=$(<"$WORK_FOLDER/classpath")
export KAFKA_CLASSPATH

cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
cargo test --quiet --locked --no-run --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-client --test kafka
target_folder=${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}
python3 -B "$CONFORMANCE_FOLDER/client/check.py" "$target_folder/debug/strandline" "$WORK_FOLDER"
