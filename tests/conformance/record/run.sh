#!/usr/bin/env bash
# Records golden frames: real clients of six makers talk to a real Kafka broker through a proxy that listens in.
# Not for continuous integration: what it writes is committed, and protocol/tests/golden_clients.rs reads that.

source "$(dirname "$0")/../kafka.sh"
need go java mvn node npm python3

RECORD_FOLDER="$CONFORMANCE_FOLDER/record"
OUTPUT_FOLDER="$REPOSITORY_FOLDER/protocol/tests/golden/clients"

# The broker with all that it depends on.
cat >"$WORK_FOLDER/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>$SLF4J_VERSION</version></dependency>
  </dependencies>
</project>
POM
maven -f "$WORK_FOLDER/pom.xml" dependency:build-classpath -Dmdep.outputFile="$WORK_FOLDER/classpath"
KAFKA_CLASSPATH=$(<"$WORK_FOLDER/classpath")
export KAFKA_CLASSPATH

# The clients, built outside of the repository.
cp -r "$RECORD_FOLDER/clients" "$WORK_FOLDER/clients"
python3 -m venv "$WORK_FOLDER/venv"
"$WORK_FOLDER/venv/bin/pip" install --quiet --requirement "$WORK_FOLDER/clients/requirements.txt"
(cd "$WORK_FOLDER/clients" && npm install --silent --no-audit --no-fund >&2)
(cd "$WORK_FOLDER/clients/go" && go mod tidy >&2 && go build -o "$WORK_FOLDER/bin/" ./franz-go ./sarama)

# Each is called by the version that was really built; which one that is, stands with the clients.
python="$WORK_FOLDER/venv/bin/python"
librdkafka_version=$("$python" -c 'import confluent_kafka; print(confluent_kafka.libversion()[0])')
kafka_python_version=$("$python" -c 'import kafka; print(kafka.__version__)')
kafkajs_version=$(cd "$WORK_FOLDER/clients" && node -p 'require("kafkajs/package.json").version')
go_version() {
    (cd "$WORK_FOLDER/clients/go" && go list -m -f '{{.Version}}' "$1" | sed 's/^v//')
}

cat >"$WORK_FOLDER/clients.json" <<CLIENTS
[
  {"name": "java-$KAFKA_VERSION", "command": ["java", "-cp", "$KAFKA_CLASSPATH", "$WORK_FOLDER/clients/JavaClient.java"]},
  {"name": "librdkafka-$librdkafka_version", "command": ["$python", "$WORK_FOLDER/clients/librdkafka.py"]},
  {"name": "kafka-python-$kafka_python_version", "command": ["$python", "$WORK_FOLDER/clients/kafka_python.py"]},
  {"name": "kafkajs-$kafkajs_version", "command": ["node", "$WORK_FOLDER/clients/kafkajs.js"]},
  {"name": "franz-go-$(go_version github.com/twmb/franz-go)", "command": ["$WORK_FOLDER/bin/franz-go"]},
  {"name": "sarama-$(go_version github.com/IBM/sarama)", "command": ["$WORK_FOLDER/bin/sarama"]}
]
CLIENTS
mkdir -p "$OUTPUT_FOLDER"
PYTHONPATH="$CONFORMANCE_FOLDER" python3 -B "$RECORD_FOLDER/record.py" "$WORK_FOLDER/clients.json" "$WORK_FOLDER" "$OUTPUT_FOLDER"
