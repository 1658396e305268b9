// A short life of franz-go.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const topic = "golden-franz-go"

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	plain := connect()
	admin := kadm.NewClient(plain)
	_, err := admin.CreateTopic(ctx, 2, 1, nil, topic)
	check(err)
	check(plain.ProduceSync(ctx, record("value", 0)).FirstErr())

	transactional := connect(kgo.TransactionalID("golden-franz-go-transaction"))
	check(transactional.BeginTransaction())
	check(transactional.ProduceSync(ctx, record("in a transaction", 1)).FirstErr())
	check(transactional.EndTransaction(ctx, kgo.TryCommit))
	transactional.Close()

	consumer := connect(
		kgo.ConsumerGroup("golden-franz-go"), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(300*time.Millisecond),
		kgo.FetchMaxWait(500*time.Millisecond),
	)
	fetches := consumer.PollFetches(ctx)
	check(fetches.Err0())
	check(consumer.CommitRecords(ctx, fetches.Records()...))
	time.Sleep(time.Second)
	check(consumer.LeaveGroupContext(ctx))
	consumer.Close()

	_, err = admin.ListEndOffsets(ctx, topic)
	check(err)
	_, err = admin.FetchOffsets(ctx, "golden-franz-go")
	check(err)
	_, err = admin.DeleteTopics(ctx, topic)
	check(err)
	plain.Close()
}

func connect(options ...kgo.Opt) *kgo.Client {
	options = append(options,
		kgo.SeedBrokers(os.Args[1]), kgo.ClientID("golden-franz-go"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	client, err := kgo.NewClient(options...)
	check(err)
	return client
}

func record(value string, partition int32) *kgo.Record {
	headers := []kgo.RecordHeader{{Key: "header", Value: []byte("1")}, {Key: "header", Value: []byte("2")}}
	return &kgo.Record{Topic: topic, Partition: partition, Key: []byte("key"), Value: []byte(value), Headers: headers}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
