// Package driver is the loop of every driver that is written in Go: one JSON object a line in, one out.
//
// In strings of the story one character is one byte (Latin-1), so that every byte can be said; names and the keys of
// headers are text.
package driver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

// ConsumeTimeout is how long records that must be there may take to come.
const ConsumeTimeout = time.Minute

// Hello says what a driver can do.
type Hello struct {
	Commands     []string       `json:"commands"`
	Compressions []string       `json:"compressions"`
	Acks         []string       `json:"acks"`
	Idempotent   bool           `json:"idempotent"`
	Differs      map[string]any `json:"differs"`
}

// All are the words that a driver may know.
var All = []string{"create", "grow", "describe", "list", "delete", "delete_records", "offsets", "produce", "consume"}

// Compressions are all that there are.
var Compressions = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// Acks are all that there are.
var Acks = []string{"0", "1", "all"}

// Text holds bytes, or null.
type Text []byte

// Record is one of the story's.
type Record struct {
	Offset    int64     `json:"offset"`
	Timestamp int64     `json:"timestamp"`
	Key       Text      `json:"key"`
	Value     Text      `json:"value"`
	Headers   []*Header `json:"headers"`
}

// Header is a pair: in JSON, an array of two.
type Header struct {
	Key   string
	Value Text
}

// Place says where to start: at an offset, at a time, or, by name, at an end.
type Place struct {
	Name   string
	Offset *int64 `json:"offset"`
	TimeMS *int64 `json:"time"`
}

// Request has what any of the words needs.
type Request struct {
	Do          string            `json:"do"`
	Topic       string            `json:"topic"`
	Partition   int32             `json:"partition"`
	Partitions  int32             `json:"partitions"`
	Replicas    int16             `json:"replicas"`
	Settings    map[string]string `json:"settings"`
	Offset      int64             `json:"offset"`
	Records     []Record          `json:"records"`
	Compression string            `json:"compression"`
	Acks        string            `json:"acks"`
	Idempotent  bool              `json:"idempotent"`
	From        Place             `json:"from"`
	Count       int               `json:"count"`
	Isolation   string            `json:"isolation"`
	Narrow      bool              `json:"narrow"`
	Then        *Request          `json:"then"`
}

// Partition as it is described.
type Partition struct {
	Partition int32   `json:"partition"`
	Leader    int32   `json:"leader"`
	Replicas  []int32 `json:"replicas"`
	ISR       []int32 `json:"isr"`
}

// Error is Kafka's number of an error.
type Error int16

func (e Error) Error() string { return fmt.Sprintf("error %d", int16(e)) }

// Answer is what goes out.
type Answer map[string]any

// Serve answers until standard input ends. An error that `code` knows is Kafka's.
func Serve(hello Hello, answer func(Request) (Answer, error), code func(error) (int16, bool)) {
	output := json.NewEncoder(os.Stdout)
	Check(output.Encode(hello))
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		request := Request{Replicas: 1}
		Check(json.Unmarshal(line, &request))
		found, err := answer(request)
		if err != nil {
			number, known := code(err)
			if !known {
				log.Printf("%s: an error without a number: %v", request.Do, err)
				number = -1
			}
			found = Answer{"error": number, "text": err.Error()}
		}
		if found == nil {
			found = Answer{}
		}
		Check(output.Encode(found))
	}
}

// Check ends the driver on an error that no broker should bring about.
func Check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// UnmarshalJSON makes one byte of each character.
func (t *Text) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil || text == nil {
		*t = nil
		return err
	}
	*t = Text{}
	for _, character := range *text {
		*t = append(*t, byte(character))
	}
	return nil
}

// MarshalJSON makes one character of each byte.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("null"), nil
	}
	characters := make([]rune, len(t))
	for index, each := range t {
		characters[index] = rune(each)
	}
	return json.Marshal(string(characters))
}

// UnmarshalJSON reads the pair.
func (h *Header) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[]any{&h.Key, &h.Value})
}

// MarshalJSON writes the pair.
func (h *Header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.Key, h.Value})
}

// UnmarshalJSON reads a name, or an object.
func (p *Place) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, &p.Name)
	}
	type plain Place
	return json.Unmarshal(data, (*plain)(p))
}
