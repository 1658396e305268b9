// Sarama does what the story asks.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"clients/library/driver"

	"github.com/IBM/sarama"
)

var (
	client    sarama.Client
	admin     sarama.ClusterAdmin
	producers = map[string]sarama.SyncProducer{}
	codecs    = map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	acks = map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll}
)

func main() {
	if driver.IsMember() {
		member()
		return
	}
	var err error
	client, err = sarama.NewClient(os.Args[1:], config())
	driver.Check(err)
	admin, err = sarama.NewClusterAdminFromClient(client)
	driver.Check(err)
	driver.Serve(
		driver.Hello{Commands: driver.All, Compressions: driver.Compressions, Acks: driver.Acks, Idempotent: true},
		answer, errorCode)
}

func errorCode(err error) (int16, bool) {
	var many sarama.ProducerErrors
	if errors.As(err, &many) {
		err = many[0].Err
	}
	var known sarama.KError
	if !errors.As(err, &known) {
		return 0, false
	}
	return int16(known), true
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	config.Producer.Flush.MaxMessages = 100
	return config
}

func answer(request driver.Request) (driver.Answer, error) {
	topic := request.Topic
	switch request.Do {
	case "create":
		settings := map[string]*string{}
		for name, value := range request.Settings {
			settings[name] = &value
		}
		return nil, admin.CreateTopic(topic, &sarama.TopicDetail{
			NumPartitions: request.Partitions, ReplicationFactor: request.Replicas, ConfigEntries: settings}, false)
	case "grow":
		return nil, admin.CreatePartitions(topic, request.Partitions, nil, false)
	case "describe":
		return describe(topic)
	case "list":
		topics, err := admin.ListTopics()
		return driver.Answer{"topics": slices.AppendSeq([]string{}, maps.Keys(topics))}, err
	case "delete":
		return nil, admin.DeleteTopic(topic)
	case "delete_records":
		return nil, admin.DeleteRecords(topic, map[int32]int64{request.Partition: request.Offset})
	case "offsets":
		// The client remembers what it once knew of a topic.
		driver.Check(client.RefreshMetadata(topic))
		earliest, err := client.GetOffset(topic, request.Partition, sarama.OffsetOldest)
		latest, errLatest := client.GetOffset(topic, request.Partition, sarama.OffsetNewest)
		return driver.Answer{"earliest": earliest, "latest": latest}, errors.Join(err, errLatest)
	case "produce":
		return produce(request)
	case "consume":
		return consume(request)
	}
	return nil, fmt.Errorf("no such word: %s", request.Do)
}

func describe(topic string) (driver.Answer, error) {
	topics, err := admin.DescribeTopics([]string{topic})
	if err != nil {
		return nil, err
	}
	if topics[0].Err != sarama.ErrNoError {
		return nil, topics[0].Err
	}
	partitions := []driver.Partition{}
	for _, each := range topics[0].Partitions {
		partitions = append(partitions, driver.Partition{
			Partition: each.ID, Leader: each.Leader, Replicas: each.Replicas, ISR: each.Isr})
	}
	slices.SortFunc(partitions, func(one, other driver.Partition) int { return int(one.Partition - other.Partition) })
	return driver.Answer{"partitions": partitions}, nil
}

// Producers are kept: they have to live through the broker's restarts.
func producer(request driver.Request) (sarama.SyncProducer, error) {
	key := fmt.Sprint(request.Compression, request.Acks, request.Idempotent)
	if producers[key] == nil {
		config := config()
		config.Producer.Compression = codecs[request.Compression]
		config.Producer.RequiredAcks = acks[request.Acks]
		if request.Idempotent {
			config.Producer.Idempotent = true
			config.Net.MaxOpenRequests = 1
		}
		made, err := sarama.NewSyncProducer(os.Args[1:], config)
		if err != nil {
			return nil, err
		}
		producers[key] = made
	}
	return producers[key], nil
}

func produce(request driver.Request) (driver.Answer, error) {
	messages := []*sarama.ProducerMessage{}
	for _, each := range request.Records {
		message := &sarama.ProducerMessage{Topic: request.Topic, Partition: request.Partition, Timestamp: time.UnixMilli(each.Timestamp)}
		if each.Key != nil {
			message.Key = sarama.ByteEncoder(each.Key)
		}
		if each.Value != nil {
			message.Value = sarama.ByteEncoder(each.Value)
		}
		for _, header := range each.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
		}
		messages = append(messages, message)
	}
	sender, err := producer(request)
	if err == nil {
		err = sender.SendMessages(messages)
	}
	offsets := []int64{}
	for _, each := range messages {
		offsets = append(offsets, each.Offset)
	}
	return driver.Answer{"offsets": offsets}, err
}

func consume(request driver.Request) (driver.Answer, error) {
	config := config()
	if request.Isolation == "read_committed" {
		config.Consumer.IsolationLevel = sarama.ReadCommitted
	}
	if request.Narrow {
		config.Consumer.Fetch.Default = 1
	}
	consumer, err := sarama.NewConsumer(os.Args[1:], config)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	start, err := startOffset(request)
	if err != nil {
		return nil, err
	}
	partition, err := consumer.ConsumePartition(request.Topic, request.Partition, start)
	if err != nil {
		return nil, err
	}
	defer partition.Close()
	if request.Then != nil {
		if _, err := produce(*request.Then); err != nil {
			return nil, err
		}
	}
	records, deadline := []driver.Record{}, time.After(driver.ConsumeTimeout)
	for len(records) < request.Count {
		select {
		case each := <-partition.Messages():
			records = append(records, written(each))
		case <-deadline:
			return driver.Answer{"records": records}, nil
		}
	}
	return driver.Answer{"records": records}, nil
}

func startOffset(request driver.Request) (int64, error) {
	switch from := request.From; {
	case from.Offset != nil:
		return *from.Offset, nil
	case from.TimeMS != nil:
		return client.GetOffset(request.Topic, request.Partition, *from.TimeMS)
	case from.Name == "latest":
		return sarama.OffsetNewest, nil
	default:
		return sarama.OffsetOldest, nil
	}
}

func written(message *sarama.ConsumerMessage) driver.Record {
	headers := []*driver.Header{}
	for _, each := range message.Headers {
		headers = append(headers, &driver.Header{Key: string(each.Key), Value: each.Value})
	}
	return driver.Record{
		Offset: message.Offset, Timestamp: message.Timestamp.UnixMilli(), Key: message.Key, Value: message.Value, Headers: headers,
	}
}
