package main

import (
	"regexp"
	"strconv"
	"strings"

	pb "tickwire.example/reader/gen/tickwire/v1"
)

var channels = []string{"", "trades", "quotes", "book", "candles", "ticker", "funding", "mark-price",
	"open-interest", "liquidations", "status"}
var sides = []string{"none", "buyer", "seller", "none"}
var states = []string{"syncing", "syncing", "live", "stale", "gap", "resyncing", "down"}

type field struct {
	name   string
	column func(*pb.Batch) []int64
}

// fields of the channels whose values travel as differences, in the order of their bits.
var fields = map[pb.Channel][]field{
	pb.Channel_CHANNEL_QUOTES: {{"bidPrice", (*pb.Batch).GetBidPrices}, {"bidSize", (*pb.Batch).GetBidSizes},
		{"askPrice", (*pb.Batch).GetAskPrices}, {"askSize", (*pb.Batch).GetAskSizes}},
	pb.Channel_CHANNEL_CANDLES: {{"intervalMs", (*pb.Batch).GetIntervalsMs},
		{"openTimeUs", (*pb.Batch).GetOpenTimesUs}, {"open", (*pb.Batch).GetOpenPrices},
		{"high", (*pb.Batch).GetHighPrices}, {"low", (*pb.Batch).GetLowPrices},
		{"close", (*pb.Batch).GetClosePrices}, {"volume", (*pb.Batch).GetVolumes},
		{"quoteVolume", (*pb.Batch).GetQuoteVolumes}, {"tradeCount", (*pb.Batch).GetTradeCounts},
		{"closed", (*pb.Batch).GetClosed}},
	pb.Channel_CHANNEL_TICKER: {{"lastPrice", (*pb.Batch).GetLastPrices}, {"lastSize", (*pb.Batch).GetLastSizes},
		{"openPrice", (*pb.Batch).GetOpenPrices}, {"highPrice", (*pb.Batch).GetHighPrices},
		{"lowPrice", (*pb.Batch).GetLowPrices}, {"volume", (*pb.Batch).GetVolumes},
		{"quoteVolume", (*pb.Batch).GetQuoteVolumes}, {"bidPrice", (*pb.Batch).GetBidPrices},
		{"askPrice", (*pb.Batch).GetAskPrices}},
	pb.Channel_CHANNEL_FUNDING: {{"rate", (*pb.Batch).GetFundingRates},
		{"nextFundingTimeUs", (*pb.Batch).GetNextFundingTimesUs}, {"intervalMs", (*pb.Batch).GetIntervalsMs}},
	pb.Channel_CHANNEL_MARK_PRICE: {{"markPrice", (*pb.Batch).GetMarkPrices},
		{"indexPrice", (*pb.Batch).GetIndexPrices}},
	pb.Channel_CHANNEL_OPEN_INTEREST: {{"openInterest", (*pb.Batch).GetOpenInterests},
		{"openInterestValue", (*pb.Batch).GetOpenInterestValues}},
}

var integers = map[string]bool{"intervalMs": true, "openTimeUs": true, "tradeCount": true, "nextFundingTimeUs": true}

func decimal(number int64, scale uint32) string {
	digits, sign := strconv.FormatInt(number, 10), ""
	if number < 0 {
		digits, sign = digits[1:], "-"
	}
	if missing := int(scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	split := len(digits) - int(scale)
	return trim(sign + digits[:split] + "." + digits[split:])
}

func trim(text string) string { return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") }

var plainDecimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func readTexts(batch *pb.Batch, places int) map[int]string {
	texts := map[int]string{}
	for _, text := range batch.Texts {
		check(plainDecimal.MatchString(text.Text) && len(text.Text) <= 1002, "a text is no decimal")
		check(int64(text.Index) < int64(places), "a text beyond its column")
		texts[int(text.Index)] = text.Text
		if strings.Contains(text.Text, ".") {
			texts[int(text.Index)] = trim(text.Text)
		}
	}
	return texts
}

func (t *Topic) readPayload(base *pb.Base, batch *pb.Batch, events []object) {
	switch base.Channel {
	case pb.Channel_CHANNEL_TRADES:
		t.readTrades(base, batch, events)
	case pb.Channel_CHANNEL_BOOK:
		t.readBooks(base, batch, events)
	case pb.Channel_CHANNEL_LIQUIDATIONS:
		check(len(batch.Liquidations) == len(events), "liquidations")
		for index, row := range batch.Liquidations {
			event := events[index]
			event["price"], event["size"], event["aggressorSide"] = row.Price, row.Size, sides[row.AggressorSide&3]
			if row.LiquidationId != nil {
				event["liquidationId"] = *row.LiquidationId
			}
		}
	case pb.Channel_CHANNEL_STATUS:
		check(len(batch.Statuses) == len(events), "statuses")
		for index, row := range batch.Statuses {
			event := events[index]
			event["channel"], event["state"] = channels[row.Channel], states[row.State]
			event["reason"], event["sinceTimeUs"] = row.Reason, row.SinceTimeUs
		}
	default:
		t.readFields(base, batch, events)
	}
}

type entry struct {
	price, size string
	flags       uint64
}

// readEntries reads `prices` and `sizes`: of each entry the price, the size and the flags.
func (t *Topic) readEntries(base *pb.Base, batch *pb.Batch, isBook bool) []entry {
	texts := readTexts(batch, 2*len(batch.Prices))
	entries, sizes := []entry{}, batch.Sizes
	for index, code := range batch.Prices {
		flags, chain, size := code&3, &t.price, uint64(0)
		if isBook && flags >= 2 {
			chain = &t.askPrice
		}
		*chain += unzigzag(code >> 2)
		if !isBook || flags&1 == 0 {
			check(len(sizes) > 0 && sizes[0] < 1<<63, "sizes")
			size, sizes = sizes[0], sizes[1:]
		}
		e := entry{decimal(*chain, base.PriceScale), decimal(int64(size), base.SizeScale), flags}
		if text, is := texts[2*index]; is {
			e.price = text
		}
		if text, is := texts[2*index+1]; is {
			e.size = text
		}
		entries = append(entries, e)
	}
	check(len(sizes) == 0, "sizes")
	return entries
}

func (t *Topic) readTrades(base *pb.Base, batch *pb.Batch, events []object) {
	entries := t.readEntries(base, batch, false)
	deltas := batch.TradeIdDeltas
	check(len(entries) == len(events), "prices")
	check(base.TradeIdForm != 1 || len(deltas) == 0 || len(deltas) == len(events), "trade_id_deltas")
	check(base.TradeIdForm != 2 || len(batch.TradeIds) == len(events), "trade_ids")
	for index, e := range entries {
		event, id := events[index], ""
		if base.TradeIdForm == 2 {
			id = batch.TradeIds[index]
		} else if base.TradeIdForm == 1 {
			if len(deltas) == 0 {
				t.tradeID++
			} else {
				t.tradeID += deltas[index]
			}
			id = strconv.FormatInt(t.tradeID, 10)
			if missing := int(base.TradeIdDigits) - len(id); missing > 0 {
				id = strings.Repeat("0", missing) + id
			}
			id = base.TradeIdPrefix + id
		}
		event["price"], event["size"], event["aggressorSide"], event["tradeId"] = e.price, e.size, sides[e.flags], id
		if batch.Historical {
			event["historical"] = true
		}
	}
}

func (t *Topic) readBooks(base *pb.Base, batch *pb.Batch, events []object) {
	entries := t.readEntries(base, batch, true)
	counts := batch.LevelCounts
	if len(counts) == 0 && len(events) == 1 {
		counts = []uint32{uint32(len(entries))}
	} else if len(counts) == 0 {
		for range entries {
			counts = append(counts, 1)
		}
	}
	check(len(counts) == len(events), "level_counts")
	for index, event := range events {
		check(int64(counts[index]) <= int64(len(entries)), "level_counts")
		bids, asks := [][]string{}, [][]string{}
		for _, e := range entries[:counts[index]] {
			if e.flags >= 2 {
				asks = append(asks, []string{e.price, e.size})
				continue
			}
			check(len(asks) == 0, "a bid stands behind an ask")
			bids = append(bids, []string{e.price, e.size})
		}
		entries = entries[counts[index]:]
		event["bids"], event["asks"] = bids, asks
		if batch.Replaces {
			event["replaces"] = true
		}
	}
	check(len(entries) == 0, "level_counts")
}

func (t *Topic) readFields(base *pb.Base, batch *pb.Batch, events []object) {
	list := fields[base.Channel]
	known := len(base.Values)
	texts := readTexts(batch, known*len(events))
	check(len(batch.Changes) == 0 || len(batch.Changes) == len(events), "changes")
	for f, field := range list {
		column := field.column(batch)
		isFull := len(column) > 0
		scale := uint32(0)
		if f < len(base.Scales) {
			scale = base.Scales[f]
		}
		for index, event := range events {
			isChanged := isFull
			if len(batch.Changes) > 0 {
				isChanged = batch.Changes[index]>>f&1 == 1
			}
			if isChanged {
				check(len(column) > 0, "a column is too short")
				t.values[f] += column[0]
				column = column[1:]
			}
			text, isText := texts[known*index+f]
			switch {
			case base.Absent>>f&1 == 1 || f >= known:
			case field.name == "closed":
				event[field.name] = t.values[f] != 0
			case integers[field.name]:
				event[field.name] = t.values[f]
			case isText:
				event[field.name] = text
			default:
				event[field.name] = decimal(t.values[f], scale)
			}
		}
		check(len(column) == 0, "a column is too long")
	}
}
