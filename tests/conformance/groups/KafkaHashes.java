import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataDelta;
import org.apache.kafka.coordinator.common.runtime.CoordinatorMetadataImage;
import org.apache.kafka.coordinator.group.Utils;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The hashes by which Kafka's coordinator notices that topics of a group changed, of some made-up clusters. */
public class KafkaHashes {
    record Topic(String name, Uuid id, int partitionCount, List<String> racks)
        implements CoordinatorMetadataImage.TopicMetadata {
        @Override
        public List<String> partitionRacks(int partition) {
            return new ArrayList<>(racks);
        }
    }

    record Image(Map<String, Topic> topics) implements CoordinatorMetadataImage {
        @Override
        public Set<Uuid> topicIds() {
            return Set.of();
        }

        @Override
        public Set<String> topicNames() {
            return topics.keySet();
        }

        @Override
        public Optional<TopicMetadata> topicMetadata(String name) {
            return Optional.ofNullable(topics.get(name));
        }

        @Override
        public Optional<TopicMetadata> topicMetadata(Uuid id) {
            return Optional.empty();
        }

        @Override
        public CoordinatorMetadataDelta emptyDelta() {
            return null;
        }

        @Override
        public long version() {
            return 0;
        }

        @Override
        public boolean isEmpty() {
            return topics.isEmpty();
        }
    }

    public static void main(String[] arguments) {
        List<String> none = List.of();
        Topic orders = new Topic("orders", new Uuid(1, 2), 3, none);
        Topic empty = new Topic("empty", new Uuid(-1, Long.MIN_VALUE), 0, none);
        Topic racks = new Topic("orders.by-rack_1", new Uuid(0x0123456789ABCDEFL, 0x76543210FEDCBA98L), 2,
            List.of("b", "a", "Zürich 1"));
        say("nothing");
        say("orders", orders);
        say("empty", empty);
        say("racks", racks);
        say("all", orders, empty, racks);
    }

    private static void say(String name, Topic... topics) {
        Map<String, Topic> byName = new HashMap<>();
        for (Topic topic : topics) {
            byName.put(topic.name(), topic);
        }
        Image image = new Image(byName);
        Map<String, Long> hashes = new TreeMap<>();
        byName.keySet().forEach(topic -> hashes.put(topic, Utils.computeTopicHash(topic, image)));
        System.out.println(name + " " + Utils.computeGroupHash(hashes));
    }
}
