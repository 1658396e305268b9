#!/usr/bin/env bash
# Compares the tables of topic and group settings that our tests go by with Kafka's own: names, types, defaults, bounds.

source "$(dirname "$0")/../kafka.sh"
need java mvn diff

for artifact in kafka-clients kafka-server-common kafka-storage kafka-group-coordinator kafka-group-coordinator-api \
    kafka-coordinator-common kafka-share-coordinator; do
    fetch_jar org.apache.kafka "$artifact" "$KAFKA_VERSION"
done
fetch_jar org.slf4j slf4j-api "$SLF4J_VERSION"
fetch_jar org.slf4j slf4j-nop "$SLF4J_VERSION"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/settings/KafkaSettings.java" >"$WORK_FOLDER/kafka.txt"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/settings/KafkaSettings.java" groups >"$WORK_FOLDER/groups.txt"
folder=$REPOSITORY_FOLDER/broker/state/src/settings/tests
ours=$folder/kafka-topic-settings.txt

# A difference that is planted has to be seen.
if sed 's/|604800000|/|604800001|/' "$ours" | diff -q - "$WORK_FOLDER/kafka.txt" >/dev/null; then
    echo "settings: a planted difference was not seen" >&2
    exit 1
fi
diff "$ours" "$WORK_FOLDER/kafka.txt"
diff "$folder/kafka-group-settings.txt" "$WORK_FOLDER/groups.txt"
echo "settings: $(wc -l <"$ours") settings of topics and $(wc -l <"$WORK_FOLDER/groups.txt") of consumer groups are as" \
    "Kafka $KAFKA_VERSION has them"
