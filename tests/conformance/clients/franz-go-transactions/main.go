// franz-go writes transactions.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type request struct {
	Do        string
	Producer  string
	ID        string
	TimeoutMS int32 `json:"timeout_ms"`
	Topic     string
	Records   [][2]any
	Group     string
	Positions [][2]int64
	Commit    bool
}

type producer struct {
	client *kgo.Client
	id     string
	opened bool
}

var producers = map[string]*producer{}

func main() {
	fmt.Println("{}")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		answer := map[string]any{}
		if err := do(asked); err != nil {
			answer["text"] = err.Error()
			answer["error"] = -1
			var known *kerr.Error
			if errors.As(err, &known) {
				answer["error"] = known.Code
			}
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}

func do(asked request) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch asked.Do {
	case "init":
		client, err := kgo.NewClient(
			kgo.SeedBrokers(os.Args[1]), kgo.TransactionalID(asked.ID), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.TransactionTimeout(time.Duration(asked.TimeoutMS)*time.Millisecond))
		if err != nil {
			return err
		}
		producers[asked.Producer] = &producer{client: client, id: asked.ID}
		// It asks for an id when it needs one: now.
		_, _, err = client.ProducerID(ctx)
		return err
	case "send":
		return send(ctx, producers[asked.Producer], asked)
	default:
		one := producers[asked.Producer]
		one.opened = false
		return one.client.EndTransaction(ctx, kgo.TransactionEndTry(asked.Commit))
	}
}

func send(ctx context.Context, one *producer, asked request) error {
	if !one.opened {
		if err := one.client.BeginTransaction(); err != nil {
			return err
		}
		one.opened = true
	}
	var records []*kgo.Record
	for _, record := range asked.Records {
		value := []byte(record[1].(string))
		records = append(records, &kgo.Record{Topic: asked.Topic, Partition: int32(record[0].(float64)), Value: value})
	}
	if err := one.client.ProduceSync(ctx, records...).FirstErr(); err != nil || asked.Group == "" {
		return err
	}
	return commit(ctx, one, asked)
}

// commit does what a GroupTransactSession does, for a group without members.
func commit(ctx context.Context, one *producer, asked request) error {
	id, epoch, err := one.client.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = one.id, id, epoch, asked.Group
	added, err := add.RequestWith(ctx, one.client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return err
	}
	offsets := kmsg.NewTxnOffsetCommitRequest()
	offsets.TransactionalID, offsets.ProducerID, offsets.ProducerEpoch = one.id, id, epoch
	offsets.Group, offsets.Generation = asked.Group, -1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic = asked.Topic
	for _, position := range asked.Positions {
		partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset, partition.LeaderEpoch = int32(position[0]), position[1], -1
		topic.Partitions = append(topic.Partitions, partition)
	}
	offsets.Topics = append(offsets.Topics, topic)
	committed, err := offsets.RequestWith(ctx, one.client)
	if err != nil {
		return err
	}
	for _, topic := range committed.Topics {
		for _, partition := range topic.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return err
			}
		}
	}
	return nil
}
