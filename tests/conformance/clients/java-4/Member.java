import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A member of a group, by Kafka's own client. */
public class Member {
    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static final Set<Integer> held = new TreeSet<>();
    /** Where it has come to, and has not committed. */
    private static final Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();

    private static void assigned() {
        say("{\"assigned\": [" + held.stream().map(each -> "" + each).collect(Collectors.joining(", ")) + "]}");
    }

    /** By what it is decided who gets what: a rule of the members, or the broker's with `consumer`. */
    private static final String RULE = System.getenv().getOrDefault("ASSIGNOR", "range");

    /** Kafka's class of the rule that ASSIGNOR names. */
    private static String assignor() {
        return "org.apache.kafka.clients.consumer." + switch (RULE) {
            case "range" -> "RangeAssignor";
            case "roundrobin" -> "RoundRobinAssignor";
            case "sticky" -> "StickyAssignor";
            case "cooperative-sticky" -> "CooperativeStickyAssignor";
            default -> throw new IllegalArgumentException("no such rule");
        };
    }

    public static void main(String[] words) throws Exception {
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", words[0], "group.id", words[1], "enable.auto.commit", false, "auto.offset.reset", "earliest",
            "metadata.max.age.ms", 2000));
        if (RULE.equals("consumer")) {
            settings.put("group.protocol", "consumer");
        } else {
            settings.putAll(Map.of(
                "session.timeout.ms", 10000, "heartbeat.interval.ms", 500, "partition.assignment.strategy", assignor()));
        }
        AtomicBoolean over = new AtomicBoolean();
        Thread listener = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (java.io.IOException ended) {
                // Nobody listens.
            }
            over.set(true);
        });
        listener.setDaemon(true);
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(words[2]), new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                    partitions.forEach(each -> held.add(each.partition()));
                    assigned();
                }

                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    partitions.forEach(each -> held.remove(each.partition()));
                    // What was not committed of these is read again by whoever has them next.
                    ends.keySet().removeAll(partitions);
                    assigned();
                }
            });
            listener.start();
            while (!over.get()) {
                for (var each : consumer.poll(Duration.ofMillis(200))) {
                    say("{\"record\": [" + each.partition() + ", " + each.offset() + "]}");
                    ends.put(new TopicPartition(each.topic(), each.partition()), new OffsetAndMetadata(each.offset() + 1));
                }
                if (ends.isEmpty()) {
                    continue;
                }
                try {
                    consumer.commitSync(ends);
                } catch (KafkaException refused) {
                    // The group is about to change: it is tried again.
                    continue;
                }
                for (var each : ends.entrySet()) {
                    say("{\"committed\": [[" + each.getKey().partition() + ", " + each.getValue().offset() + "]]}");
                }
                ends.clear();
            }
        }
    }
}
