// Package main reads frames with generated code and what proto/wire.md says. A line of standard input is a frame in
// hex, answered with a line of what its batches say, or "resume ID EPOCH SEQUENCE", the position that a client has.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"google.golang.org/protobuf/proto"
	pb "tickwire.example/reader/gen/tickwire/v1"
)

type object = map[string]any

// check panics with a text where a batch is what no gateway sends.
func check(condition bool, problem string) {
	if !condition {
		panic(problem)
	}
}

func main() {
	topics, lines, out := map[uint32]*Topic{}, bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Buffer(nil, 1<<26); lines.Scan(); {
		var id uint32
		position, frame, readings := [2]uint64{}, &pb.ServerFrame{}, []object{}
		if n, _ := fmt.Sscanf(lines.Text(), "resume %d %d %d", &id, &position[0], &position[1]); n == 3 {
			topics[id] = &Topic{position: &position}
			continue
		}
		data, _ := hex.DecodeString(lines.Text())
		if proto.Unmarshal(data, frame) != nil {
			frame, readings = &pb.ServerFrame{}, append(readings, object{"reading": "malformed"})
		}
		topic := func(id uint32) *Topic {
			if topics[id] == nil {
				topics[id] = &Topic{}
			}
			return topics[id]
		}
		for _, message := range frame.Messages {
			if said := message.GetBookChecksum(); said != nil {
				readings = append(readings, topic(said.TopicId).compare(said))
			}
		}
		for _, batch := range frame.Batches {
			readings = append(readings, topic(batch.TopicId).read(batch))
		}
		_ = out.Encode(readings)
	}
}
