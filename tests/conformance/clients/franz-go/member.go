package main

import (
	"context"
	"os"
	"time"

	"clients/library/driver"

	"github.com/twmb/franz-go/pkg/kgo"
)

// member joins a group until it is told to leave.
func member() {
	told := func(_ context.Context, _ *kgo.Client, parts map[string][]int32) { driver.Assigned(parts[os.Args[3]]) }
	lost := func(context.Context, *kgo.Client, map[string][]int32) { driver.Assigned(nil) }
	client := connect(
		kgo.ConsumerGroup(os.Args[2]), kgo.ConsumeTopics(os.Args[3]), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Balancers(kgo.RangeBalancer()),
		kgo.SessionTimeout(10*time.Second), kgo.HeartbeatInterval(500*time.Millisecond), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(told), kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost))
	over := driver.Over()
	for {
		select {
		case <-over:
			client.AllowRebalance()
			client.Close()
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		fetches := client.PollFetches(ctx)
		cancel()
		records := fetches.Records()
		ends := map[int32]int64{}
		for _, record := range records {
			driver.Read(record.Partition, record.Offset)
			ends[record.Partition] = record.Offset + 1
		}
		ctx, cancel = context.WithTimeout(context.Background(), 10*time.Second)
		if len(records) > 0 && client.CommitRecords(ctx, records...) == nil {
			for partition, offset := range ends {
				driver.Committed(partition, offset)
			}
		}
		cancel()
		client.AllowRebalance()
	}
}
