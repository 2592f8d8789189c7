"""Reads the vectors of proto/vectors: generated code and what proto/wire.md says.

    python reader.py GENERATED VECTORS

GENERATED is the folder that protoc wrote the Python code of the schema to. Prints a line for each
vector and exits with 1 if one is read otherwise than it says.
"""

import collections
import json
import pathlib
import re
import sys

from google.protobuf.message import DecodeError

FIELDS = {
    2: [("bidPrice", "bid_prices"), ("bidSize", "bid_sizes"), ("askPrice", "ask_prices"),
        ("askSize", "ask_sizes")],
    4: [("intervalMs", "intervals_ms"), ("openTimeUs", "open_times_us"), ("open", "open_prices"),
        ("high", "high_prices"), ("low", "low_prices"), ("close", "close_prices"),
        ("volume", "volumes"), ("quoteVolume", "quote_volumes"), ("tradeCount", "trade_counts"),
        ("closed", "closed")],
    5: [("lastPrice", "last_prices"), ("lastSize", "last_sizes"), ("openPrice", "open_prices"),
        ("highPrice", "high_prices"), ("lowPrice", "low_prices"), ("volume", "volumes"),
        ("quoteVolume", "quote_volumes"), ("bidPrice", "bid_prices"),
        ("askPrice", "ask_prices")],
    6: [("rate", "funding_rates"), ("nextFundingTimeUs", "next_funding_times_us"),
        ("intervalMs", "intervals_ms")],
    7: [("markPrice", "mark_prices"), ("indexPrice", "index_prices")],
    8: [("openInterest", "open_interests"), ("openInterestValue", "open_interest_values")],
}
INTEGERS = {"intervalMs", "openTimeUs", "tradeCount", "nextFundingTimeUs"}
CHANNELS = ["", "trades", "quotes", "book", "candles", "ticker", "funding", "mark-price",
            "open-interest", "liquidations", "status"]
STATES = ["syncing", "syncing", "live", "stale", "gap", "resyncing", "down"]
SIDES = ["none", "buyer", "seller", "none"]


class Malformed(Exception):
    """What no gateway sends."""


def check(condition, problem):
    if not condition:
        raise Malformed(problem)


def wrap(number):
    return (number + 2**63) % 2**64 - 2**63


def unzigzag(code):
    return (code >> 1) ^ -(code & 1)


def decimal(number, scale):
    digits = str(abs(number)).rjust(scale + 1, "0")
    split = len(digits) - scale
    fraction = digits[split:].rstrip("0")
    return ("-" if number < 0 else "") + digits[:split] + ("." + fraction if fraction else "")


def trimmed(text):
    is_decimal = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)
    check(is_decimal and len(text) <= 1002, "a text is no decimal")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Topic:
    """One topic of one connection: its chain and its position."""

    def __init__(self):
        self.base = self.position = None

    def start(self, base):
        check(base.venue_time_unit_us in (0, 1, 1000), "a unit that is none")
        check(base.trade_id_digits <= 18 and base.trade_id_form <= 2, "ids that are none")
        check(max(base.price_scale, base.size_scale, *base.scales) <= 1000, "a scale")
        self.base = base
        self.sequence, self.received = base.sequence, base.received_time_us
        self.venue = wrap(self.received + base.venue_time_offset_us)
        self.venue_received = wrap(self.received + base.venue_time_received_offset_us)
        self.price, self.ask_price, self.trade_id = base.price, base.ask_price, base.trade_id
        fields = len(FIELDS.get(base.channel, ()))
        self.values = (list(base.values) + [0] * fields)[:fields]
        self.scales = (list(base.scales) + [0] * fields)[:fields]

    def read(self, batch):
        """What the batch says; the chain is gone unless it was read to its end."""
        based = batch.HasField("base")
        if based:
            self.start(batch.base)
        if self.base is None:
            return {"topicId": batch.topic_id, "reading": "lost"}
        check(len(batch.times) >= 2, "no times")
        check(based or not batch.snapshot, "a snapshot has no base")
        base, self.base = self.base, None
        unit = base.venue_time_unit_us
        count, rest = divmod(len(batch.times) - 2, 2 if unit else 1)
        before = self.sequence
        last = before if batch.snapshot else before + batch.skipped + count
        follows = rest == 0 and batch.times[0] == last % 127
        if not follows or batch.last_sequence not in (0, last):
            check(not based, "a batch contradicts its base")
            return {"topicId": batch.topic_id, "reading": "lost"}
        events = self.read_times(batch.times, unit, count)
        published = self.received + unzigzag(batch.times[1])
        self.sequence = last
        if not 0 < base.channel < len(CHANNELS):
            self.position = (base.epoch, last)
            return {"topicId": batch.topic_id, "reading": "unknown", "epoch": base.epoch,
                    "sequence": last}
        texts = {text.index: trimmed(text.text) for text in batch.texts}
        for index, payload in enumerate(self.read_payload(base, batch, count, texts)):
            events[index].update(payload)
            events[index]["sequence"] = last if batch.snapshot else last - count + 1 + index
        if not batch.snapshot:
            self.base = base
        return self.place(batch, base.epoch, before, last, published, events)

    def place(self, batch, epoch, before, last, published, events):
        said = {"topicId": batch.topic_id, "epoch": epoch, "sequence": last,
                "publishedTimeUs": published}
        same = self.position is not None and self.position[0] == epoch
        known = self.position[1] if same else -1
        if before < known if batch.snapshot else last <= known and events:
            return {"topicId": batch.topic_id, "reading": "old"}
        if batch.snapshot:
            self.position = (epoch, before)
            return {**said, "reading": "state", "events": events}
        if batch.skipped:
            said["skipped"] = batch.skipped
        if self.position is not None and not same:
            said["gap"] = "unknown"
        if same and before > known:
            said["gap"] = [known + 1, before]
        self.position = (epoch, max(last, known))
        said["events"] = [event for event in events if event["sequence"] > known]
        return {**said, "reading": "news"}

    def read_times(self, times, unit, count):
        events, entries = [], iter(times[2:])
        for _ in range(count):
            self.received = wrap(self.received + next(entries))
            event = {"receivedTimeUs": self.received}
            if code := next(entries) if unit else 0:
                passed = (self.received - self.venue_received) // unit
                self.venue = wrap(self.venue + (unzigzag(code - 1) + passed) * unit)
                self.venue_received = self.received
                event["venueTimeUs"] = self.venue
            events.append(event)
        return events

    def read_payload(self, base, batch, count, texts):
        if base.channel == 1:
            return self.read_trades(base, batch, count, texts)
        if base.channel == 3:
            return self.read_books(base, batch, count, texts)
        if base.channel in (9, 10):
            rows = batch.liquidations if base.channel == 9 else batch.statuses
            check(len(rows) == count, "rows")
            return map(liquidation if base.channel == 9 else status, rows)
        return self.read_fields(base, batch, count, texts)

    def read_entries(self, base, batch, texts, is_book):
        """Price, size and flags of each entry of `prices`."""
        entries, sizes = [], list(reversed(batch.sizes))
        for index, code in enumerate(batch.prices):
            step, flags = unzigzag(code // 4), code % 4
            if is_book and flags >= 2:
                value = self.ask_price = wrap(self.ask_price + step)
            else:
                value = self.price = wrap(self.price + step)
            size = 0
            if not (is_book and flags % 2):
                check(sizes, "sizes")
                size = sizes.pop()
            check(size < 2**63, "a size is 2^63 or more")
            entries.append((texts.get(2 * index, decimal(value, base.price_scale)),
                            texts.get(2 * index + 1, decimal(size, base.size_scale)), flags))
        check(not sizes, "sizes")
        check(all(place < 2 * len(entries) for place in texts), "a text beyond its column")
        return entries

    def read_trades(self, base, batch, count, texts):
        entries = self.read_entries(base, batch, texts, False)
        check(len(entries) == count, "prices")
        deltas = list(batch.trade_id_deltas) or [1] * count
        check(base.trade_id_form != 1 or len(deltas) == count, "trade_id_deltas")
        check(base.trade_id_form != 2 or len(batch.trade_ids) == count, "trade_ids")
        for index, (price, size, flags) in enumerate(entries):
            trade_id = batch.trade_ids[index] if base.trade_id_form == 2 else ""
            if base.trade_id_form == 1:
                self.trade_id = wrap(self.trade_id + deltas[index])
                digits = str(self.trade_id).rjust(base.trade_id_digits, "0")
                trade_id = base.trade_id_prefix + digits
            event = {"price": price, "size": size, "aggressorSide": SIDES[flags],
                     "tradeId": trade_id}
            yield {**event, "historical": True} if batch.historical else event

    def read_books(self, base, batch, count, texts):
        entries = self.read_entries(base, batch, texts, True)
        one_each = [len(entries)] if count == 1 else [1] * len(entries)
        counts = list(batch.level_counts) or one_each
        check(len(counts) == count and sum(counts) == len(entries), "level_counts")
        start = 0
        for levels in counts:
            event = {"replaces": True} if batch.replaces else {}
            some, start = entries[start:start + levels], start + levels
            asks = [flags >= 2 for _, _, flags in some]
            check(asks == sorted(asks), "a bid stands behind an ask")
            event["bids"] = [[price, size] for price, size, flags in some if flags < 2]
            event["asks"] = [[price, size] for price, size, flags in some if flags >= 2]
            yield event

    def read_fields(self, base, batch, count, texts):
        fields = FIELDS[base.channel]
        columns = [list(reversed(getattr(batch, column))) for _, column in fields]
        full = [bool(column) for column in columns]
        check(len(batch.changes) in (0, count), "changes")
        known = len(base.values)
        check(all(place < known * count for place in texts), "a text beyond its column")
        for index in range(count):
            event = {}
            for field, (name, _) in enumerate(fields):
                changed = batch.changes[index] >> field & 1 if batch.changes else full[field]
                if changed:
                    check(columns[field], "a column is too short")
                    self.values[field] = wrap(self.values[field] + columns[field].pop())
                value = self.values[field]
                if base.absent >> field & 1 or field >= known:
                    continue
                if name == "closed":
                    event[name] = value != 0
                elif name in INTEGERS:
                    event[name] = value
                else:
                    exact = decimal(value, self.scales[field])
                    event[name] = texts.get(known * index + field, exact)
            yield event
        check(not any(columns), "a column is too long")


def liquidation(row):
    side = SIDES[row.aggressor_side] if 0 <= row.aggressor_side < len(SIDES) else "none"
    event = {"price": row.price, "size": row.size, "aggressorSide": side}
    return {**event, "liquidationId": row.liquidation_id} if row.HasField("liquidation_id") else event


def status(row):
    return {"channel": CHANNELS[row.channel], "state": STATES[row.state], "reason": row.reason,
            "sinceTimeUs": row.since_time_us}


class Client:
    """One connection. `frame` says what each batch of a frame is."""

    def __init__(self, server_frame):
        self.server_frame = server_frame
        self.topics = collections.defaultdict(Topic)

    def frame(self, data):
        try:
            frame = self.server_frame.FromString(data)
        except DecodeError:
            return [{"reading": "malformed"}]
        readings = []
        for batch in frame.batches:
            topic = self.topics[batch.topic_id]
            try:
                readings.append(topic.read(batch))
            except Malformed:
                topic.base = None
                readings.append({"reading": "malformed"})
        return readings


def main(generated, vectors):
    sys.path.insert(0, generated)
    from tickwire.v1 import frame_pb2

    wrong = 0
    for path in sorted(pathlib.Path(vectors).glob("*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        client, problem = Client(frame_pb2.ServerFrame), None
        for number, step in enumerate(vector["steps"]):
            if "resume" in step:
                at = step["resume"]
                client.topics[at["topicId"]].position = (at["epoch"], at["sequence"])
            got = client.frame(bytes.fromhex(step["frame"]))
            if got != step["batches"]:
                problem = problem or f"step {number}: got {json.dumps(got)}"
        wrong += problem is not None
        print("WRONG" if problem else "ok", path.name, problem or "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
