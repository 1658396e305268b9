// Has Kafka's assignors assign, and fails if one of them asks where a member or a partition is: ours do not.

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;

public class KafkaRacks {
    static final Uuid TOPIC = new Uuid(1, 2);
    static int asked;

    static Object answer(SubscriptionType type, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "rackId", "racksForPartition" -> {
                asked++;
                yield method.getReturnType() == Optional.class ? Optional.of("a") : Set.of("a");
            }
            case "memberIds" -> List.of("one", "two", "three");
            case "subscriptionType" -> type;
            case "isPartitionAssigned" -> false;
            case "subscribedTopicIds" -> Set.of(TOPIC);
            case "instanceId" -> Optional.empty();
            case "partitions" -> Collections.unmodifiableMap(new HashMap<>());
            case "numPartitions" -> 7;
            case "hashCode" -> 1;
            case "toString" -> "it";
            case "memberSubscription" -> of(MemberSubscription.class, type);
            case "memberAssignment" -> of(MemberAssignment.class, type);
            default -> throw new IllegalStateException(method.toString());
        };
    }

    static <T> T of(Class<T> kind, SubscriptionType type) {
        return kind.cast(Proxy.newProxyInstance(kind.getClassLoader(), new Class<?>[] {kind},
            (self, method, arguments) -> answer(type, method, arguments)));
    }

    public static void main(String[] arguments) {
        for (ConsumerGroupPartitionAssignor assignor : List.of(new UniformAssignor(), new RangeAssignor())) {
            for (SubscriptionType type : SubscriptionType.values()) {
                GroupAssignment assignment = assignor.assign(of(GroupSpec.class, type), of(SubscribedTopicDescriber.class, type));
                int partitions = assignment.members().values().stream()
                    .mapToInt(member -> member.partitions().values().stream().mapToInt(Set::size).sum()).sum();
                System.out.println(assignor.name() + " " + type + " partitions " + partitions + " racks " + asked);
                if (partitions != 7 || asked > 0) System.exit(1);
            }
        }
        // One who asks would be noticed.
        of(MemberSubscription.class, SubscriptionType.HOMOGENEOUS).rackId();
        if (asked != 1) System.exit(1);
    }
}
