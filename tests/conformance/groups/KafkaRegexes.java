import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Which of the texts of one file each of the patterns of another matches, as Kafka's library of expressions has it. */
public class KafkaRegexes {
    public static void main(String[] arguments) throws Exception {
        List<String> texts = Files.readAllLines(Path.of(arguments[0]));
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String pattern = line.split("\t", -1)[0];
            StringBuilder answer = new StringBuilder();
            try {
                Pattern compiled = Pattern.compile(pattern);
                for (String text : texts) {
                    answer.append(compiled.matcher(text).matches() ? '1' : '0');
                }
            } catch (PatternSyntaxException error) {
                answer.append("error ").append(error.getDescription());
            } catch (RuntimeException error) {
                answer.append("throws ").append(error.getClass().getSimpleName());
            }
            System.out.println(pattern + "\t" + answer);
        }
    }
}
