// What franz-go's admin client asks for and changes, beside what the story of all clients has it do: settings of topics
// and brokers, folders, elections, groups and their offsets. It ends with the first thing that is not as it should be.
//
// usage: franz-go-admin ADDRESS
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const topic, group = "administered", "administered-group"

var (
	ctx    = context.Background()
	client *kgo.Client
	admin  *kadm.Client
)

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "franz-go-admin: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func same[T comparable](what string, found, expected T) {
	if found != expected {
		must(what, fmt.Errorf("%v and not %v", found, expected))
	}
}

// Kafka's brokers learn of changes a moment after they were answered.
func settled(what string, find func() (string, error), expected string) {
	var found string
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if found, err = find(); err == nil && found == expected {
			return
		}
	}
	must(what, err)
	same(what, found, expected)
}

func value(of kadm.ResourceConfigs, err error, resource, name string) (string, error) {
	if err != nil {
		return "", err
	}
	configs, err := of.On(resource, nil)
	if err != nil {
		return "", err
	}
	for _, config := range configs.Configs {
		if config.Key == name {
			return fmt.Sprintf("%s of %v", config.MaybeValue(), config.Source), configs.Err
		}
	}
	return "", errors.New("it is not there")
}

func ofTopic(name string) func() (string, error) {
	return func() (string, error) {
		configs, err := admin.DescribeTopicConfigs(ctx, topic)
		return value(configs, err, topic, name)
	}
}

func ofBroker(name string) func() (string, error) {
	return func() (string, error) {
		configs, err := admin.DescribeBrokerConfigs(ctx, 1)
		return value(configs, err, "1", name)
	}
}

func altered(what string, responses kadm.AlterConfigsResponses, err error, expected error) {
	must(what, err)
	for _, each := range responses {
		if !errors.Is(each.Err, expected) {
			must(what, fmt.Errorf("%v (%s) and not %v", each.Err, each.ErrMessage, expected))
		}
	}
}

func set(name, value string) []kadm.AlterConfig {
	return []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: kadm.StringPtr(value)}}
}

func settings() {
	responses, err := admin.AlterTopicConfigs(ctx, set("retention.ms", "1000000"), topic)
	altered("setting of a topic", responses, err, nil)
	settled("setting of a topic", ofTopic("retention.ms"), "1000000 of DYNAMIC_TOPIC_CONFIG")
	responses, err = admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")}}, topic)
	altered("a policy more", responses, err, nil)
	settled("a policy more", ofTopic("cleanup.policy"), "delete,compact of DYNAMIC_TOPIC_CONFIG")
	responses, err = admin.ValidateAlterTopicConfigs(ctx, set("retention.ms", "5"), topic)
	altered("what is only asked", responses, err, nil)
	settled("what is only asked", ofTopic("retention.ms"), "1000000 of DYNAMIC_TOPIC_CONFIG")
	responses, err = admin.AlterTopicConfigs(ctx, set("retention.ms", "many"), topic)
	altered("what makes no sense", responses, err, kerr.InvalidConfig)
	responses, err = admin.AlterTopicConfigsState(ctx, set("segment.ms", "7200000"), topic)
	altered("all settings at once", responses, err, nil)
	settled("all settings at once", ofTopic("retention.ms"), "604800000 of DEFAULT_CONFIG")

	responses, err = admin.AlterBrokerConfigs(ctx, set("message.max.bytes", "2000000"), 1)
	altered("setting of a broker", responses, err, nil)
	settled("setting of a broker", ofBroker("message.max.bytes"), "2000000 of DYNAMIC_BROKER_CONFIG")
	settled("what follows for a topic", ofTopic("max.message.bytes"), "2000000 of DYNAMIC_BROKER_CONFIG")
	responses, err = admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Op: kadm.DeleteConfig, Name: "message.max.bytes"}}, 1)
	altered("setting of a broker that goes", responses, err, nil)
	settled("setting of a broker that goes", ofBroker("message.max.bytes"), "1048588 of DEFAULT_CONFIG")
	responses, err = admin.AlterBrokerConfigs(ctx, set("node.id", "7"), 1)
	altered("what is set at the start", responses, err, kerr.InvalidRequest)
}

func cluster() {
	brokers, err := admin.ListBrokers(ctx)
	must("brokers", err)
	same("brokers", len(brokers), 1)
	same("the broker", brokers[0].NodeID, 1)
	versions, err := admin.ApiVersions(ctx)
	must("versions", err)
	same("versions", len(versions), 1)

	folders, err := admin.DescribeAllLogDirs(ctx, nil)
	must("folders", err)
	folder, isThere := folders[1].LookupPartition(topic, 1)
	same("the folder of a partition", isThere, true)
	same("bytes there", folder.Size > 0, true)

	elected, err := admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, kadm.TopicsSet{topic: {0: {}}})
	must("election", err)
	if err := elected[topic][0].Err; err != nil && !errors.Is(err, kerr.ElectionNotNeeded) {
		must("election", err)
	}
	moves, err := admin.ListPartitionReassignments(ctx, nil)
	must("reassignments", err)
	same("reassignments", len(moves), 0)

	var epochs kadm.OffsetForLeaderEpochRequest
	epochs.Add(topic, 1, 0)
	ends, err := admin.OffsetForLeaderEpoch(ctx, epochs)
	must("end of an epoch", err)
	must("end of an epoch", ends[topic][1].Err)
	same("end of an epoch", ends[topic][1].EndOffset, 5)
	producers, err := admin.DescribeProducers(ctx, kadm.TopicsSet{topic: {1: {}}})
	must("producers", err)
	must("producers", producers[topic].Partitions[1].Err)
	same("producers", len(producers[topic].Partitions[1].ActiveProducers), 1)
}

func groups() {
	var offsets kadm.Offsets
	offsets.AddOffset(topic, 1, 2, -1)
	must("commit", admin.CommitAllOffsets(ctx, group, offsets))
	listed, err := admin.ListGroups(ctx)
	must("groups", err)
	same("state of a group", listed[group].State, "Empty")
	described, err := admin.DescribeGroups(ctx, group)
	must("a group", err)
	must("a group", described[group].Err)
	same("members", len(described[group].Members), 0)
	lags, err := admin.Lag(ctx, group)
	must("lag", err)
	must("lag", lags.Error())
	same("lag", lags[group].Lag.Total(), 3)
	coordinators := admin.FindGroupCoordinators(ctx, group)
	must("coordinator", coordinators[group].Err)
	same("coordinator", coordinators[group].NodeID, 1)
	deleted, err := admin.DeleteOffsets(ctx, group, kadm.TopicsSet{topic: {1: {}}})
	must("offsets that go", err)
	must("offsets that go", deleted[topic][1])
	fetched, err := admin.FetchOffsets(ctx, group)
	must("offsets", err)
	same("offsets", len(fetched), 0)
	gone, err := admin.DeleteGroups(ctx, group)
	must("a group that goes", err)
	if err := gone[group].Err; err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		must("a group that goes", err)
	}
}

func main() {
	var err error
	client, err = kgo.NewClient(kgo.SeedBrokers(os.Args[1]), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	must("client", err)
	admin = kadm.NewClient(client)
	_, err = admin.CreateTopic(ctx, 2, 1, nil, topic)
	must("topic", err)
	for number := range 5 {
		record := &kgo.Record{Topic: topic, Partition: 1, Key: []byte{byte(number)}, Value: []byte("v")}
		must("record", client.ProduceSync(ctx, record).FirstErr())
	}
	settings()
	cluster()
	groups()
	must("topic that goes", func() error { answer, err := admin.DeleteTopic(ctx, topic); return errors.Join(err, answer.Err) }())
	client.Close()
}
