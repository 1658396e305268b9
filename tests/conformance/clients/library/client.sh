# What the clients' scripts share: where they install to, and the story that they all go through. Sourced, never run.
#
# BROKER says which broker that is: strandline (the default), or kafka (and kafka-3, the last of version 3), which shows
# that what the story expects is what Kafka does. STRANDLINE may name a built binary; without it one is built.

source "$(dirname "${BASH_SOURCE[0]}")/../../kafka.sh"
need flock python3

export BROKER=${BROKER:-strandline}
CLIENTS_FOLDER="$CONFORMANCE_FOLDER/clients"
CLIENT_FOLDER=$(cd "$(dirname "$0")" && pwd)
CLIENT=$(basename "$CLIENT_FOLDER")
# Kept from run to run; what is installed is renewed when the file that names it changes.
INSTALL_FOLDER="$REPOSITORY_FOLDER/target/conformance"
mkdir -p "$INSTALL_FOLDER"

# once NAME FILE COMMAND…: runs it unless it has been run to its end with the same file; no two scripts at once.
once() {
    local stamp="$INSTALL_FOLDER/$1.stamp" file=$2
    (
        flock 9
        cmp -s "$file" "$stamp" || { "${@:3}" >"$WORK_FOLDER/install.log" 2>&1 && cp "$file" "$stamp"; } \
            || { cat "$WORK_FOLDER/install.log" >&2; echo "$CLIENT: could not be installed" >&2; exit 2; }
    ) 9>"$INSTALL_FOLDER/$1.lock"
}

# classpath NAME GROUP:ARTIFACT:VERSION…: prints the class path of these with all that they depend on.
classpath() {
    local pom="$WORK_FOLDER/$1.xml" name=$1 artifact
    {
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo "<groupId>local</groupId><artifactId>$name</artifactId><version>1</version><dependencies>"
        for artifact in "${@:2}"; do
            IFS=: read -r group id version <<<"$artifact"
            echo "<dependency><groupId>$group</groupId><artifactId>$id</artifactId><version>$version</version></dependency>"
        done
        echo '</dependencies></project>'
    } >"$pom"
    # One at a time: Maven's folder of artifacts is not made for more.
    (
        flock 9
        once "$name" "$pom" mvn -q -B -f "$pom" dependency:build-classpath -Dmdep.outputFile="$INSTALL_FOLDER/$name.classpath"
    ) 9>"$INSTALL_FOLDER/maven.lock"
    cat "$INSTALL_FOLDER/$name.classpath"
}

# prepare_broker: the one that BROKER names, ready to be started by library/broker.py.
prepare_broker() {
    case $BROKER in
    kafka)
        need java mvn
        KAFKA_CLASSPATH=$(classpath kafka "org.apache.kafka:kafka_2.13:$KAFKA_VERSION" "org.slf4j:slf4j-simple:$SLF4J_VERSION")
        export KAFKA_CLASSPATH
        ;;
    kafka-3)
        need java mvn
        KAFKA_CLASSPATH=$(classpath kafka-3 "org.apache.kafka:kafka_2.13:$KAFKA_3_VERSION" "org.slf4j:slf4j-simple:$SLF4J_VERSION")
        export KAFKA_CLASSPATH
        ;;
    strandline)
        if [[ -z ${STRANDLINE:-} ]]; then
            need cargo
            cargo build --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
            STRANDLINE="$REPOSITORY_FOLDER/target/debug/strandline"
        fi
        export STRANDLINE
        ;;
    *) echo "BROKER must be kafka, kafka-3 or strandline, not $BROKER" >&2; exit 2 ;;
    esac
}

# play FILE WORDS…: runs a Python program of the suite against a broker.
play() {
    prepare_broker
    PYTHONPATH="$CONFORMANCE_FOLDER:$CLIENTS_FOLDER/library" python3 -B "$@" || { echo "$CLIENT: failed" >&2; exit 1; }
    echo "$CLIENT: as Kafka has it"
}

# story COMMAND [HELPER]: the story of all, with this driver, and a helper for what it cannot do.
story() {
    play "$CLIENTS_FOLDER/library/story.py" "$CLIENTS_FOLDER/cases.json" "$WORK_FOLDER" "$@"
}

# exchange COMMAND OTHER…: what this driver compresses, read by each of the others, and theirs by this one.
exchange() {
    play "$CLIENTS_FOLDER/library/exchange.py" "$CLIENTS_FOLDER/cases.json" "$(mktemp -d -p "$WORK_FOLDER")" "$@"
}

# group_story MEMBER [OTHER]: the story of a group, with this program as a member beside another, or one of librdkafka.
group_story() {
    local helper
    helper=$(python_driver confluent-kafka)
    play "$CLIENTS_FOLDER/library/group_story.py" "$(mktemp -d -p "$WORK_FOLDER")" "$helper" "${2:-$(python_member confluent-kafka)}" "$1"
}
