import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka's own client, of version 3 or 4, writes transactions. */
public final class Driver {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final String broker;
    private final Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
    private final Set<String> opened = new HashSet<>();

    private Driver(String broker) {
        this.broker = broker;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Driver driver = new Driver(arguments[0]);
        output.println("{}");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            output.println(driver.answer(JSON.readTree(line)));
        }
        // Producers are not closed: that would end what is open.
        Runtime.getRuntime().halt(0);
    }

    private ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            switch (request.get("do").asText()) {
                case "init" -> init(request);
                case "send" -> send(request);
                default -> end(request);
            }
        } catch (Exception failure) {
            Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
            while (Errors.forException(cause) == Errors.UNKNOWN_SERVER_ERROR && cause.getCause() != null) {
                cause = cause.getCause();
            }
            answer.put("error", Errors.forException(cause).code()).put("text", failure.toString());
        }
        return answer;
    }

    private void init(JsonNode request) {
        KafkaProducer<String, String> producer = new KafkaProducer<>(Map.of(
            "bootstrap.servers", broker,
            "transactional.id", request.get("id").asText(),
            "transaction.timeout.ms", request.get("timeout_ms").asText(),
            "reconnect.backoff.max.ms", "500",
            "key.serializer", StringSerializer.class,
            "value.serializer", StringSerializer.class));
        producers.put(request.get("producer").asText(), producer);
        producer.initTransactions();
    }

    private void send(JsonNode request) throws Exception {
        String name = request.get("producer").asText();
        String topic = request.get("topic").asText();
        KafkaProducer<String, String> producer = producers.get(name);
        if (opened.add(name)) {
            producer.beginTransaction();
        }
        List<Future<?>> sent = new ArrayList<>();
        for (JsonNode record : request.get("records")) {
            sent.add(producer.send(new ProducerRecord<>(topic, record.get(0).asInt(), null, record.get(1).asText())));
        }
        producer.flush();
        for (Future<?> one : sent) {
            one.get();
        }
        if (request.hasNonNull("group")) {
            Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
            for (JsonNode position : request.get("positions")) {
                positions.put(
                    new TopicPartition(topic, position.get(0).asInt()), new OffsetAndMetadata(position.get(1).asLong()));
            }
            producer.sendOffsetsToTransaction(positions, new ConsumerGroupMetadata(request.get("group").asText()));
        }
    }

    private void end(JsonNode request) {
        String name = request.get("producer").asText();
        opened.remove(name);
        if (request.get("commit").asBoolean()) {
            producers.get(name).commitTransaction();
        } else {
            producers.get(name).abortTransaction();
        }
    }
}
