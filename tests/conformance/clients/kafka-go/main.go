// segmentio's kafka-go does what the story asks.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"clients/library/driver"

	"github.com/segmentio/kafka-go"
)

var (
	// It remembers metadata for so long.
	client  = &kafka.Client{Addr: kafka.TCP(os.Args[1]), Transport: &kafka.Transport{MetadataTTL: time.Millisecond}}
	writers = map[string]*writer{}
	codecs  = map[string]kafka.Compression{
		"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
	acks = map[string]kafka.RequiredAcks{"0": kafka.RequireNone, "1": kafka.RequireOne, "all": kafka.RequireAll}
)

func main() {
	if driver.IsMember() {
		member()
		return
	}
	driver.Serve(
		driver.Hello{
			Commands:     []string{"create", "grow", "describe", "list", "delete", "offsets", "produce", "consume"},
			Compressions: driver.Compressions, Acks: driver.Acks,
			// It reads null and empty alike, answers from what it remembers, goes on behind what was deleted, and looks
			// only whether it has found the topic.
			Differs: map[string]any{"empty": true, "metadata": true, "consume what was deleted": nil, "produce to a bad topic name": 3},
		},
		patient, errorCode)
}

// patient asks again if a question went out on a connection that the broker's restart has closed: this client leaves
// that to whoever asks.
func patient(request driver.Request) (driver.Answer, error) {
	asks := slices.Contains([]string{"describe", "list", "offsets"}, request.Do)
	for deadline := time.Now().Add(driver.ConsumeTimeout); ; time.Sleep(100 * time.Millisecond) {
		found, err := answer(request)
		if _, known := errorCode(err); err == nil || known || !asks || time.Now().After(deadline) {
			return found, err
		}
	}
}

func errorCode(err error) (int16, bool) {
	var many kafka.WriteErrors
	if errors.As(err, &many) {
		err = many[0]
	}
	var known kafka.Error
	if !errors.As(err, &known) {
		return 0, false
	}
	return int16(known), true
}

func answer(request driver.Request) (driver.Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*driver.ConsumeTimeout)
	defer cancel()
	topic := request.Topic
	switch request.Do {
	case "create":
		return nil, create(ctx, request)
	case "grow":
		configs := []kafka.TopicPartitionsConfig{{Name: topic, Count: request.Partitions}}
		found, err := client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: configs})
		if err == nil {
			err = found.Errors[topic]
		}
		return nil, err
	case "describe":
		return describe(ctx, topic)
	case "list":
		topics := []string{}
		found, err := client.Metadata(ctx, &kafka.MetadataRequest{})
		if err == nil {
			for _, each := range found.Topics {
				topics = append(topics, each.Name)
			}
		}
		return driver.Answer{"topics": topics}, err
	case "delete":
		found, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err == nil {
			err = found.Errors[topic]
		}
		return nil, err
	case "offsets":
		return offsets(ctx, request)
	case "produce":
		return produce(ctx, request)
	case "consume":
		return consume(ctx, request)
	}
	return nil, fmt.Errorf("no such word: %s", request.Do)
}

func create(ctx context.Context, request driver.Request) error {
	config := kafka.TopicConfig{
		Topic: request.Topic, NumPartitions: int(request.Partitions), ReplicationFactor: int(request.Replicas),
	}
	for name, value := range request.Settings {
		config.ConfigEntries = append(config.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	found, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}})
	if err != nil {
		return err
	}
	return found.Errors[request.Topic]
}

func describe(ctx context.Context, topic string) (driver.Answer, error) {
	found, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, err
	}
	partitions := make([]driver.Partition, len(found.Topics[0].Partitions))
	for _, each := range found.Topics[0].Partitions {
		partitions[each.ID] = driver.Partition{
			Partition: int32(each.ID), Leader: int32(each.Leader.ID), Replicas: numbers(each.Replicas), ISR: numbers(each.Isr)}
	}
	return driver.Answer{"partitions": partitions}, found.Topics[0].Error
}

func numbers(brokers []kafka.Broker) []int32 {
	numbers := []int32{}
	for _, each := range brokers {
		numbers = append(numbers, int32(each.ID))
	}
	return numbers
}

func offsets(ctx context.Context, request driver.Request) (driver.Answer, error) {
	number := int(request.Partition)
	wanted := []kafka.OffsetRequest{kafka.FirstOffsetOf(number), kafka.LastOffsetOf(number)}
	found, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{request.Topic: wanted}})
	if err != nil {
		return nil, err
	}
	partition := found.Topics[request.Topic][0]
	return driver.Answer{"earliest": partition.FirstOffset, "latest": partition.LastOffset}, partition.Error
}

// writer chooses the partition that was asked for, and keeps the offsets that it was told.
type writer struct {
	kafka.Writer
	partition int
	offsets   []int64
}

func (w *writer) Balance(kafka.Message, ...int) int { return w.partition }

func (w *writer) completed(messages []kafka.Message, _ error) {
	for _, each := range messages {
		w.offsets = append(w.offsets, each.Offset)
	}
}

// Writers are kept: they have to live through the broker's restarts.
func writerFor(request driver.Request) *writer {
	key := fmt.Sprint(request.Compression, request.Acks)
	if writers[key] == nil {
		made := &writer{Writer: kafka.Writer{
			Addr: client.Addr, Compression: codecs[request.Compression], RequiredAcks: acks[request.Acks],
			BatchTimeout: 20 * time.Millisecond, MaxAttempts: 20, Transport: client.Transport,
		}}
		made.Balancer, made.Completion = made, made.completed
		writers[key] = made
	}
	return writers[key]
}

func produce(ctx context.Context, request driver.Request) (driver.Answer, error) {
	messages := []kafka.Message{}
	for _, each := range request.Records {
		message := kafka.Message{Topic: request.Topic, Time: time.UnixMilli(each.Timestamp), Key: each.Key, Value: each.Value}
		for _, header := range each.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: header.Key, Value: header.Value})
		}
		messages = append(messages, message)
	}
	sender := writerFor(request)
	sender.partition, sender.offsets = int(request.Partition), nil
	err := sender.WriteMessages(ctx, messages...)
	return driver.Answer{"offsets": sender.offsets}, err
}

func consume(ctx context.Context, request driver.Request) (driver.Answer, error) {
	config := kafka.ReaderConfig{
		Brokers: os.Args[1:], Topic: request.Topic, Partition: int(request.Partition), MaxWait: 500 * time.Millisecond,
		OffsetOutOfRangeError: true,
	}
	if request.Isolation == "read_committed" {
		config.IsolationLevel = kafka.ReadCommitted
	}
	if request.Narrow {
		config.MaxBytes = 1
	}
	reader := kafka.NewReader(config)
	defer reader.Close()
	if err := seek(ctx, reader, request.From); err != nil {
		return nil, err
	}
	if request.Then != nil {
		go produceOnceFetching(ctx, reader, *request.Then)
	}
	ctx, cancel := context.WithTimeout(ctx, driver.ConsumeTimeout)
	defer cancel()
	records := []driver.Record{}
	for len(records) < request.Count {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		records = append(records, written(message))
	}
	return driver.Answer{"records": records}, nil
}

func seek(ctx context.Context, reader *kafka.Reader, from driver.Place) error {
	switch {
	case from.Offset != nil:
		return reader.SetOffset(*from.Offset)
	case from.TimeMS != nil:
		return reader.SetOffsetAt(ctx, time.UnixMilli(*from.TimeMS))
	case from.Name == "latest":
		return reader.SetOffset(kafka.LastOffset)
	default:
		return reader.SetOffset(kafka.FirstOffset)
	}
}

// The reader has found the end once it fetches.
func produceOnceFetching(ctx context.Context, reader *kafka.Reader, request driver.Request) {
	for reader.Stats().Fetches == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	_, err := produce(ctx, request)
	driver.Check(err)
}

func written(message kafka.Message) driver.Record {
	headers := []*driver.Header{}
	for _, each := range message.Headers {
		headers = append(headers, &driver.Header{Key: each.Key, Value: each.Value})
	}
	return driver.Record{
		Offset: message.Offset, Timestamp: message.Time.UnixMilli(), Key: message.Key, Value: message.Value, Headers: headers,
	}
}
