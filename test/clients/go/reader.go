// Package main reads the vectors of proto/vectors: generated code and what proto/wire.md says.
//
//	go run . VECTORS
//
// Prints a line for each vector and exits with 1 if one is read otherwise than it says.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"google.golang.org/protobuf/proto"
	pb "tickwire.example/reader/gen/tickwire/v1"
)

type object = map[string]any

// Topic is one topic of one connection: its chain and its position.
type Topic struct {
	base                         *pb.Base
	sequence                     uint64
	received, venue, venueAt     int64
	price, askPrice, tradeID     int64
	values                       []int64
	hasPosition                  bool
	positionEpoch, positionAfter uint64
}

// malformed is panicked with where a batch is what no gateway sends.
type malformed struct{ problem string }

func check(condition bool, problem string) {
	if !condition {
		panic(malformed{problem})
	}
}

func unzigzag(code uint64) int64 { return int64(code>>1) ^ -int64(code&1) }

func floorDivide(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

func (t *Topic) start(base *pb.Base) {
	unit := base.VenueTimeUnitUs
	check(unit == 0 || unit == 1 || unit == 1000, "a unit that is none")
	check(base.TradeIdDigits <= 18 && base.TradeIdForm <= 2, "ids that are none")
	check(base.PriceScale <= 1000 && base.SizeScale <= 1000, "a scale that is none")
	for _, scale := range base.Scales {
		check(scale <= 1000, "a scale that is none")
	}
	t.base, t.sequence, t.received = base, base.Sequence, base.ReceivedTimeUs
	t.venue = t.received + base.VenueTimeOffsetUs
	t.venueAt = t.received + base.VenueTimeReceivedOffsetUs
	t.price, t.askPrice, t.tradeID = base.Price, base.AskPrice, base.TradeId
	t.values = make([]int64, len(fields[base.Channel]))
	copy(t.values, base.Values)
}

// read says what a batch is; the chain is gone unless the batch was read to its end.
func (t *Topic) read(batch *pb.Batch) (reading object) {
	defer func() {
		if problem := recover(); problem != nil {
			if _, is := problem.(malformed); !is {
				panic(problem)
			}
			t.base, reading = nil, object{"reading": "malformed"}
		}
	}()
	if batch.Base != nil {
		t.start(batch.Base)
	}
	base := t.base
	t.base = nil
	if base == nil {
		return object{"topicId": batch.TopicId, "reading": "lost"}
	}
	check(len(batch.Times) >= 2, "no times")
	check(batch.Base != nil || !batch.Snapshot, "a snapshot has no base")
	perEvent := 1
	if base.VenueTimeUnitUs != 0 {
		perEvent = 2
	}
	count := (len(batch.Times) - 2) / perEvent
	before, last := t.sequence, t.sequence
	if !batch.Snapshot {
		last += batch.Skipped + uint64(count)
	}
	follows := (len(batch.Times)-2)%perEvent == 0 && batch.Times[0] == last%127
	if !follows || (batch.LastSequence != 0 && batch.LastSequence != last) {
		check(batch.Base == nil, "a batch contradicts its base")
		return object{"topicId": batch.TopicId, "reading": "lost"}
	}
	events := t.readTimes(batch.Times, int64(base.VenueTimeUnitUs), count)
	published := t.received + unzigzag(batch.Times[1])
	t.sequence = last
	if base.Channel < 1 || int(base.Channel) >= len(channels) {
		t.hasPosition, t.positionEpoch, t.positionAfter = true, base.Epoch, last
		return object{"topicId": batch.TopicId, "reading": "unknown", "epoch": base.Epoch, "sequence": last}
	}
	t.readPayload(base, batch, events)
	for index, event := range events {
		event["sequence"] = last
		if !batch.Snapshot {
			event["sequence"] = last - uint64(count-1-index)
		}
	}
	if !batch.Snapshot {
		t.base = base
	}
	return t.place(batch, object{"topicId": batch.TopicId, "epoch": base.Epoch, "sequence": last,
		"publishedTimeUs": published}, before, events)
}

func (t *Topic) place(batch *pb.Batch, said object, before uint64, events []object) object {
	epoch, last := said["epoch"].(uint64), said["sequence"].(uint64)
	same := t.hasPosition && t.positionEpoch == epoch
	isOld := same && last <= t.positionAfter && len(events) > 0
	if batch.Snapshot {
		isOld = same && before < t.positionAfter
	}
	if isOld {
		return object{"topicId": batch.TopicId, "reading": "old"}
	}
	after := t.positionAfter
	hadPosition := t.hasPosition
	t.hasPosition, t.positionEpoch, t.positionAfter = true, epoch, last
	if batch.Snapshot {
		said["reading"], said["events"] = "state", events
		return said
	}
	fresh := []object{}
	for _, event := range events {
		if !same || event["sequence"].(uint64) > after {
			fresh = append(fresh, event)
		}
	}
	said["reading"], said["events"] = "news", fresh
	if batch.Skipped != 0 {
		said["skipped"] = batch.Skipped
	}
	if hadPosition && !same {
		said["gap"] = "unknown"
	} else if same && before > after {
		said["gap"] = []uint64{after + 1, before}
	}
	if same && after > last {
		t.positionAfter = after
	}
	return said
}

func (t *Topic) readTimes(times []uint64, unit int64, count int) []object {
	events := make([]object, count)
	at := 2
	for index := range events {
		t.received += int64(times[at])
		at++
		event := object{"receivedTimeUs": t.received}
		if unit != 0 {
			if code := times[at]; code != 0 {
				t.venue += (unzigzag(code-1) + floorDivide(t.received-t.venueAt, unit)) * unit
				t.venueAt = t.received
				event["venueTimeUs"] = t.venue
			}
			at++
		}
		events[index] = event
	}
	return events
}

// frame says what each batch of a frame is.
func frame(topics map[uint32]*Topic, data []byte) []object {
	message := &pb.ServerFrame{}
	if proto.Unmarshal(data, message) != nil {
		return []object{{"reading": "malformed"}}
	}
	readings := []object{}
	for _, batch := range message.Batches {
		readings = append(readings, topic(topics, batch.TopicId).read(batch))
	}
	return readings
}

func topic(topics map[uint32]*Topic, id uint32) *Topic {
	if topics[id] == nil {
		topics[id] = &Topic{}
	}
	return topics[id]
}

type vector struct {
	Steps []struct {
		Resume *struct {
			TopicID  uint32 `json:"topicId"`
			Epoch    uint64 `json:"epoch"`
			Sequence uint64 `json:"sequence"`
		} `json:"resume"`
		Frame   string `json:"frame"`
		Batches any    `json:"batches"`
	} `json:"steps"`
}

// readVector returns what is wrong, or nothing.
func readVector(path string) string {
	text, err := os.ReadFile(path)
	var v vector
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil {
		return err.Error()
	}
	topics := map[uint32]*Topic{}
	for number, step := range v.Steps {
		if r := step.Resume; r != nil {
			t := topic(topics, r.TopicID)
			t.hasPosition, t.positionEpoch, t.positionAfter = true, r.Epoch, r.Sequence
		}
		data, err := hex.DecodeString(step.Frame)
		if err != nil {
			return err.Error()
		}
		got, _ := json.Marshal(frame(topics, data))
		var plain any
		_ = json.Unmarshal(got, &plain)
		if !reflect.DeepEqual(plain, step.Batches) {
			return fmt.Sprintf("step %d: got %s", number, got)
		}
	}
	return ""
}

func main() {
	paths, _ := filepath.Glob(filepath.Join(os.Args[1], "*.json"))
	wrong := len(paths) == 0
	for _, path := range paths {
		problem := readVector(path)
		verdict := "ok"
		if problem != "" {
			verdict, wrong = "WRONG", true
		}
		fmt.Println(verdict, filepath.Base(path), problem)
	}
	if wrong {
		os.Exit(1)
	}
}
