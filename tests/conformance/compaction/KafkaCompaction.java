import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.RequestLocal;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/**
 * Lets Kafka's own cleaner compact a random log, round by round, and leaves what went into each round and what came out.
 *
 * <p>ROOT/LOG/ROUND holds the files of the segments that are new in the round; "facts.txt" with the lines "round NOW
 * FIRST-DIRTY END", "segment BASE LENGTH END MAX-TIMESTAMP FIRST-TIMESTAMP" for each new one and "producer ID LAST-OFFSET
 * EPOCH" for each that is alive (-1 where it has no data); and "after.bin", all batches below END after the round.
 */
public final class KafkaCompaction {
    private static final long NOW = 1_700_000_000_000L;
    private static final int DELETE_RETENTION_MS = 1_000;
    private static final int EXPIRATION_MS = 500;
    private static final int ROUNDS = 6;
    private static final int TRANSACTIONAL = 4;
    private static final int PRODUCERS = 7;

    private final Path root;
    private final Random random;
    private final Compression[] compressions;
    private final UnifiedLog log;
    private final Map<Integer, Integer> sequences = new HashMap<>();
    private final Set<Integer> open = new HashSet<>();
    private final Set<Long> known = new HashSet<>();
    private long now = NOW;

    private KafkaCompaction(Path root, int number, KafkaScheduler scheduler) throws IOException {
        this.root = root.resolve(Integer.toString(number));
        random = new Random(number);
        compressions = new Compression[] {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(),
            Compression.lz4().build(), Compression.zstd().build()};
        File folder = Files.createDirectories(root.resolve("kafka").resolve("log-" + number)).toFile();
        LogConfig config = new LogConfig(Map.of("delete.retention.ms", DELETE_RETENTION_MS, "segment.bytes", 1 << 20,
            "message.timestamp.type", number % 4 == 3 ? "LogAppendTime" : "CreateTime"));
        log = UnifiedLog.create(folder, config, 0, 0, scheduler, new BrokerTopicStats(), Time.SYSTEM, Integer.MAX_VALUE,
            new ProducerStateManagerConfig(EXPIRATION_MS, false), Integer.MAX_VALUE, new LogDirFailureChannel(1), true,
            Optional.empty());
    }

    public static void main(String[] arguments) throws Exception {
        KafkaScheduler scheduler = new KafkaScheduler(1);
        scheduler.startup();
        for (int number = 0; number < Integer.parseInt(arguments[1]); number++) {
            new KafkaCompaction(Path.of(arguments[0]), number, scheduler).run();
        }
        scheduler.shutdown();
    }

    private void run() throws Exception {
        Cleaner cleaner = new Cleaner(0, new SkimpyOffsetMap(1 << 20), 1 << 16, 1 << 20, 0.9,
            new Throttler(Double.MAX_VALUE, 1_000, "throttle", "bytes", Time.SYSTEM), Time.SYSTEM, partition -> { });
        long dirty = 0;
        for (int round = 0; round < ROUNDS; round++) {
            grow();
            Path folder = Files.createDirectories(root.resolve(Integer.toString(round)));
            long end = log.logEndOffset();
            try (PrintWriter facts = new PrintWriter(folder.resolve("facts.txt").toFile())) {
                facts.printf("round %d %d %d%n", now, dirty, end);
                describe(folder, facts);
            }
            dirty = cleaner.doClean(new LogToClean(log, dirty, end, false), now).getKey();
            if (dirty != end) {
                throw new IllegalStateException("cleaned to " + dirty + " and not to " + end);
            }
            Files.write(folder.resolve("after.bin"), everything());
            now += new int[] {0, 400, DELETE_RETENTION_MS - 1, DELETE_RETENTION_MS, 3_000}[random.nextInt(5)];
        }
        log.close();
    }

    /** What the next round begins with. */
    private void describe(Path folder, PrintWriter facts) throws IOException {
        List<LogSegment> segments = log.logSegments();
        for (LogSegment segment : segments.subList(0, segments.size() - 1)) {
            if (segment.size() == 0 || !known.add(segment.baseOffset())) {
                continue;
            }
            facts.printf("segment %d %d %d %d %d%n", segment.baseOffset(), segment.size(), segment.readNextOffset(),
                segment.maxTimestampSoFar(), segment.getFirstBatchTimestamp());
            for (File file : new File[] {segment.log().file(), segment.txnIndex().file()}) {
                if (file.exists()) {
                    Files.copy(file.toPath(), folder.resolve(file.getName()));
                }
            }
        }
        log.lastRecordsOfActiveProducers().forEach((producer, last) ->
            facts.printf("producer %d %d %d%n", producer, last.lastDataOffset().orElse(-1), last.producerEpoch()));
    }

    private byte[] everything() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (LogSegment segment : log.logSegments()) {
            ByteBuffer buffer = ByteBuffer.allocate(segment.size());
            segment.log().readInto(buffer, 0);
            bytes.write(buffer.array(), 0, buffer.limit());
        }
        return bytes.toByteArray();
    }

    private void grow() throws IOException {
        for (int count = 5 + random.nextInt(50); count > 0; count--) {
            int producer = random.nextInt(PRODUCERS);
            if (producer < TRANSACTIONAL && random.nextInt(3) == 0) {
                end(producer);
            } else {
                append(producer);
            }
            if (random.nextInt(7) == 0) {
                log.roll();
            }
        }
        for (int producer : Set.copyOf(open)) {
            end(producer);
        }
        log.removeExpiredProducers(now);
        log.roll();
        log.updateHighWatermark(log.logEndOffset());
    }

    private void append(int producer) throws IOException {
        boolean transactional = producer < TRANSACTIONAL;
        // The last one has no id.
        boolean idempotent = producer < PRODUCERS - 1;
        int sequence = sequences.getOrDefault(producer, 0);
        int count = 1 + random.nextInt(5);
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1024),
            RecordBatch.MAGIC_VALUE_V2, compressions[random.nextBoolean() ? 0 : random.nextInt(5)],
            TimestampType.CREATE_TIME, 0, RecordBatch.NO_TIMESTAMP,
            idempotent ? producer : RecordBatch.NO_PRODUCER_ID, idempotent ? (short) 0 : RecordBatch.NO_PRODUCER_EPOCH,
            idempotent ? sequence : RecordBatch.NO_SEQUENCE, transactional, false, 5, 1 << 20, RecordBatch.NO_TIMESTAMP);
        for (int number = 0; number < count; number++) {
            byte[] key = random.nextInt(12) == 0 ? null : ("key " + random.nextInt(20)).getBytes(StandardCharsets.UTF_8);
            byte[] value = random.nextInt(4) == 0 ? null : new byte[random.nextInt(60)];
            if (value != null) {
                random.nextBytes(value);
            }
            builder.append(now - random.nextInt(1_000), key, value);
        }
        try {
            log.appendAsLeader(builder.build(), 5, AppendOrigin.CLIENT);
        } catch (OutOfOrderSequenceException exception) {
            // It had expired, and came back with a marker: it begins again.
            sequences.put(producer, 0);
            return;
        }
        sequences.put(producer, sequence + count);
        if (transactional) {
            open.add(producer);
        }
    }

    private void end(int producer) throws IOException {
        open.remove(producer);
        ControlRecordType type = random.nextBoolean() ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
        log.appendAsLeader(MemoryRecords.withEndTransactionMarker(0, now - random.nextInt(1_000), 5, producer, (short) 0,
            new EndTransactionMarker(type, 1)), 5, AppendOrigin.COORDINATOR, RequestLocal.noCaching(),
            VerificationGuard.SENTINEL, (short) 1);
    }
}
