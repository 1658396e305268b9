package main

import (
	"context"
	"maps"
	"os"
	"slices"
	"time"

	"clients/library/driver"

	"github.com/segmentio/kafka-go"
)

// member joins a group until it is told to leave. Its Reader does not tell what it is assigned: one generation at a
// time does.
func member() {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: os.Args[2], Brokers: os.Args[1:2], Topics: os.Args[3:4], StartOffset: kafka.FirstOffset,
		GroupBalancers:    []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, JoinGroupBackoff: 200 * time.Millisecond,
		RebalanceTimeout: 10 * time.Second,
	})
	driver.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-driver.Over()
		cancel()
	}()
	for ctx.Err() == nil {
		generation, err := group.Next(ctx)
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		parts := map[int32]int64{}
		for _, each := range generation.Assignments[os.Args[3]] {
			parts[int32(each.ID)] = each.Offset
		}
		driver.Assigned(slices.Sorted(maps.Keys(parts)))
		for partition, offset := range parts {
			generation.Start(func(ctx context.Context) { follow(ctx, generation, partition, offset) })
		}
	}
	driver.Check(group.Close())
}

// follow reads a partition until the generation is over.
func follow(ctx context.Context, generation *kafka.Generation, partition int32, offset int64) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: os.Args[1:2], Topic: os.Args[3], Partition: int(partition), MaxWait: 200 * time.Millisecond})
	defer reader.Close()
	driver.Check(reader.SetOffset(offset))
	for {
		message, err := reader.ReadMessage(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		driver.Read(partition, message.Offset)
		if generation.CommitOffsets(map[string]map[int]int64{os.Args[3]: {int(partition): message.Offset + 1}}) == nil {
			driver.Committed(partition, message.Offset+1)
		}
	}
}
