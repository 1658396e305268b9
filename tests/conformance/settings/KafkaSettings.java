// Prints every setting of a topic that Kafka has: name, type, default, bounds.

import java.util.TreeMap;
import org.apache.kafka.storage.internals.log.LogConfig;

public class KafkaSettings {
    public static void main(String[] arguments) {
        new TreeMap<>(LogConfig.configDefCopy().configKeys()).forEach((name, key) -> {
            Object value = key.defaultValue instanceof java.util.List<?> list ? String.join(",", list.stream().map(Object::toString).toList()) : key.defaultValue;
            System.out.println(name + "|" + key.type + "|" + value + "|" + key.validator);
        });
    }
}
