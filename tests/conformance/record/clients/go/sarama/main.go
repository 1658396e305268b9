// A short life of Sarama.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/IBM/sarama"
)

const topic = "golden-sarama"

func main() {
	brokers := os.Args[1:]
	admin, err := sarama.NewClusterAdmin(brokers, config())
	check(err)
	check(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false))

	producer, err := sarama.NewSyncProducer(brokers, config())
	check(err)
	_, _, err = producer.SendMessage(message("value", 0))
	check(err)
	check(producer.Close())

	transactional := config()
	transactional.Producer.Idempotent = true
	transactional.Producer.Transaction.ID = "golden-sarama-transaction"
	transactional.Net.MaxOpenRequests = 1
	producer, err = sarama.NewSyncProducer(brokers, transactional)
	check(err)
	check(producer.BeginTxn())
	_, _, err = producer.SendMessage(message("in a transaction", 1))
	check(err)
	check(producer.CommitTxn())
	check(producer.Close())

	consume(brokers)

	_, err = admin.ListConsumerGroupOffsets("golden-sarama", map[string][]int32{topic: {0, 1}})
	check(err)
	check(admin.DeleteTopic(topic))
	check(admin.Close())
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.ClientID = "golden-sarama"
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	return config
}

func message(value string, partition int32) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{
		Topic: topic, Partition: partition, Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder(value),
		Headers: []sarama.RecordHeader{{Key: []byte("header"), Value: []byte("1")}},
	}
}

func consume(brokers []string) {
	group, err := sarama.NewConsumerGroup(brokers, "golden-sarama", config())
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	check(group.Consume(ctx, []string{topic}, &untilFirst{cancel: cancel}))
	check(group.Close())
}

// untilFirst ends the session once a record has come and some heartbeats have gone.
type untilFirst struct{ cancel context.CancelFunc }

func (*untilFirst) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*untilFirst) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *untilFirst) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for record := range claim.Messages() {
		session.MarkMessage(record, "")
		session.Commit()
		time.Sleep(time.Second)
		h.cancel()
	}
	return nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
