import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own client, of version 3 or 4, does what the story asks. */
public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long CONSUME_MS = 60_000;
    private static final String HELLO = """
        {"commands": ["create", "grow", "describe", "list", "delete", "delete_records", "offsets", "produce", "consume"],
         "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"], "idempotent": true,
         "differs": {"produce to a topic that is not there": 7}}""".replaceAll("\\s+", " ");

    private final String broker;
    private final Admin admin;
    private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();

    private Driver(String broker) {
        this.broker = broker;
        this.admin = Admin.create(settings(Map.of()));
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Driver driver = new Driver(arguments[0]);
        output.println(HELLO);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(driver.answer(JSON.readTree(line)));
        }
        driver.producers.values().forEach(KafkaProducer::close);
        driver.admin.close();
    }

    private ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            run(request, answer);
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            // The consumer has exceptions of its own, which Kafka's table of errors does not know.
            Errors known = cause instanceof OffsetOutOfRangeException ? Errors.OFFSET_OUT_OF_RANGE : Errors.forException(cause);
            answer.put("error", (int) known.code()).put("text", cause.toString());
        }
        return answer;
    }

    private void run(JsonNode request, ObjectNode answer) throws Exception {
        String topic = request.path("topic").asText();
        TopicPartition place = new TopicPartition(topic, request.path("partition").asInt());
        switch (request.get("do").asText()) {
            case "create" -> {
                Map<String, String> settings = JSON.convertValue(request.path("settings"), Map.class);
                short replicas = (short) request.path("replicas").asInt(1);
                NewTopic created = new NewTopic(topic, request.get("partitions").asInt(), replicas);
                admin.createTopics(List.of(created.configs(settings == null ? Map.of() : settings))).all().get();
            }
            case "grow" -> admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(request.get("partitions").asInt()))).all().get();
            case "describe" -> {
                for (TopicPartitionInfo each : admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions()) {
                    ObjectNode partition = answer.withArray("partitions").addObject();
                    partition.put("partition", each.partition()).put("leader", each.leader().id());
                    each.replicas().forEach((Node node) -> partition.withArray("replicas").add(node.id()));
                    each.isr().forEach((Node node) -> partition.withArray("isr").add(node.id()));
                }
            }
            case "list" -> {
                answer.putArray("topics");
                admin.listTopics().names().get().forEach(answer.withArray("topics")::add);
            }
            case "delete" -> admin.deleteTopics(List.of(topic)).all().get();
            case "delete_records" ->
                admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(request.get("offset").asLong()))).all().get();
            case "offsets" -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
                    answer.put("earliest", consumer.beginningOffsets(List.of(place)).get(place));
                    answer.put("latest", consumer.endOffsets(List.of(place)).get(place));
                }
            }
            case "produce" -> produce(request, answer);
            case "consume" -> consume(request, place, answer);
            default -> throw new IllegalArgumentException(request.toString());
        }
    }

    private void produce(JsonNode request, ObjectNode answer) throws Exception {
        KafkaProducer<byte[], byte[]> producer = producer(request);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode each : request.get("records")) {
            List<Header> headers = new ArrayList<>();
            each.get("headers").forEach(header -> headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1)))));
            sent.add(producer.send(new ProducerRecord<>(
                request.get("topic").asText(), request.get("partition").asInt(), each.get("timestamp").asLong(),
                bytes(each.get("key")), bytes(each.get("value")), headers)));
        }
        producer.flush();
        for (Future<RecordMetadata> each : sent) {
            answer.withArray("offsets").add(each.get().offset());
        }
    }

    /** Producers are kept: they have to live through the broker's restarts. */
    private KafkaProducer<byte[], byte[]> producer(JsonNode request) {
        Map<String, Object> settings = Map.of(
            "compression.type", request.get("compression").asText(),
            "acks", request.get("acks").asText(),
            "enable.idempotence", request.get("idempotent").asText(),
            "linger.ms", "20", "batch.size", "100000", "max.block.ms", "10000");
        return producers.computeIfAbsent(settings.toString(),
            key -> new KafkaProducer<>(settings(settings), new ByteArraySerializer(), new ByteArraySerializer()));
    }

    private void consume(JsonNode request, TopicPartition place, ObjectNode answer) throws Exception {
        Map<String, Object> settings = new HashMap<>();
        settings.put("isolation.level", request.path("isolation").asText("read_uncommitted"));
        if (request.path("narrow").asBoolean()) {
            settings.putAll(Map.of("max.partition.fetch.bytes", "1", "fetch.max.bytes", "1"));
        }
        int count = request.get("count").asInt();
        answer.putArray("records");
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(settings)) {
            consumer.assign(List.of(place));
            seek(consumer, place, request.get("from"));
            if (request.has("then")) {
                produce(request.get("then"), JSON.createObjectNode());
            }
            long deadline_ms = System.currentTimeMillis() + CONSUME_MS;
            while (answer.get("records").size() < count && System.currentTimeMillis() < deadline_ms) {
                consumer.poll(POLL).forEach(record -> write(record, answer.withArray("records").addObject()));
            }
        }
    }

    private static void seek(KafkaConsumer<byte[], byte[]> consumer, TopicPartition place, JsonNode from) {
        if (from.has("offset")) {
            consumer.seek(place, from.get("offset").asLong());
        } else if (from.has("time")) {
            consumer.seek(place, consumer.offsetsForTimes(Map.of(place, from.get("time").asLong())).get(place).offset());
        } else if (from.asText().equals("latest")) {
            consumer.seekToEnd(List.of(place));
            consumer.position(place);
        } else {
            consumer.seekToBeginning(List.of(place));
        }
    }

    private static void write(ConsumerRecord<byte[], byte[]> record, ObjectNode written) {
        written.put("offset", record.offset()).put("timestamp", record.timestamp());
        written.put("key", text(record.key())).put("value", text(record.value())).putArray("headers");
        for (Header header : record.headers()) {
            written.withArray("headers").addArray().add(header.key()).add(text(header.value()));
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Map<String, Object> settings = settings(more);
        settings.put("auto.offset.reset", "none");
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> settings(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", broker);
        return settings;
    }

    private static byte[] bytes(JsonNode text) {
        return text.isNull() ? null : text.asText().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
