import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AbortedTxn;
import org.apache.kafka.storage.internals.log.CompletedTxn;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.RollParams;

/**
 * Writes segments with Kafka's own classes, where our data directory has them, and what Kafka itself answers when it is
 * asked about them: "kafka.txt" has a line for each segment and, behind it, a line for each answer.
 *
 * <p>segment PARTITION BASE-OFFSET LENGTH END-OFFSET MAX-TIMESTAMP FIRST-TIMESTAMP; record OFFSET TIMESTAMP; find OFFSET
 * POSITION; time TIMESTAMP OFFSET RECORD-TIMESTAMP; aborted PRODUCER FIRST LAST LAST-STABLE; -1 where there is nothing.
 */
public final class KafkaSegments {
    private static final long NOW = 1_700_000_000_000L;
    private static final int SEGMENT_BYTES = 96 << 10;
    private static final LogConfig CONFIG = new LogConfig(Map.of());

    private final Random random;
    private final File folder;
    private final int partition;
    private final Compression compression;
    private final PrintWriter answers;
    private LogSegment segment;
    private long nextOffset;

    private KafkaSegments(Path root, int partition, Compression compression, PrintWriter answers) throws IOException {
        this.random = new Random(partition);
        this.partition = partition;
        this.compression = compression;
        this.answers = answers;
        folder = Files.createDirectories(root.resolve(String.format("data/logs/00000/%016x", partition))).toFile();
        begin();
    }

    public static void main(String[] arguments) throws IOException {
        Path root = Path.of(arguments[0]);
        Compression[] compressions = {Compression.NONE, Compression.gzip().build(), Compression.snappy().build(),
            Compression.lz4().build(), Compression.zstd().build()};
        try (PrintWriter answers = new PrintWriter(root.resolve("kafka.txt").toFile())) {
            for (int index = 0; index < compressions.length; index++) {
                new KafkaSegments(root, index + 1, compressions[index], answers).run();
            }
        }
    }

    private void run() throws IOException {
        for (int round = 0; round < 200; round++) {
            append(batch(RecordBatch.NO_PRODUCER_ID));
            if (random.nextInt(4) == 0) {
                long producer = 100 + round;
                long first = nextOffset;
                append(batch(producer));
                long marker = nextOffset;
                append(MemoryRecords.withEndTransactionMarker(marker, NOW, 5, producer, (short) 2,
                    new EndTransactionMarker(ControlRecordType.ABORT, 1)));
                segment.updateTxnIndex(new CompletedTxn(producer, first, marker, true), nextOffset);
            }
        }
        end();
    }

    private void begin() throws IOException {
        segment = LogSegment.open(folder, nextOffset, CONFIG, Time.SYSTEM, SEGMENT_BYTES, false);
    }

    private MemoryRecords batch(long producer) {
        boolean transactional = producer != RecordBatch.NO_PRODUCER_ID;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new ByteBufferOutputStream(1024),
            RecordBatch.MAGIC_VALUE_V2, compression, TimestampType.CREATE_TIME, nextOffset, RecordBatch.NO_TIMESTAMP, producer,
            transactional ? (short) 2 : RecordBatch.NO_PRODUCER_EPOCH, transactional ? 0 : RecordBatch.NO_SEQUENCE,
            transactional, false, 5, 1 << 20, RecordBatch.NO_TIMESTAMP);
        for (int count = random.nextInt(6); count >= 0; count--) {
            byte[] value = new byte[random.nextInt(900)];
            random.nextBytes(value);
            builder.append(NOW + random.nextInt(100_000), null, value);
        }
        return builder.build();
    }

    private void append(MemoryRecords records) throws IOException {
        RecordBatch batch = records.batches().iterator().next();
        if (segment.shouldRoll(new RollParams(Long.MAX_VALUE, SEGMENT_BYTES, batch.maxTimestamp(), batch.lastOffset(),
            records.sizeInBytes(), NOW))) {
            end();
            begin();
        }
        segment.append(batch.lastOffset(), records);
        nextOffset = batch.nextOffset();
    }

    private void end() throws IOException {
        segment.onBecomeInactiveSegment();
        answers.printf("segment %d %d %d %d %d %d%n", partition, segment.baseOffset(), segment.size(), nextOffset,
            segment.maxTimestampSoFar(), segment.getFirstBatchTimestamp());
        for (Record record : segment.log().records()) {
            answers.printf("record %d %d%n", record.offset(), record.timestamp());
        }
        for (long offset = segment.baseOffset(); offset < nextOffset + 3; offset++) {
            FileRecords.LogOffsetPosition found = segment.translateOffset(offset);
            answers.printf("find %d %d%n", offset, found == null ? -1 : found.position);
        }
        for (int count = 0; count < 200; count++) {
            long timestamp = NOW - 1_000 + random.nextInt(102_000);
            Optional<FileRecords.TimestampAndOffset> found = segment.findOffsetByTimestamp(timestamp, segment.baseOffset());
            answers.printf("time %d %d %d%n", timestamp, found.map(one -> one.offset).orElse(-1L),
                found.map(one -> one.timestamp).orElse(-1L));
        }
        for (AbortedTxn aborted : segment.txnIndex().allAbortedTxns()) {
            answers.printf("aborted %d %d %d %d%n", aborted.producerId(), aborted.firstOffset(), aborted.lastOffset(),
                aborted.lastStableOffset());
        }
        segment.close();
    }
}
