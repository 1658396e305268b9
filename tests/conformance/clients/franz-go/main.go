// franz-go does what the story asks.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"clients/library/driver"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	client    *kgo.Client
	admin     *kadm.Client
	producers = map[string]*kgo.Client{}
	codecs    = map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	acks = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}
)

func main() {
	if driver.IsMember() {
		member()
		return
	}
	client = connect()
	admin = kadm.NewClient(client)
	driver.Serve(
		driver.Hello{Commands: driver.All, Compressions: driver.Compressions, Acks: driver.Acks, Idempotent: true},
		answer, errorCode)
}

func errorCode(err error) (int16, bool) {
	var known *kerr.Error
	if !errors.As(err, &known) {
		return 0, false
	}
	return known.Code, true
}

func connect(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(os.Args[1]))...)
	driver.Check(err)
	return client
}

func answer(request driver.Request) (driver.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*driver.ConsumeTimeout)
	defer cancel()
	topic := request.Topic
	switch request.Do {
	case "create":
		settings := map[string]*string{}
		for name, value := range request.Settings {
			settings[name] = &value
		}
		_, err := admin.CreateTopic(ctx, request.Partitions, request.Replicas, settings, topic)
		return nil, err
	case "grow":
		answers, err := admin.UpdatePartitions(ctx, int(request.Partitions), topic)
		return nil, errors.Join(err, answers.Error())
	case "describe":
		return describe(ctx, topic)
	case "list":
		// By a request of its own: what it lists otherwise it may remember from a moment ago.
		found, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, client)
		topics := []string{}
		if err == nil {
			for _, each := range found.Topics {
				topics = append(topics, *each.Topic)
			}
		}
		return driver.Answer{"topics": topics}, err
	case "delete":
		answers, err := admin.DeleteTopics(ctx, topic)
		return nil, errors.Join(err, answers.Error())
	case "delete_records":
		offsets := kadm.Offsets{}
		offsets.AddOffset(topic, request.Partition, request.Offset, -1)
		answers, err := admin.DeleteRecords(ctx, offsets)
		return nil, errors.Join(err, answers.Error())
	case "offsets":
		earliest, err := admin.ListStartOffsets(ctx, topic)
		latest, errLatest := admin.ListEndOffsets(ctx, topic)
		first, _ := earliest.Lookup(topic, request.Partition)
		end, _ := latest.Lookup(topic, request.Partition)
		return driver.Answer{"earliest": first.Offset, "latest": end.Offset}, errors.Join(err, errLatest, first.Err, end.Err)
	case "produce":
		return produce(ctx, request)
	case "consume":
		return consume(ctx, request)
	}
	return nil, fmt.Errorf("no such word: %s", request.Do)
}

func describe(ctx context.Context, topic string) (driver.Answer, error) {
	topics, err := admin.ListTopics(ctx, topic)
	partitions := []driver.Partition{}
	for _, each := range topics[topic].Partitions.Sorted() {
		partitions = append(partitions, driver.Partition{
			Partition: each.Partition, Leader: each.Leader, Replicas: each.Replicas, ISR: each.ISR})
	}
	return driver.Answer{"partitions": partitions}, errors.Join(err, topics[topic].Err)
}

// Producers are kept: they have to live through the broker's restarts.
func producer(request driver.Request) *kgo.Client {
	key := fmt.Sprint(request.Compression, request.Acks, request.Idempotent)
	if producers[key] == nil {
		options := []kgo.Opt{
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(codecs[request.Compression]),
			kgo.RequiredAcks(acks[request.Acks]), kgo.ProducerLinger(20 * time.Millisecond),
			kgo.UnknownTopicRetries(1), kgo.MetadataMinAge(100 * time.Millisecond),
		}
		if !request.Idempotent {
			options = append(options, kgo.DisableIdempotentWrite())
		}
		producers[key] = connect(options...)
	}
	return producers[key]
}

func produce(ctx context.Context, request driver.Request) (driver.Answer, error) {
	records := []*kgo.Record{}
	for _, each := range request.Records {
		record := &kgo.Record{
			Topic: request.Topic, Partition: request.Partition, Timestamp: time.UnixMilli(each.Timestamp), Key: each.Key, Value: each.Value,
		}
		for _, header := range each.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
		}
		records = append(records, record)
	}
	err := producer(request).ProduceSync(ctx, records...).FirstErr()
	offsets := []int64{}
	for _, each := range records {
		offsets = append(offsets, each.Offset)
	}
	return driver.Answer{"offsets": offsets}, err
}

// fetching says when the client has sent its first Fetch: then it knows where the end is.
type fetching chan struct{}

func (f fetching) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.Fetch) {
		select {
		case f <- struct{}{}:
		default:
		}
	}
}

func consume(ctx context.Context, request driver.Request) (driver.Answer, error) {
	start, from := kgo.NewOffset(), request.From
	switch {
	case from.Offset != nil:
		start = start.At(*from.Offset)
	case from.TimeMS != nil:
		start = start.AfterMilli(*from.TimeMS)
	case from.Name == "latest":
		start = start.AtEnd()
	default:
		start = start.AtStart()
	}
	began := make(fetching, 1)
	options := []kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{request.Topic: {request.Partition: start}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.WithHooks(began),
	}
	if request.Isolation == "read_committed" {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if request.Narrow {
		options = append(options, kgo.FetchMaxBytes(1), kgo.FetchMaxPartitionBytes(1))
	}
	consumer := connect(options...)
	defer consumer.Close()
	if request.Then != nil {
		<-began
		if _, err := produce(ctx, *request.Then); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, driver.ConsumeTimeout)
	defer cancel()
	records := []driver.Record{}
	for len(records) < request.Count {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(each *kgo.Record) { records = append(records, written(each)) })
	}
	return driver.Answer{"records": records}, nil
}

func written(record *kgo.Record) driver.Record {
	headers := []*driver.Header{}
	for _, each := range record.Headers {
		headers = append(headers, &driver.Header{Key: each.Key, Value: each.Value})
	}
	return driver.Record{
		Offset: record.Offset, Timestamp: record.Timestamp.UnixMilli(), Key: record.Key, Value: record.Value, Headers: headers,
	}
}
