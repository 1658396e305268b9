import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.util.Random;
import org.apache.kafka.common.utils.Utils;

/** A million random keys with the partition that Kafka's producer chooses for each, for our library to be held against. */
public class KafkaPartitions {
    public static void main(String[] words) throws Exception {
        Random random = new Random(Long.parseLong(words[0]));
        try (var out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16))) {
            for (int number = 0; number < 1_000_000; number++) {
                byte[] key = new byte[random.nextInt(48)];
                random.nextBytes(key);
                int partitions = 1 + random.nextInt(number % 2 == 0 ? 100 : Integer.MAX_VALUE - 1);
                out.writeInt(key.length);
                out.write(key);
                out.writeInt(partitions);
                out.writeInt(Utils.toPositive(Utils.murmur2(key)) % partitions);
            }
        }
    }
}
