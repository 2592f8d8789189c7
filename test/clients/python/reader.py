"""Reads frames with generated code and what proto/wire.md says.

    python reader.py GENERATED

GENERATED is the folder that protoc wrote the Python code of the schema to. A line of standard input
is a frame in hex, answered with a line of what its batches say, or "resume ID EPOCH SEQUENCE", the
position that a client has.
"""

import collections
import json
import re
import sys
import zlib
from decimal import Decimal

from google.protobuf.message import DecodeError

# The messages of the channels whose events are fields of a message.
ROWS = {2: "Quote", 4: "Candle", 5: "Ticker", 6: "Funding", 7: "MarkPrice", 8: "OpenInterest",
        9: "Liquidation", 10: "TopicStatus", 11: "Listing"}
HEAD = {"sequence", "venue_time_us", "received_time_us"}


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


def fields_of(message):
    return [field for field in message.fields if field.name not in HEAD]


def column_of(batch, field):
    """The column that is named after a field."""
    name, unit = re.fullmatch(r"(.*?)(_us|_ms|)", field.name).groups()
    message = field.containing_type.name.lower()
    names = [f"{name}s{unit}", f"{name}_prices", f"{message}_{name}s{unit}", field.name]
    return next(getattr(batch, each) for each in names if hasattr(batch, each))


def word(enum, number):
    """`buyer` for AGGRESSOR_SIDE_BUYER, and so on."""
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    if number and number in enum.values_by_number:
        name = enum.values_by_number[number].name
        return name.removeprefix(prefix).lower().replace("_", "-")
    return {"AGGRESSOR_SIDE_": "none", "TOPIC_STATE_": "syncing"}.get(prefix, "")


class Topic:
    """One topic of one connection: its chain and its position."""

    def __init__(self):
        self.base = self.position = None
        self.levels = {"bids": {}, "asks": {}}

    def start(self, base):
        check(base.venue_time_unit_us in (0, 1, 1000), "a unit that is none")
        check(base.trade_id_digits <= 18 and base.trade_id_form <= 2, "ids that are none")
        check(max(base.price_scale, base.size_scale, *base.scales) <= 1000, "a scale")
        self.base = base
        self.sequence, self.received = base.sequence, base.received_time_us
        self.venue = wrap(self.received + base.venue_time_offset_us)
        self.venue_received = wrap(self.received + base.venue_time_received_offset_us)
        self.price, self.ask_price, self.trade_id = base.price, base.ask_price, base.trade_id
        self.values = list(base.values)
        self.scales = list(base.scales) + [0] * len(self.values)

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
        self.generation = batch.times[0] // 127 if based else self.generation
        mark = last % 127 + 127 * self.generation
        follows = rest == 0 and batch.times[0] == mark and self.generation < 128
        if not follows or batch.last_sequence not in (0, last):
            check(not based, "a batch contradicts its base")
            return {"topicId": batch.topic_id, "reading": "lost"}
        events = self.read_times(batch.times, unit, count)
        published = self.received + unzigzag(batch.times[1])
        self.sequence = last
        if base.channel not in {1, 3, *ROWS}:
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
            self.keep_levels(events)
            return {**said, "reading": "state", "events": events}
        if batch.skipped:
            said["skipped"] = batch.skipped
        if self.position is not None and not same:
            said["gap"] = "unknown"
        if same and before > known:
            said["gap"] = [known + 1, before]
        self.position = (epoch, max(last, known))
        said["events"] = [event for event in events if event["sequence"] > known]
        self.keep_levels(said["events"])
        return {**said, "reading": "news"}

    def keep_levels(self, events):
        for event in events:
            for side in self.levels.keys() & event.keys():
                levels = {} if event.get("replaces") else self.levels[side]
                levels.update(event[side])
                self.levels[side] = {price: size for price, size in levels.items() if size != "0"}

    def compare(self, said):
        """Whether the levels come to what the gateway says, if it is of where this is."""
        reading = {"topicId": said.topic_id, "reading": "checksum", "epoch": said.epoch,
                   "sequence": said.sequence}
        if self.position != (said.epoch, said.sequence):
            return reading
        sides = []
        for side, levels in self.levels.items():
            best = sorted(levels.items(), key=lambda level: Decimal(level[0]), reverse=side == "bids")
            sides.append("".join(f"{price}:{size}," for price, size in best[:1000]))
        return {**reading, "matches": zlib.crc32("|".join(sides).encode()) == said.crc32}

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
        if 9 <= base.channel <= 11:
            rows = (batch.liquidations, batch.statuses, batch.listings)[base.channel - 9]
            check(len(rows) == count, "rows")
            return map(event_of_row, rows)
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
        sides = batch.DESCRIPTOR.file.pool.FindEnumTypeByName("tickwire.v1.AggressorSide")
        for index, (price, size, flags) in enumerate(entries):
            trade_id = batch.trade_ids[index] if base.trade_id_form == 2 else ""
            if base.trade_id_form == 1:
                self.trade_id = wrap(self.trade_id + deltas[index])
                digits = str(self.trade_id).rjust(base.trade_id_digits, "0")
                trade_id = base.trade_id_prefix + digits
            event = {"price": price, "size": size, "aggressorSide": word(sides, flags),
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
        schema = batch.DESCRIPTOR.file.pool
        fields = fields_of(schema.FindMessageTypeByName(f"tickwire.v1.{ROWS[base.channel]}"))
        columns = [list(reversed(column_of(batch, field))) for field in fields]
        full = [bool(column) for column in columns]
        check(len(batch.changes) in (0, count), "changes")
        known = len(base.values)
        check(all(place < known * count for place in texts), "a text beyond its column")
        for index in range(count):
            event = {}
            for number, field in enumerate(fields):
                mask = batch.changes[index] >> number if batch.changes else full[number]
                if mask & 1:
                    check(columns[number] and number < known, "a column is too short")
                    self.values[number] = wrap(self.values[number] + columns[number].pop())
                if number >= known or base.absent >> number & 1:
                    continue
                value = self.values[number]
                if field.type == field.TYPE_BOOL:
                    value = value != 0
                elif field.type == field.TYPE_STRING:
                    value = texts.get(known * index + number, decimal(value, self.scales[number]))
                event[field.json_name] = value
            yield event
        check(not any(columns), "a column is too long")


def event_of_row(row):
    event = {}
    for field in fields_of(row.DESCRIPTOR):
        value = getattr(row, field.name)
        if field.has_presence and not row.HasField(field.name):
            continue
        event[field.json_name] = word(field.enum_type, value) if field.enum_type else value
    return event


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
        for said in frame.messages:
            if said.HasField("book_checksum"):
                topic = self.topics[said.book_checksum.topic_id]
                readings.append(topic.compare(said.book_checksum))
        for batch in frame.batches:
            topic = self.topics[batch.topic_id]
            try:
                readings.append(topic.read(batch))
            except Malformed:
                topic.base = None
                readings.append({"reading": "malformed"})
        return readings


def main(generated):
    sys.path.insert(0, generated)
    from tickwire.v1 import candle_pb2, derivative_pb2, frame_pb2, quote_pb2, ticker_pb2  # noqa: F401

    client = Client(frame_pb2.ServerFrame)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "resume":
            topic_id, epoch, sequence = map(int, words[1:])
            client.topics[topic_id].position = (epoch, sequence)
        else:
            print(json.dumps(client.frame(bytes.fromhex(words[0]))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
