# The Java client's story, by version. Sourced by its scripts, never run.

source "$CLIENTS_FOLDER/library/python.sh"

# java_story VERSION: compiles the driver against that version of kafka-clients, and plays the story with it.
java_story() {
    need java javac mvn
    local name="java-$1" driver="$CLIENTS_FOLDER/java-4/Driver.java" member="$CLIENTS_FOLDER/java-4/Member.java" path java
    path=$(classpath "$name" "org.apache.kafka:kafka-clients:$1" "org.slf4j:slf4j-nop:$SLF4J_VERSION" \
        "com.fasterxml.jackson.core:jackson-databind:$JACKSON_VERSION")
    once "$name-driver" "$driver" javac -nowarn -d "$INSTALL_FOLDER/$name" -cp "$path" "$driver"
    once "$name-member" "$member" javac -nowarn -d "$INSTALL_FOLDER/$name" -cp "$path" "$member"
    java="java -Xmx512m -XX:TieredStopAtLevel=1 -cp $INSTALL_FOLDER/$name:$path"
    story "$java Driver"
    group_story "$java Member"
}
