import org.apache.kafka.common.errors.InvalidMetadataException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/**
 * Prints Kafka's error codes as a list of JSON objects: code, name, and what a client of Kafka's does about the error.
 *
 * <p>An exception that says that the metadata is out of date is worth a retry once they are new; any other retriable one
 * is worth a retry as it is.
 */
public final class KafkaErrors {
    public static void main(String[] arguments) {
        String separator = "[";
        for (Errors error : Errors.values()) {
            System.out.printf("%s{\"code\": %d, \"name\": \"%s\", \"retry\": \"%s\"}", separator, error.code(), error.name(), retry(error));
            separator = ",\n ";
        }
        System.out.println("]");
    }

    private static String retry(Errors error) {
        if (error == Errors.NONE) {
            return "not-needed";
        } else if (error.exception() instanceof InvalidMetadataException) {
            return "after-metadata";
        }
        return error.exception() instanceof RetriableException ? "later" : "never";
    }
}
