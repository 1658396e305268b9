import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.Readable;

/**
 * Holds messages that our codec wrote against the classes that Kafka generates from its definitions.
 *
 * <p>Reads a file of JSON lines. A line with "message" is a value and the bytes that we made of it: Kafka's class must
 * read all of the bytes, write the same ones, and see the same value in them. A line with "api" says what our table of
 * APIs says of one version. Prints what differs and exits with 1 if anything does.
 */
public final class KafkaCodec {
    // Where the generated classes live. Those of requests, responses and headers have "Data" behind their name.
    private static final String[] PLACES = {
        "org.apache.kafka.common.message.%sData",
        "org.apache.kafka.common.message.%s",
        "org.apache.kafka.coordinator.group.generated.%s",
        "org.apache.kafka.coordinator.transaction.generated.%s",
    };
    // Enough to see what is wrong; a codec that is broken everywhere need not fill the screen.
    private static final int SHOWN_MAX = 50;
    private static final HexFormat HEX = HexFormat.of();

    private final Set<String> messages = new TreeSet<>();
    private final Set<Short> apis = new TreeSet<>();
    private int samples;
    private int differences;
    private boolean silent;
    private JsonNode plantable;
    private JsonNode plantableApi;

    public static void main(String[] arguments) throws IOException {
        KafkaCodec check = new KafkaCodec();
        ObjectMapper json = new ObjectMapper();
        try (BufferedReader lines = Files.newBufferedReader(Path.of(arguments[0]))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                check.line(json.readTree(line));
            }
        }
        check.apisAreAllThere();
        check.seesPlantedDifferences();
        System.out.printf("codec: %d samples of %d messages, %d APIs; %d differences%n",
            check.samples, check.messages.size(), check.apis.size(), check.differences);
        System.exit(check.differences == 0 && check.samples > 0 ? 0 : 1);
    }

    private void line(JsonNode line) {
        if (line.has("message")) {
            sample(line);
            // Any sample of a message with fields will do for the planted differences.
            plantable = line.get("value").has("correlationId") ? line : plantable;
        } else {
            api(line);
            plantableApi = line;
        }
    }

    /** A check that compares nothing would pass for ever: each of these must be noticed. */
    private void seesPlantedDifferences() {
        String bytes = plantable.get("bytes").textValue();
        Map<String, Consumer<ObjectNode>> plants = Map.of(
            "a byte too many", line -> line.put("bytes", bytes + "00"),
            "a byte too few", line -> line.put("bytes", bytes.substring(2)),
            "another value", line -> ((ObjectNode) line.get("value")).put("correlationId", "1"),
            "a field too few", line -> ((ObjectNode) line.get("value")).remove("correlationId"),
            "a field too many", line -> ((ObjectNode) line.get("value")).put("other", 1),
            "an unknown message", line -> line.put("message", "Unknown"));
        plants.forEach((what, plant) -> mustBeSeen(what, plantable.deepCopy(), plant));
        Map<String, Consumer<ObjectNode>> apiPlants = Map.of(
            "another name", line -> line.put("name", "Unknown"),
            "another request header", line -> line.put("requestHeader", 7),
            "another response header", line -> line.put("responseHeader", 7),
            "another stability", line -> line.put("stable", !line.get("stable").booleanValue()));
        apiPlants.forEach((what, plant) -> mustBeSeen(what, plantableApi.deepCopy(), plant));
    }

    private static void mustBeSeen(String what, ObjectNode line, Consumer<ObjectNode> plant) {
        plant.accept(line);
        KafkaCodec check = new KafkaCodec();
        check.silent = true;
        check.line(line);
        if (check.differences == 0) {
            System.out.println("self-test: a planted difference went unseen: " + what);
            System.exit(1);
        }
    }

    private void differs(String where, String what) {
        differences++;
        if (differences <= SHOWN_MAX && !silent) {
            System.out.println(where + ": " + what);
        }
    }

    private void sample(JsonNode line) {
        String name = line.get("message").textValue();
        short version = line.get("version").shortValue();
        String where = name + " v" + version + ", seed " + line.get("seed");
        messages.add(name);
        samples++;
        try {
            Class<?> type = generatedClass(name);
            ByteBuffer bytes = ByteBuffer.wrap(HEX.parseHex(line.get("bytes").textValue()));
            Message message = (Message) type.getDeclaredConstructor(Readable.class, short.class)
                .newInstance(new ByteBufferAccessor(bytes.duplicate()), version);
            sameBytes(where, bytes, message, version);
            Class<?> converter = Class.forName(type.getName() + "JsonConverter");
            // False: of records it gives the size; their bytes have been compared with all others.
            JsonNode value = (JsonNode) converter.getMethod("write", type, short.class, boolean.class)
                .invoke(null, message, version, false);
            sameValue(where, line.get("value"), value);
            if (line.get("defaults").booleanValue()) {
                sameBytes(where + ", untouched", bytes, (Message) type.getDeclaredConstructor().newInstance(), version);
            }
        } catch (ReflectiveOperationException exception) {
            differs(where, String.valueOf(exception.getCause() == null ? exception : exception.getCause()));
        }
    }

    private static Class<?> generatedClass(String name) throws ClassNotFoundException {
        for (String place : PLACES) {
            try {
                return Class.forName(String.format(place, name));
            } catch (ClassNotFoundException absent) {
                // The next place, then.
            }
        }
        throw new ClassNotFoundException("Kafka has no class for " + name);
    }

    private void sameBytes(String where, ByteBuffer ours, Message message, short version) {
        ByteBuffer theirs = MessageUtil.toByteBufferAccessor(message, version).buffer();
        int at = ours.mismatch(theirs);
        if (at >= 0) {
            differs(where, String.format("from byte %d on, we have %s, Kafka writes %s", at, hexFrom(ours, at), hexFrom(theirs, at)));
        }
    }

    private static String hexFrom(ByteBuffer bytes, int at) {
        byte[] shown = new byte[Math.min(16, bytes.remaining() - at)];
        bytes.get(bytes.position() + at, shown);
        return HEX.formatHex(shown);
    }

    private void sameValue(String where, JsonNode ours, JsonNode theirs) {
        if (ours.isObject() && theirs.isObject()) {
            Set<String> names = new TreeSet<>();
            ours.fieldNames().forEachRemaining(names::add);
            theirs.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                if (ours.has(name) && theirs.has(name)) {
                    sameValue(where + "." + name, ours.get(name), theirs.get(name));
                } else {
                    differs(where + "." + name, ours.has(name) ? "only we have it" : "only Kafka has it");
                }
            }
        } else if (ours.isArray() && theirs.isArray() && ours.size() == theirs.size()) {
            for (int index = 0; index < ours.size(); index++) {
                sameValue(where + "[" + index + "]", ours.get(index), theirs.get(index));
            }
        } else if (!sameLeaf(ours, theirs)) {
            differs(where, "we have " + ours + ", Kafka has " + theirs);
        }
    }

    private static boolean sameLeaf(JsonNode ours, JsonNode theirs) {
        if (theirs.isDouble()) {
            // We give a double's bits: JSON has no NaN, and numbers in decimals may lose a bit.
            return ours.isIntegralNumber() && ours.longValue() == Double.doubleToRawLongBits(theirs.doubleValue());
        } else if (theirs.isIntegralNumber()) {
            return ours.isIntegralNumber() && ours.longValue() == theirs.longValue();
        } else if (theirs.isBinary()) {
            try {
                return ours.isTextual() && ours.textValue().equals(HEX.formatHex(theirs.binaryValue()));
            } catch (IOException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
        return ours.equals(theirs);
    }

    private void api(JsonNode line) {
        short key = line.get("api").shortValue();
        short version = line.get("version").shortValue();
        String where = line.get("name").textValue() + " v" + version;
        apis.add(key);
        ApiMessageType type = ApiMessageType.fromApiKey(key);
        same(where + ": name", line.get("name").textValue(), type.name);
        same(where + ": request header", line.get("requestHeader").shortValue(), type.requestHeaderVersion(version));
        same(where + ": response header", line.get("responseHeader").shortValue(), type.responseHeaderVersion(version));
        boolean stable = type.lowestSupportedVersion() <= version && version <= type.highestSupportedVersion(false);
        same(where + ": stable", line.get("stable").booleanValue(), stable);
    }

    private void same(String where, Object ours, Object theirs) {
        if (!ours.equals(theirs)) {
            differs(where, "we have " + ours + ", Kafka has " + theirs);
        }
    }

    private void apisAreAllThere() {
        for (ApiKeys api : ApiKeys.values()) {
            // A key without a version is one that Kafka has given up.
            if (api.hasValidVersion() && !apis.contains(api.id)) {
                differs(api.name, "Kafka has it, we do not");
            }
        }
    }
}
