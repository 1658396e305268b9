import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A short life of Kafka's own client: admin, producer, transaction, both kinds of consumer group. */
public final class JavaClient {
    private static final String TOPIC = "golden-java";
    private static String broker;

    public static void main(String[] arguments) throws Exception {
        broker = arguments[0];
        try (Admin admin = Admin.create(properties(Map.of("client.id", "golden-java-admin")))) {
            NewTopic topic = new NewTopic(TOPIC, 2, (short) 1).configs(Map.of("retention.ms", "3600000"));
            admin.createTopics(List.of(topic)).all().get();
            admin.describeTopics(List.of(TOPIC)).allTopicNames().get();
            admin.describeConfigs(List.of(new ConfigResource(ConfigResource.Type.TOPIC, TOPIC))).all().get();
            admin.describeCluster().nodes().get();
            produce();
            consume("classic", Map.of("group.protocol", "classic", "heartbeat.interval.ms", "300"));
            consume("new", Map.of("group.protocol", "consumer"));
            copyInTransaction();
            admin.deleteTopics(List.of(TOPIC)).all().get();
        }
    }

    private static Properties properties(Map<String, String> more) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", broker);
        properties.putAll(more);
        return properties;
    }

    private static KafkaProducer<String, String> producer(Map<String, String> more) {
        return new KafkaProducer<>(properties(more), new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String group, Map<String, String> more) {
        Properties properties = properties(more);
        properties.put("group.id", "golden-java-" + group);
        properties.put("client.id", "golden-java-consumer");
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    private static void produce() throws Exception {
        try (KafkaProducer<String, String> producer = producer(Map.of("client.id", "golden-java-producer"))) {
            ProducerRecord<String, String> record = new ProducerRecord<>(TOPIC, 0, "key", "value");
            record.headers().add("header", new byte[] {1}).add("header", new byte[] {2});
            producer.send(record).get();
        }
    }

    private static void consume(String group, Map<String, String> more) {
        try (KafkaConsumer<String, String> consumer = consumer(group, more)) {
            consumer.subscribe(List.of(TOPIC));
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(1));
            while (records.isEmpty()) {
                records = consumer.poll(Duration.ofSeconds(1));
            }
            consumer.commitSync();
            consumer.endOffsets(consumer.assignment());
            consumer.poll(Duration.ofSeconds(1));
        }
    }

    private static void copyInTransaction() {
        Map<String, String> transactional = Map.of("transactional.id", "golden-java-transaction", "client.id", "golden-java-transactional");
        try (KafkaProducer<String, String> producer = producer(transactional);
             KafkaConsumer<String, String> consumer = consumer("copy", Map.of("isolation.level", "read_committed", "group.protocol", "classic"))) {
            TopicPartition partition = new TopicPartition(TOPIC, 0);
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(TOPIC, 1, "key", "aborted"));
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(TOPIC, 1, "key", "copied"));
            producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(1)), consumer.groupMetadata());
            producer.commitTransaction();
            consumer.assign(List.of(new TopicPartition(TOPIC, 1)));
            while (consumer.poll(Duration.ofSeconds(1)).isEmpty()) {
                // The markers take a moment.
            }
        }
    }
}
