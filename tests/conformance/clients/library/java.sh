# The Java client's story, by version. Sourced by its scripts, never run.

source "$CLIENTS_FOLDER/library/python.sh"

# java_client VERSION: compiles driver and member against that version of kafka-clients, and prints how to start Java.
java_client() {
    need java javac mvn
    local name="java-$1" driver="$CLIENTS_FOLDER/java-4/Driver.java" member="$CLIENTS_FOLDER/java-4/Member.java" path
    path=$(classpath "$name" "org.apache.kafka:kafka-clients:$1" "org.slf4j:slf4j-nop:$SLF4J_VERSION" \
        "com.fasterxml.jackson.core:jackson-databind:$JACKSON_VERSION")
    once "$name-driver" "$driver" javac -nowarn -d "$INSTALL_FOLDER/$name" -cp "$path" "$driver"
    once "$name-member" "$member" javac -nowarn -d "$INSTALL_FOLDER/$name" -cp "$path" "$member"
    echo "java -Xmx512m -XX:TieredStopAtLevel=1 -cp $INSTALL_FOLDER/$name:$path"
}

# java_story VERSION: plays the stories with that version.
java_story() {
    local java
    java=$(java_client "$1")
    story "$java Driver"
    group_story "$java Member"
}
