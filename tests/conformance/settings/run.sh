#!/usr/bin/env bash
# Compares the table of topic settings that our tests go by with Kafka's own: names, types, defaults, bounds.

source "$(dirname "$0")/../kafka.sh"
need java mvn diff

for artifact in kafka-clients kafka-server-common kafka-storage; do
    fetch_jar org.apache.kafka "$artifact" "$KAFKA_VERSION"
done
fetch_jar org.slf4j slf4j-api "$SLF4J_VERSION"
fetch_jar org.slf4j slf4j-nop "$SLF4J_VERSION"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/settings/KafkaSettings.java" >"$WORK_FOLDER/kafka.txt"
ours=$REPOSITORY_FOLDER/broker/state/src/settings/tests/kafka-topic-settings.txt

# A difference that is planted has to be seen.
if sed 's/|604800000|/|604800001|/' "$ours" | diff -q - "$WORK_FOLDER/kafka.txt" >/dev/null; then
    echo "settings: a planted difference was not seen" >&2
    exit 1
fi
diff "$ours" "$WORK_FOLDER/kafka.txt"
echo "settings: $(wc -l <"$ours") settings of topics are as Kafka $KAFKA_VERSION has them"
