#!/usr/bin/env bash
# usage: tests/conformance/transactions/run.sh [strandline | confluent-kafka | java-4 | java-3 | franz-go | kafka-transactions]…
source "$(dirname "${BASH_SOURCE[0]}")/../clients/library/client.sh"
source "$CLIENTS_FOLDER/library/python.sh"
source "$CLIENTS_FOLDER/library/go.sh"

TRANSACTIONS_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prepare_broker
python=$(python_driver confluent-kafka)
python=${python%% *}
export PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library:$TRANSACTIONS_FOLDER"

# java_driver VERSION: compiles the driver against that version of kafka-clients, and prints its command.
java_driver() {
    need java javac mvn
    local name="java-$1" driver="$TRANSACTIONS_FOLDER/Driver.java" path
    path=$(classpath "$name" "org.apache.kafka:kafka-clients:$1" "org.slf4j:slf4j-nop:$SLF4J_VERSION" \
        "com.fasterxml.jackson.core:jackson-databind:$JACKSON_VERSION")
    once "$name-transactions" "$driver" javac -nowarn -d "$INSTALL_FOLDER/$name-transactions" -cp "$path" "$driver"
    echo "java -Xmx256m -XX:TieredStopAtLevel=1 -cp $INSTALL_FOLDER/$name-transactions:$path Driver"
}

play() {
    case $1 in
    strandline)
        need cargo
        cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-client --example transactions
        driver="${CARGO_TARGET_DIR:-$REPOSITORY_FOLDER/target}/debug/examples/transactions"
        ;;
    confluent-kafka) driver="$python -B $TRANSACTIONS_FOLDER/driver.py" ;;
    java-4) driver=$(java_driver "$KAFKA_VERSION") ;;
    java-3) driver=$(java_driver 3.9.1) ;;
    franz-go) driver=$(go_driver franz-go-transactions) ;;
    kafka-transactions)
        need java mvn
        TOOLS_CLASSPATH=$(classpath kafka-tools "org.apache.kafka:kafka-tools:$KAFKA_VERSION" "org.slf4j:slf4j-nop:$SLF4J_VERSION")
        export TOOLS_CLASSPATH
        mkdir "$WORK_FOLDER/$1"
        "$python" -B "$TRANSACTIONS_FOLDER/tools.py" "$WORK_FOLDER/$1"
        return
        ;;
    *) echo "no client is called $1" >&2; exit 2 ;;
    esac
    mkdir "$WORK_FOLDER/$1"
    "$python" -B "$TRANSACTIONS_FOLDER/story.py" "$WORK_FOLDER/$1" "$driver"
}

[[ $# -gt 0 ]] || set -- strandline confluent-kafka java-4 java-3 franz-go kafka-transactions
for client in "$@"; do
    play "$client" || { echo "transactions of $client: failed" >&2; exit 1; }
    echo "transactions of $client: as Kafka has it"
done
