// Runs Kafka's tools, one after the other, in one virtual machine, which starts once; and asks its admin client what no
// tool asks. A line of words, with tabs between them, is answered by "STATUS BYTES" and so many bytes of output.

import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.utils.Exit;

public class KafkaAdmin {
    /** Where output goes now: what was made of System.out once, as Scala does, goes there as well. */
    static ByteArrayOutputStream output = new ByteArrayOutputStream();

    /** The status that the tool ended with, and how much it had said by then. */
    static Integer exited;
    static int length;

    static class Exited extends RuntimeException {
        final int status;

        Exited(int status) {
            super(null, null, false, false);
            this.status = status;
        }
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        PrintStream captured = new PrintStream(new OutputStream() {
            public void write(int one) {
                output.write(one);
            }
        }, true, StandardCharsets.UTF_8);
        System.setOut(captured);
        System.setErr(captured);
        Exit.setExitProcedure((status, message) -> {
            if (message != null) System.out.println(message);
            // Some tools catch what ends them, and end once more.
            captured.flush();
            if (exited == null) {
                exited = status;
                length = output.size();
            }
            throw new Exited(status);
        });
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            output.reset();
            exited = null;
            int status = run(arguments[0], line.split("\t", -1));
            captured.flush();
            int bytes = exited == null ? output.size() : length;
            answers.println((exited == null ? status : exited) + " " + bytes);
            answers.write(output.toByteArray(), 0, bytes);
            answers.flush();
        }
    }

    static int run(String address, String[] words) {
        String[] rest = Arrays.copyOfRange(words, 1, words.length);
        try {
            if (words[0].equals("ask")) {
                try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
                    ask(admin, rest);
                }
                return 0;
            }
            Class.forName(words[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
            return 0;
        } catch (java.lang.reflect.InvocationTargetException wrapped) {
            if (wrapped.getCause() instanceof Exited exited) return exited.status;
            System.out.println(wrapped.getCause());
            return 1;
        } catch (Exited exited) {
            return exited.status;
        } catch (ExecutionException wrapped) {
            Throwable cause = wrapped.getCause();
            System.out.println(cause.getClass().getSimpleName() + ": " + cause.getMessage());
            return 1;
        } catch (Exception error) {
            System.out.println(error);
            return 1;
        }
    }

    static void ask(Admin admin, String[] words) throws Exception {
        switch (words[0]) {
            case "describe" -> describe(admin, resource(words));
            case "alter" -> {
                List<AlterConfigOp> changes = new ArrayList<>();
                for (int at = 3; at < words.length; at += 3)
                    changes.add(new AlterConfigOp(
                        new ConfigEntry(words[at + 1], words[at + 2]), AlterConfigOp.OpType.valueOf(words[at])));
                admin.incrementalAlterConfigs(Map.of(resource(words), changes)).all().get();
                System.out.println("changed");
            }
            case "validate" -> {
                List<AlterConfigOp> changes = List.of(new AlterConfigOp(
                    new ConfigEntry(words[4], words[5]), AlterConfigOp.OpType.valueOf(words[3])));
                AlterConfigsOptions options = new AlterConfigsOptions().validateOnly(true);
                admin.incrementalAlterConfigs(Map.of(resource(words), changes), options).all().get();
                System.out.println("may be");
            }
            case "resources" -> {
                Set<ConfigResource.Type> types = Arrays.stream(words).skip(1)
                    .map(ConfigResource.Type::valueOf).collect(Collectors.toSet());
                admin.listConfigResources(types, new ListConfigResourcesOptions()).all().get().stream()
                    .map(found -> found.type() + " " + found.name()).sorted().forEach(System.out::println);
            }
            case "log-dirs" -> admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).forEach((path, dir) -> {
                System.out.println("sizes " + (dir.totalBytes().orElse(0) > 0) + " "
                    + (dir.usableBytes().orElse(0) > 0 && dir.usableBytes().orElse(0) <= dir.totalBytes().orElse(0)));
                dir.replicaInfos().entrySet().stream().sorted(Comparator.comparing(entry -> entry.getKey().toString()))
                    .forEach(entry -> System.out.println(entry.getKey() + " " + entry.getValue()));
            });
            case "producers" -> {
                TopicPartition partition = new TopicPartition(words[1], Integer.parseInt(words[2]));
                System.out.println(admin.describeProducers(List.of(partition)).partitionResult(partition).get()
                    .activeProducers().size());
            }
            case "reassign" -> {
                Optional<NewPartitionReassignment> wanted = words[3].isEmpty() ? Optional.empty()
                    : Optional.of(new NewPartitionReassignment(
                        Arrays.stream(words[3].split(",")).map(Integer::valueOf).toList()));
                TopicPartition partition = new TopicPartition(words[1], Integer.parseInt(words[2]));
                admin.alterPartitionReassignments(Map.of(partition, wanted)).all().get();
                System.out.println("there");
            }
            case "move" -> {
                TopicPartitionReplica replica = new TopicPartitionReplica(words[1], Integer.parseInt(words[2]), 1);
                String path = words[3].isEmpty()
                    ? admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).keySet().iterator().next() : words[3];
                admin.alterReplicaLogDirs(Map.of(replica, path)).all().get();
                System.out.println("there");
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    static ConfigResource resource(String[] words) {
        return new ConfigResource(ConfigResource.Type.valueOf(words[1]), words[2]);
    }

    /** Everything about every setting, a line each. */
    static void describe(Admin admin, ConfigResource resource) throws Exception {
        DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        admin.describeConfigs(List.of(resource), options).all().get().get(resource).entries().stream()
            .sorted(Comparator.comparing(ConfigEntry::name))
            .map(entry -> String.join("|", entry.name(), String.valueOf(entry.value()), entry.type().toString(),
                entry.source().toString(), entry.isReadOnly() ? "at the start" : "dynamic",
                entry.isSensitive() ? "sensitive" : "open",
                entry.documentation() == null || entry.documentation().isEmpty() ? "no text" : "text",
                entry.synonyms().stream().map(said -> said.source() + ":" + said.name() + "=" + said.value())
                    .collect(Collectors.joining(","))))
            .forEach(System.out::println);
    }
}
