// Prints every setting of a topic that Kafka has, or with "groups" those of consumer groups: name, type, default, bounds.

import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

public class KafkaSettings {
    public static void main(String[] arguments) {
        boolean isOfGroups = arguments.length > 0;
        ConfigDef settings = isOfGroups ? GroupConfig.CONFIG_DEF : LogConfig.configDefCopy();
        new TreeMap<>(settings.configKeys()).forEach((name, key) -> {
            if (isOfGroups && !name.startsWith("consumer.")) return;
            Object value = key.defaultValue instanceof java.util.List<?> list ? String.join(",", list.stream().map(Object::toString).toList()) : key.defaultValue;
            System.out.println(name + "|" + key.type + "|" + value + "|" + key.validator);
        });
    }
}
