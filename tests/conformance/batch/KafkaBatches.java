import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.KRaftVersionRecord;
import org.apache.kafka.common.message.LeaderChangeMessage;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/**
 * Kafka's own classes for record batches, in two roles.
 *
 * <p>"golden" prints batches that they write, for our tests to read: a name and the bytes on each line. "check FILE"
 * reads batches that we wrote, as lines of JSON that say what is in them, and compares that with what Kafka sees.
 */
public final class KafkaBatches {
    private static final HexFormat HEX = HexFormat.of();
    private static final long NOW = 1_700_000_000_000L;
    // Enough to see what is wrong.
    private static final int SHOWN_MAX = 20;

    public static void main(String[] arguments) throws IOException {
        if (arguments[0].equals("golden")) {
            golden();
        } else {
            System.exit(new KafkaBatches().check(Path.of(arguments[1])) ? 0 : 1);
        }
    }

    private static void golden() {
        print("plain", builder(Compression.NONE, 0, plain()));
        print("gzip", builder(Compression.gzip().build(), 0, plain()));
        print("snappy", builder(Compression.snappy().build(), 0, plain()));
        print("lz4", builder(Compression.lz4().build(), 0, plain()));
        print("zstd", builder(Compression.zstd().build(), 0, plain()));
        print("placed", builder(Compression.NONE, 1000, settings -> settings.leaderEpoch = 7));
        print("idempotent", builder(Compression.NONE, 0, KafkaBatches::producer));
        print("transactional", builder(Compression.NONE, 0, settings -> {
            producer(settings);
            settings.transactional = true;
        }));
        print("append-time", builder(Compression.NONE, 0, settings -> settings.appendTime = NOW + 1_000));
        print("delete-horizon", builder(Compression.NONE, 0, settings -> settings.deleteHorizon = NOW + 60_000));
        gaps();
        patched();
        emptied();
        control();
    }

    private static final class Settings {
        private int leaderEpoch = RecordBatch.NO_PARTITION_LEADER_EPOCH;
        private long producerId = RecordBatch.NO_PRODUCER_ID;
        private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
        private int baseSequence = RecordBatch.NO_SEQUENCE;
        private boolean transactional;
        private long appendTime = RecordBatch.NO_TIMESTAMP;
        private long deleteHorizon = RecordBatch.NO_TIMESTAMP;
    }

    private static Consumer<Settings> plain() {
        return settings -> { };
    }

    private static void producer(Settings settings) {
        settings.producerId = 4711;
        settings.producerEpoch = 3;
        settings.baseSequence = Integer.MAX_VALUE - 1;
    }

    /** The three records that most of the golden batches hold. */
    private static MemoryRecords builder(Compression compression, long baseOffset, Consumer<Settings> change) {
        Settings settings = new Settings();
        change.accept(settings);
        TimestampType type = settings.appendTime == RecordBatch.NO_TIMESTAMP
            ? TimestampType.CREATE_TIME : TimestampType.LOG_APPEND_TIME;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1024),
            RecordBatch.MAGIC_VALUE_V2, compression, type, baseOffset, settings.appendTime, settings.producerId,
            settings.producerEpoch, settings.baseSequence, settings.transactional, false, settings.leaderEpoch, 1024,
            settings.deleteHorizon);
        builder.append(NOW, null, bytes("value"));
        Header[] headers = {header("h", bytes("1")), header("h", null), header("é", bytes("")), header("h", bytes("1"))};
        builder.append(NOW + 5, bytes("key"), null, headers);
        builder.append(NOW - 300, bytes(""), "long ".repeat(40).getBytes(StandardCharsets.UTF_8), new Header[0]);
        return builder.build();
    }

    private static void gaps() {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1024), RecordBatch.MAGIC_VALUE_V2,
            Compression.NONE, TimestampType.CREATE_TIME, 50L);
        builder.appendWithOffset(52, -1L, bytes("a"), bytes("1"));
        builder.appendWithOffset(55, -1L, bytes("b"), bytes("2"));
        builder.overrideLastOffset(59);
        print("gaps", builder.build());
    }

    /** What a leader does to the plain batch: its place, then the time of the append, then a better max timestamp. */
    private static void patched() {
        MemoryRecords records = builder(Compression.NONE, 0, plain());
        MutableRecordBatch batch = records.batches().iterator().next();
        batch.setLastOffset(1_002);
        batch.setPartitionLeaderEpoch(7);
        print("assigned", records);
        batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, NOW + 9_999);
        print("assigned-append-time", records);
        batch.setMaxTimestamp(TimestampType.CREATE_TIME, NOW + 6);
        print("assigned-max-timestamp", records);
    }

    /** What compaction leaves of the transactional batch when no record is left. */
    private static void emptied() {
        ByteBuffer buffer = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, 4711, (short) 3, Integer.MAX_VALUE - 1,
            0, 2, RecordBatch.NO_PARTITION_LEADER_EPOCH, TimestampType.CREATE_TIME, NOW + 5, true, false);
        buffer.flip();
        print("emptied", MemoryRecords.readableRecords(buffer));
    }

    private static void control() {
        for (ControlRecordType type : List.of(ControlRecordType.ABORT, ControlRecordType.COMMIT)) {
            EndTransactionMarker marker = new EndTransactionMarker(type, 12);
            print(type.name().toLowerCase() + "-marker",
                MemoryRecords.withEndTransactionMarker(77, NOW, 7, 4711, (short) 3, marker));
        }
        Uuid directory = new Uuid(0x0102030405060708L, 0x090A0B0C0D0E0F10L);
        var voter = new LeaderChangeMessage.Voter().setVoterId(2);
        var change = new LeaderChangeMessage().setVersion((short) 0).setLeaderId(1)
            .setVoters(List.of(voter)).setGrantingVoters(List.of(voter.duplicate()));
        print("leader-change", MemoryRecords.withLeaderChangeMessage(77, NOW, 7, room(), change));
        print("snapshot-header", MemoryRecords.withSnapshotHeaderRecord(77, NOW, 7, room(),
            new SnapshotHeaderRecord().setVersion((short) 0).setLastContainedLogTimestamp(NOW - 1)));
        print("snapshot-footer", MemoryRecords.withSnapshotFooterRecord(77, NOW, 7, room(),
            new SnapshotFooterRecord().setVersion((short) 0)));
        print("kraft-version", MemoryRecords.withKRaftVersionRecord(77, NOW, 7, room(),
            new KRaftVersionRecord().setVersion((short) 0).setKRaftVersion((short) 1)));
        VotersRecord.EndpointCollection endpoints = new VotersRecord.EndpointCollection();
        endpoints.add(new VotersRecord.Endpoint().setName("CONTROLLER").setHost("tide").setPort(9093));
        var registered = new VotersRecord.Voter().setVoterId(2).setVoterDirectoryId(directory).setEndpoints(endpoints)
            .setKRaftVersionFeature(new VotersRecord.KRaftVersionFeature().setMaxSupportedVersion((short) 1));
        print("kraft-voters", MemoryRecords.withVotersRecord(77, NOW, 7, room(),
            new VotersRecord().setVersion((short) 0).setVoters(List.of(registered))));
    }

    private static ByteBuffer room() {
        return ByteBuffer.allocate(1024);
    }

    private static void print(String name, MemoryRecords records) {
        ByteBuffer buffer = records.buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        System.out.println(name + " " + HEX.formatHex(bytes));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Header header(String key, byte[] value) {
        return new RecordHeader(key, value);
    }

    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Integer> counts = new TreeMap<>();
    private int differences;

    private boolean check(Path file) throws IOException {
        JsonNode last = null;
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode sample = json.readTree(line);
                String difference = difference(sample);
                if (difference != null && ++differences <= SHOWN_MAX) {
                    System.out.println(difference);
                }
                String kind = sample.get("control").booleanValue() ? "control" : sample.get("compression").textValue();
                counts.merge(kind, 1, Integer::sum);
                boolean telling = kind.equals("none") && !sample.get("records").isEmpty();
                last = telling ? sample : last;
            }
        }
        seesPlantedDifferences(last);
        for (CompressionType type : CompressionType.values()) {
            if (!counts.containsKey(type.name)) {
                differences++;
                System.out.println("no batch with " + type.name + " was compared");
            }
        }
        System.out.printf("batch: %s batches; %d differences%n", counts, differences);
        return differences == 0;
    }

    /** What Kafka sees otherwise than we do, or null. */
    private String difference(JsonNode sample) throws IOException {
        ObjectNode ours = sample.deepCopy();
        String bytes = ours.remove("bytes").textValue();
        JsonNode theirs;
        try {
            theirs = seen(ByteBuffer.wrap(HEX.parseHex(bytes)));
        } catch (RuntimeException refused) {
            return "Kafka refuses " + bytes + ": " + refused;
        }
        return ours.equals(theirs) ? null : "we wrote " + ours + "\nKafka sees " + theirs;
    }

    private JsonNode seen(ByteBuffer bytes) throws IOException {
        Iterator<MutableRecordBatch> batches = MemoryRecords.readableRecords(bytes).batches().iterator();
        RecordBatch batch = batches.next();
        if (batches.hasNext() || batch.sizeInBytes() != bytes.capacity()) {
            throw new IllegalStateException("not exactly one batch");
        }
        batch.ensureValid();
        ObjectNode seen = json.createObjectNode()
            .put("baseOffset", batch.baseOffset())
            .put("lastOffset", batch.lastOffset())
            .put("partitionLeaderEpoch", batch.partitionLeaderEpoch())
            .put("producerId", batch.producerId())
            .put("producerEpoch", batch.producerEpoch())
            .put("baseSequence", batch.baseSequence())
            .put("lastSequence", batch.lastSequence())
            .put("transactional", batch.isTransactional())
            .put("control", batch.isControlBatch())
            .put("compression", batch.compressionType().name)
            .put("timestampType", batch.timestampType().name)
            .put("maxTimestamp", batch.maxTimestamp())
            .put("deleteHorizon", batch.deleteHorizonMs().orElse(RecordBatch.NO_TIMESTAMP));
        ArrayNode records = seen.putArray("records");
        for (Record record : batch) {
            record.ensureValid();
            ObjectNode node = records.addObject()
                .put("offset", record.offset())
                .put("timestamp", record.timestamp())
                .put("key", hex(record.key()))
                .put("value", hex(record.value()));
            ArrayNode headers = node.putArray("headers");
            for (Header header : record.headers()) {
                headers.addArray().add(header.key()).add(header.value() == null ? null : HEX.formatHex(header.value()));
            }
            if (batch.isControlBatch()) {
                node.put("controlType", ControlRecordType.parse(record.key()).name());
            }
        }
        // Through text, so that numbers have the same type on both sides.
        return json.readTree(seen.toString());
    }

    private static String hex(ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HEX.formatHex(bytes);
    }

    /** A check that compares nothing would pass for ever: each of these must be noticed. */
    private void seesPlantedDifferences(JsonNode sample) throws IOException {
        String bytes = sample.get("bytes").textValue();
        Map<String, Consumer<ObjectNode>> plants = Map.of(
            "a damaged byte", line -> line.put("bytes", bytes.substring(0, bytes.length() - 2) + "7f"),
            "a byte too many", line -> line.put("bytes", bytes + "00"),
            "another offset", line -> ((ObjectNode) line.get("records").get(0)).put("offset", -5),
            "another value", line -> ((ObjectNode) line.get("records").get(0)).put("value", "beef"),
            "another producer", line -> line.put("producerId", -5),
            "a missing record", line -> ((ArrayNode) line.get("records")).remove(0));
        for (String plant : new TreeSet<>(plants.keySet())) {
            ObjectNode planted = sample.deepCopy();
            plants.get(plant).accept(planted);
            if (difference(planted) == null) {
                differences++;
                System.out.println("the check does not notice " + plant);
            }
        }
    }
}
