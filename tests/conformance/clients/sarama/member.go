package main

import (
	"context"
	"os"
	"time"

	"clients/library/driver"

	"github.com/IBM/sarama"
)

type handler struct{}

func (handler) Setup(session sarama.ConsumerGroupSession) error {
	driver.Assigned(session.Claims()[os.Args[3]])
	return nil
}

func (handler) Cleanup(sarama.ConsumerGroupSession) error {
	driver.Assigned(nil)
	return nil
}

func (handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		driver.Read(message.Partition, message.Offset)
		session.MarkMessage(message, "")
		session.Commit()
		// It does not say whether it could: the story looks at what the group has committed in the end.
		driver.Committed(message.Partition, message.Offset+1)
	}
	return nil
}

// member joins a group until it is told to leave.
func member() {
	settings := config()
	settings.Consumer.Offsets.Initial = sarama.OffsetOldest
	settings.Consumer.Offsets.AutoCommit.Enable = false
	settings.Consumer.Group.Session.Timeout = 10 * time.Second
	settings.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	settings.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	settings.Metadata.RefreshFrequency = time.Second
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-driver.Over()
		cancel()
	}()
	group, err := sarama.NewConsumerGroup(os.Args[1:2], os.Args[2], settings)
	driver.Check(err)
	for ctx.Err() == nil {
		if group.Consume(ctx, os.Args[3:], handler{}) != nil {
			// The broker is being restarted.
			time.Sleep(200 * time.Millisecond)
		}
	}
	driver.Check(group.Close())
}
