package driver

import (
	"encoding/json"
	"io"
	"os"
	"sync"
)

// A member of a group says what happens, one line of JSON each; library/group_story.py has the words.

var saying sync.Mutex

func say(what map[string]any) {
	saying.Lock()
	defer saying.Unlock()
	Check(json.NewEncoder(os.Stdout).Encode(what))
}

// IsMember is whether the program is to be a member of the group os.Args[2], for the topic os.Args[3].
func IsMember() bool { return len(os.Args) == 4 }

// Assigned says which partitions the member has now.
func Assigned(partitions []int32) { say(map[string]any{"assigned": append([]int32{}, partitions...)}) }

// Read says that the member has read a record.
func Read(partition int32, offset int64) {
	say(map[string]any{"record": []int64{int64(partition), offset}})
}

// Committed says which offset comes next.
func Committed(partition int32, offset int64) {
	say(map[string]any{"committed": [][]int64{{int64(partition), offset}}})
}

// Over is closed when nobody listens any more, and the member is to leave.
func Over() <-chan struct{} {
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	return over
}
