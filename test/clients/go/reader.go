// The reader: generated code, and what proto/wire.md says.
package main

import (
	"fmt"
	"hash/crc32"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	pb "tickwire.example/reader/gen/tickwire/v1"
)

// Topic is one topic of one connection: its chain, which is a base that moves on, the generation of that base, and
// the position, which is an epoch and a sequence.
type Topic struct {
	base       *pb.Base
	generation uint64
	position   *[2]uint64
	bids, asks map[string]string
}

func unzigzag(code uint64) int64 { return int64(code>>1) ^ -int64(code&1) }

// read says what a batch is; the chain is gone unless the batch was read to its end.
func (t *Topic) read(batch *pb.Batch) (said object) {
	defer func() {
		if problem := recover(); problem != nil {
			_ = problem.(string)
			t.base, said = nil, object{"reading": "malformed"}
		}
	}()
	check(batch.Base != nil || !batch.Snapshot, "a snapshot has no base")
	if batch.Base != nil {
		t.start(batch)
	}
	base := t.base
	said = object{"topicId": batch.TopicId, "reading": "lost"}
	if t.base = nil; base == nil {
		return said
	}
	check(len(batch.Times) >= 2, "no times")
	perEvent := 1 + min(1, int(base.VenueTimeUnitUs))
	count := (len(batch.Times) - 2) / perEvent
	before, last := base.Sequence, base.Sequence
	if !batch.Snapshot {
		last += batch.Skipped + uint64(count)
	}
	follows := batch.Times[0] == last%127+127*t.generation && (len(batch.Times)-2)%perEvent == 0
	if !follows || (batch.LastSequence != 0 && batch.LastSequence != last) {
		check(batch.Base == nil, "a batch contradicts its base")
		return said
	}
	events := readTimes(base, batch.Times[2:], perEvent, count)
	base.Sequence, said["epoch"], said["sequence"] = last, base.Epoch, last
	if pb.Channel_name[int32(base.Channel)] == "" || base.Channel == 0 {
		t.position, said["reading"] = &[2]uint64{base.Epoch, last}, "unknown"
		return said
	}
	readers[base.Channel](base, batch, events)
	for index, event := range events {
		if event["sequence"] = last; !batch.Snapshot {
			event["sequence"] = last - uint64(count-1-index)
		}
	}
	if !batch.Snapshot {
		t.base = base
	}
	said["publishedTimeUs"] = base.ReceivedTimeUs + unzigzag(batch.Times[1])
	return t.place(batch, [2]uint64{base.Epoch, last}, before, events, said)
}

// start begins the chain of a base, whose offsets become the times themselves.
func (t *Topic) start(batch *pb.Batch) {
	base := batch.Base
	check(base.VenueTimeUnitUs <= 1 || base.VenueTimeUnitUs == 1000, "a unit that is none")
	check(base.TradeIdDigits <= 18 && base.TradeIdForm <= 2, "ids that are none")
	check(slices.Max(append(base.Scales, base.PriceScale, base.SizeScale)) <= 1000, "a scale that is none")
	check(len(batch.Times) > 0 && batch.Times[0] < 127*128, "no generation")
	base.VenueTimeOffsetUs += base.ReceivedTimeUs
	base.VenueTimeReceivedOffsetUs += base.ReceivedTimeUs
	t.base, t.generation = base, batch.Times[0]/127
}

// place adds what a batch means at the position of the topic, and moves the position to the end of the batch.
func (t *Topic) place(batch *pb.Batch, end [2]uint64, before uint64, events []object, said object) object {
	known, same := t.position, t.position != nil && t.position[0] == end[0]
	if same && (batch.Snapshot && before < known[1] || !batch.Snapshot && end[1] <= known[1] && len(events) > 0) {
		return object{"topicId": batch.TopicId, "reading": "old"}
	}
	t.position, said["reading"], said["events"] = &end, "news", events
	if batch.Snapshot {
		said["reading"] = "state"
	} else if known != nil && !same {
		said["gap"] = "unknown"
	} else if same {
		said["events"] = slices.DeleteFunc(events, func(e object) bool { return e["sequence"].(uint64) <= known[1] })
		if end[1] = max(end[1], known[1]); before > known[1] {
			said["gap"] = []uint64{known[1] + 1, before}
		}
	}
	if batch.Skipped != 0 && !batch.Snapshot {
		said["skipped"] = batch.Skipped
	}
	for _, event := range said["events"].([]object) {
		t.bids, t.asks = keptLevels(t.bids, event, "bids"), keptLevels(t.asks, event, "asks")
	}
	return said
}

// keptLevels is one side of a book after an event: sizes by price.
func keptLevels(levels map[string]string, event object, side string) map[string]string {
	changes, is := event[side].([][]string)
	if !is {
		return levels
	}
	if levels == nil || event["replaces"] == true {
		levels = map[string]string{}
	}
	for _, change := range changes {
		if levels[change[0]] = change[1]; change[1] == "0" {
			delete(levels, change[0])
		}
	}
	return levels
}

// compare says whether the levels come to what the gateway says, if it is of where the topic is.
func (t *Topic) compare(said *pb.BookChecksum) object {
	reading := object{"topicId": said.TopicId, "reading": "checksum", "epoch": said.Epoch, "sequence": said.Sequence}
	if t.position != nil && *t.position == [2]uint64{said.Epoch, said.Sequence} {
		text := levelsText(t.bids, -1) + "|" + levelsText(t.asks, 1)
		reading["matches"] = crc32.ChecksumIEEE([]byte(text)) == said.Crc32
	}
	return reading
}

// levelsText writes one side of a book, the best level first.
func levelsText(levels map[string]string, sign int) (text string) {
	prices := slices.SortedFunc(maps.Keys(levels), func(a, b string) int {
		one, _ := new(big.Rat).SetString(a)
		other, _ := new(big.Rat).SetString(b)
		return sign * one.Cmp(other)
	})
	for _, price := range prices[:min(1000, len(prices))] {
		text += price + ":" + levels[price] + ","
	}
	return text
}

func readTimes(base *pb.Base, entries []uint64, perEvent, count int) []object {
	events, unit := make([]object, count), int64(base.VenueTimeUnitUs)
	for index := range events {
		base.ReceivedTimeUs += int64(entries[index*perEvent])
		events[index] = object{"receivedTimeUs": base.ReceivedTimeUs}
		if code := entries[(index+1)*perEvent-1]; unit != 0 && code != 0 {
			span := base.ReceivedTimeUs - base.VenueTimeReceivedOffsetUs
			base.VenueTimeOffsetUs += unzigzag(code-1)*unit + span - (span%unit+unit)%unit
			base.VenueTimeReceivedOffsetUs = base.ReceivedTimeUs
			events[index]["venueTimeUs"] = base.VenueTimeOffsetUs
		}
	}
	return events
}

// rows are the messages of the channels whose events are fields of a message.
var rows = map[pb.Channel]protoreflect.ProtoMessage{2: &pb.Quote{}, 4: &pb.Candle{}, 5: &pb.Ticker{},
	6: &pb.Funding{}, 7: &pb.MarkPrice{}, 8: &pb.OpenInterest{}}

var readers = []func(*pb.Base, *pb.Batch, []object){nil, readTrades, readFields, readBooks, readFields, readFields,
	readFields, readFields, readFields, readRows, readRows, readRows}

// fieldsOf lists the fields of a message but for sequence and times.
func fieldsOf(message protoreflect.Message) (fields []protoreflect.FieldDescriptor) {
	for i := range message.Descriptor().Fields().Len() {
		field := message.Descriptor().Fields().Get(i)
		if !strings.Contains(" sequence venue_time_us received_time_us ", " "+string(field.Name())+" ") {
			fields = append(fields, field)
		}
	}
	return fields
}

// columnOf finds the column that is named after a field.
func columnOf(batch protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.List {
	message, parts := strings.ToLower(string(field.Parent().Name())), unitEnd.FindStringSubmatch(string(field.Name()))
	name, unit := parts[1], parts[2]
	for _, column := range []string{name + "s", name + "_prices", message + "_" + name + "s", name} {
		if found := batch.Descriptor().Fields().ByName(protoreflect.Name(column + unit)); found != nil {
			return batch.Get(found).List()
		}
	}
	panic("no column for " + parts[0])
}

// word is buyer for AGGRESSOR_SIDE_BUYER, and so on.
func word(enum protoreflect.EnumDescriptor, number protoreflect.EnumNumber) string {
	prefix := strings.TrimSuffix(string(enum.Values().Get(0).Name()), "UNSPECIFIED")
	if value := enum.Values().ByNumber(number); value != nil && number != 0 {
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix)), "_", "-")
	}
	return map[string]string{"AGGRESSOR_SIDE_": "none", "TOPIC_STATE_": "syncing"}[prefix]
}

var plainDecimal, unitEnd = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`), regexp.MustCompile(`^(.*?)(_us|_ms)?$`)
var needless = regexp.MustCompile(`(\.[0-9]*[1-9])0+$|\.0*$`)

// trim leaves out the zeros at the end of a fraction.
func trim(text string) string { return needless.ReplaceAllString(text, "$1") }

// texts returns what gives the number at a place: the text there, or else what the sums came to.
func texts(batch *pb.Batch, places int) func(place int, number int64, scale uint32) string {
	found := map[int]string{}
	for _, text := range batch.Texts {
		check(plainDecimal.MatchString(text.Text) && len(text.Text) <= 1002, "a text is no decimal")
		check(int64(text.Index) < int64(places), "a text beyond its column")
		found[int(text.Index)] = trim(text.Text)
	}
	return func(place int, number int64, scale uint32) string {
		if text, is := found[place]; is {
			return text
		}
		digits := fmt.Sprintf("%0*d", int(scale)+1, uint64(max(number, -number)))
		split := len(digits) - int(scale)
		return map[bool]string{true: "-"}[number < 0] + trim(digits[:split]+"."+digits[split:])
	}
}

func readRows(base *pb.Base, batch *pb.Batch, events []object) {
	elements := batch.ProtoReflect().Descriptor().Fields().ByNumber(31 + protoreflect.FieldNumber(base.Channel))
	list := batch.ProtoReflect().Get(elements).List()
	check(list.Len() == len(events), "rows")
	for index, event := range events {
		row := list.Get(index).Message()
		for _, field := range fieldsOf(row) {
			switch name := field.JSONName(); {
			case field.HasPresence() && !row.Has(field):
			case field.Enum() != nil:
				event[name] = word(field.Enum(), row.Get(field).Enum())
			default:
				event[name] = row.Get(field).Interface()
			}
		}
	}
}

type entry struct {
	price, size string
	flags       uint64
}

// readEntries reads `prices` and `sizes`: of each entry the price, the size and the flags.
func readEntries(base *pb.Base, batch *pb.Batch, isBook bool) (entries []entry) {
	text, sizes := texts(batch, 2*len(batch.Prices)), batch.Sizes
	for index, code := range batch.Prices {
		flags, chain, size := code&3, &base.Price, uint64(0)
		if isBook && flags >= 2 {
			chain = &base.AskPrice
		}
		*chain += unzigzag(code >> 2)
		if !isBook || flags&1 == 0 {
			check(len(sizes) > 0 && sizes[0] < 1<<63, "sizes")
			size, sizes = sizes[0], sizes[1:]
		}
		price := text(2*index, *chain, base.PriceScale)
		entries = append(entries, entry{price, text(2*index+1, int64(size), base.SizeScale), flags})
	}
	check(len(sizes) == 0, "sizes")
	return entries
}

func readTrades(base *pb.Base, batch *pb.Batch, events []object) {
	entries, deltas := readEntries(base, batch, false), batch.TradeIdDeltas
	check(len(entries) == len(events) && (base.TradeIdForm != 2 || len(batch.TradeIds) == len(events)), "trade_ids")
	check(base.TradeIdForm != 1 || len(deltas) == 0 || len(deltas) == len(events), "trade_id_deltas")
	for index, e := range entries {
		event := events[index]
		event["price"], event["size"], event["tradeId"] = e.price, e.size, ""
		event["aggressorSide"] = word(pb.AggressorSide(0).Descriptor(), protoreflect.EnumNumber(e.flags))
		if base.TradeIdForm == 2 {
			event["tradeId"] = batch.TradeIds[index]
		} else if base.TradeIdForm == 1 {
			base.TradeId += append(deltas, 1)[min(index, len(deltas))]
			event["tradeId"] = base.TradeIdPrefix + fmt.Sprintf("%0*d", base.TradeIdDigits, base.TradeId)
		}
		if batch.Historical {
			event["historical"] = true
		}
	}
}

func readBooks(base *pb.Base, batch *pb.Batch, events []object) {
	entries, counts := readEntries(base, batch, true), batch.LevelCounts
	check(len(counts) > 0 || len(events) == 1 || len(events) == len(entries), "prices")
	check(len(counts) == 0 || len(counts) == len(events), "level_counts")
	for index, event := range events {
		count := len(entries) / (len(events) - index)
		if len(counts) > 0 {
			count = int(counts[index])
		}
		check(count <= len(entries), "level_counts")
		sides := [2][][]string{{}, {}}
		for _, e := range entries[:count] {
			check(e.flags >= 2 || len(sides[1]) == 0, "a bid stands behind an ask")
			sides[e.flags/2] = append(sides[e.flags/2], []string{e.price, e.size})
		}
		entries, event["bids"], event["asks"] = entries[count:], sides[0], sides[1]
		if batch.Replaces {
			event["replaces"] = true
		}
	}
	check(len(entries) == 0, "level_counts")
}

func readFields(base *pb.Base, batch *pb.Batch, events []object) {
	known := len(base.Values)
	text := texts(batch, known*len(events))
	check(len(batch.Changes) == 0 || len(batch.Changes) == len(events), "changes")
	base.Scales = append(base.Scales, make([]uint32, known)...)
	for f, field := range fieldsOf(rows[base.Channel].ProtoReflect()) {
		column, at, name := columnOf(batch.ProtoReflect(), field), 0, field.JSONName()
		for index, event := range events {
			isChanged := len(batch.Changes) == 0 && column.Len() > 0
			if isChanged || len(batch.Changes) > 0 && batch.Changes[index]>>f&1 == 1 {
				check(at < column.Len() && f < known, "a column is too short")
				base.Values[f] += column.Get(at).Int()
				at++
			}
			switch {
			case f >= known || base.Absent>>f&1 == 1:
			case field.Kind() == protoreflect.BoolKind:
				event[name] = base.Values[f] != 0
			case field.Kind() == protoreflect.StringKind:
				event[name] = text(known*index+f, base.Values[f], base.Scales[f])
			default:
				event[name] = base.Values[f]
			}
		}
		check(at == column.Len(), "a column is too long")
	}
}
