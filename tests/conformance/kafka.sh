# What the scripts of this folder share: tools that must be there, and Kafka's own jars. Sourced, never run.
# A script that cannot do its work fails; none of them ever skips.

set -euo pipefail

KAFKA_VERSION=4.3.1
KAFKA_3_VERSION=3.9.1
JACKSON_VERSION=2.21.2
JACKSON_ANNOTATIONS_VERSION=2.21
HASH4J_VERSION=0.22.0
RE2J_VERSION=1.8
SLF4J_VERSION=1.7.36
SNAPPY_VERSION=1.1.10.7
LZ4_VERSION=1.10.2
ZSTD_VERSION=1.5.6-10
CONFORMANCE_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPOSITORY_FOLDER=$(cd "$CONFORMANCE_FOLDER/../.." && pwd)
WORK_FOLDER=$(mktemp -d)
trap 'rm -rf "$WORK_FOLDER"' EXIT

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "this check needs $tool, which is not installed" >&2; exit 2; }
    done
}

# What a release may have, as it is built and given to people.
RELEASE_BYTES_MAX=$((15 << 20))

# The binary that is measured, in STRANDLINE: what that names already, or a release that is built.
prepare_release() {
    local bytes
    if [[ -z ${STRANDLINE:-} ]]; then
        need cargo
        cargo build --quiet --release --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline
        STRANDLINE="$REPOSITORY_FOLDER/target/release/strandline"
        bytes=$(stat --format=%s "$STRANDLINE")
        ((bytes <= RELEASE_BYTES_MAX)) || { echo "the release has $bytes bytes, more than $RELEASE_BYTES_MAX" >&2; exit 1; }
    fi
    export STRANDLINE
}

# maven WORDS…: shows what Maven says only if it fails.
maven() {
    mvn -q -B "$@" >"$WORK_FOLDER/maven.log" 2>&1 || { cat "$WORK_FOLDER/maven.log" >&2; exit 2; }
}

# fetch_jar GROUP ARTIFACT VERSION: one jar of Maven Central, by name, into the work folder.
fetch_jar() {
    maven dependency:copy -Dartifact="$1:$2:$3" -DoutputDirectory="$WORK_FOLDER/jars"
    [[ -s "$WORK_FOLDER/jars/$2-$3.jar" ]] || { echo "Maven did not deliver $1:$2:$3" >&2; exit 2; }
}

# The jars that hold Kafka's message definitions and the classes generated from them.
fetch_message_jars() {
    local artifact
    for artifact in kafka-clients kafka-group-coordinator kafka-transaction-coordinator; do
        fetch_jar org.apache.kafka "$artifact" "$KAFKA_VERSION"
    done
}

# strandline WORDS…: our own command line, built when it is not.
strandline() {
    cargo run --quiet --locked --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline -- "$@"
}
