// CPU nanoseconds an event of the codec of batches, beside what protobufjs's generated classes make
// of the same bytes. The comparison is hard on the codec: it makes differences of values, and sums
// back of them, while protobufjs only moves columns that are ready. "encode" writes numbers into a
// publisher's columns, event by event, and makes a batch of them; "encode rows" starts from the
// objects that events are elsewhere.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  BatchReader,
  BatchWriter,
  elementLength,
  PendingBooks,
  PendingQuotes,
  PendingTrades,
  putElement,
  rowsOf,
} from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { alternate, row } from "./measure.mjs";
import { loadDescriptors } from "./descriptors.mjs";

/** Few enough to stay in the cache of a core, as events do that have just come. */
const EVENTS = 2_048;
const EPOCH = 1_767_225_600_000_000;
const PER_BATCH = [1, 16, 64, 256];

// xorshift32: the same numbers in every run.
let state = 0x9e3779b9;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function trades() {
  let price = 42_000_00;
  let time = EPOCH;
  let id = 3_141_592_653;
  return Array.from({ length: EVENTS }, () => {
    price += random(21) - 10;
    time += random(3_000);
    id += 1;
    return {
      venueTimeUs: time - 40_000 - random(2_000),
      receivedTimeUs: time,
      priceMantissa: price,
      priceScale: 2,
      sizeMantissa: 1 + random(5_000_000),
      sizeScale: 8,
      ...(random(2) === 0
        ? { aggressorSide: "buyer", side: 1 }
        : { aggressorSide: "seller", side: 2 }),
      tradeId: String(id),
      id,
      historical: false,
    };
  });
}

function quotes() {
  let row = {
    bidPriceMantissa: 42_000_00,
    bidSizeMantissa: 5,
    askPriceMantissa: 42_000_01,
    askSizeMantissa: 7,
  };
  return trades().map(({ venueTimeUs, receivedTimeUs }) => {
    if (random(3) === 0) {
      const step = random(5) - 2;
      row = {
        ...row,
        bidPriceMantissa: row.bidPriceMantissa + step,
        askPriceMantissa: row.askPriceMantissa + step,
      };
    }
    row = { ...row, [random(2) === 0 ? "bidSizeMantissa" : "askSizeMantissa"]: random(90_000) };
    return { venueTimeUs, receivedTimeUs, priceScale: 2, sizeScale: 3, ...row };
  });
}

function books() {
  const columns = (mid, sign) => {
    const prices = [];
    const sizes = [];
    for (let level = 0; level < 5; level += 1) {
      prices.push(mid + sign * (1 + random(400)));
      sizes.push(random(4) === 0 ? 0 : 1 + random(5_000_000));
    }
    return { prices, sizes };
  };
  return trades().map(({ venueTimeUs, receivedTimeUs, priceMantissa }) => ({
    venueTimeUs,
    receivedTimeUs,
    snapshot: false,
    priceScale: 2,
    sizeScale: 8,
    bids: columns(priceMantissa, -1),
    asks: columns(priceMantissa, 1),
  }));
}

/** Writes rows into columns that are empty, as whoever reads a venue's frame does. */
function fill(columns, kind, rows) {
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index];
    columns.reserve();
    columns.receivedTimesUs[index] = row.receivedTimeUs;
    columns.venueTimesUs[index] = row.venueTimeUs;
    if (kind === "trades") {
      columns.prices[index] = row.priceMantissa;
      columns.sizes[index] = row.sizeMantissa;
      columns.sides[index] = row.side;
      columns.ids[index] = row.id;
    } else if (kind === "quotes") {
      columns.bidPrices[index] = row.bidPriceMantissa;
      columns.bidSizes[index] = row.bidSizeMantissa;
      columns.askPrices[index] = row.askPriceMantissa;
      columns.askSizes[index] = row.askSizeMantissa;
    } else {
      fillLevels(columns, row.bids);
      fillLevels(columns, row.asks);
      columns.bidCounts[index] = row.bids.prices.length;
      columns.askCounts[index] = row.asks.prices.length;
    }
    columns.count = index + 1;
  }
}

function fillLevels(columns, { prices, sizes }) {
  columns.reserveLevels(prices.length);
  const first = columns.levelCount;
  for (let index = 0; index < prices.length; index += 1) {
    columns.prices[first + index] = prices[index];
    columns.sizes[first + index] = sizes[index];
  }
  columns.levelCount = first + prices.length;
}

const COLUMNS_OF = { trades: PendingTrades, quotes: PendingQuotes, books: PendingBooks };

function columnsOf(kind, { priceScale, sizeScale }) {
  const columns = new COLUMNS_OF[kind]();
  columns.priceScale = priceScale;
  columns.sizeScale = sizeScale;
  return columns;
}

function chained(kind, parts) {
  const writer = new BatchWriter({ kind, epoch: EPOCH });
  return parts.flatMap((rows, index) =>
    writer.write({ kind, rows }, { publishedTimeUs: EPOCH }).map((batch) => {
      const withBase = index === 0 || batch.rebase;
      const bytes = new Uint8Array(elementLength(batch, 5, withBase));
      putElement(bytes, 0, batch, { topicId: 5, withBase });
      // Tag and length: one byte each, or two for the length.
      return bytes.subarray(bytes.length < 130 ? 2 : bytes.length < 16_387 ? 3 : 4);
    }),
  );
}

/**
 * What the pass before made. A topic has its writer and its reader for as long as it lives: if none
 * were alive between two turns, V8 would forget what they look like, and compile everything anew.
 */
const alive = { writer: undefined, reader: undefined, generated: undefined, message: undefined };

/**
 * For what nothing that encodes rows can be faster than: their numbers are read and stored, ids
 * made of their texts, and that is all.
 */
const stored = Array.from({ length: 7 }, () => new Float64Array(10 * PER_BATCH.at(-1)));

function readOnly(parts) {
  const [received, venue, prices, sizes, otherPrices, otherSizes, flags] = stored;
  for (const rows of parts) {
    let level = 0;
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index];
      received[index] = row.receivedTimeUs;
      venue[index] = row.venueTimeUs;
      if (row.bids !== undefined) {
        for (const { prices: ofSide, sizes: sizesOfSide } of [row.bids, row.asks]) {
          for (let at = 0; at < ofSide.length; at += 1) {
            prices[level] = ofSide[at];
            sizes[level] = sizesOfSide[at];
            level += 1;
          }
        }
      } else if (row.tradeId === undefined) {
        prices[index] = row.bidPriceMantissa;
        sizes[index] = row.bidSizeMantissa;
        otherPrices[index] = row.askPriceMantissa;
        otherSizes[index] = row.askSizeMantissa;
      } else {
        prices[index] = row.priceMantissa;
        sizes[index] = row.sizeMantissa;
        flags[index] = row.aggressorSide === "buyer" ? 1 : 2;
        let id = 0;
        for (let at = 0; at < row.tradeId.length; at += 1) {
          id = id * 10 + row.tradeId.charCodeAt(at) - 48;
        }
        otherPrices[index] = id;
      }
    }
  }
}

const batchDescriptor = loadDescriptors().getMessage("tickwire.v1.Batch");

function candidates(kind, parts, events) {
  const chain = chained(kind, parts);
  const messages = chain.map((bytes) => fromBinary(batchDescriptor, bytes));
  const generated = chain.map((bytes) => tickwire.v1.Batch.decode(bytes));
  const read = (take) => () => {
    const reader = new BatchReader();
    alive.reader = reader;
    for (const bytes of chain) take(reader.read(bytes).batch);
    return events;
  };
  const decodeGenerated = () => {
    for (const bytes of chain) alive.message = tickwire.v1.Batch.decode(bytes);
    return events;
  };
  const columns = columnsOf(kind, parts[0][0]);
  return {
    encode: () => {
      const writer = new BatchWriter({ kind, epoch: EPOCH });
      alive.writer = writer;
      for (const rows of parts) {
        columns.clear();
        fill(columns, kind, rows);
        writer.writeColumns(columns, { publishedTimeUs: EPOCH });
      }
      return events;
    },
    "encode rows": () => {
      const writer = new BatchWriter({ kind, epoch: EPOCH });
      alive.writer = writer;
      for (const rows of parts) writer.write({ kind, rows }, { publishedTimeUs: EPOCH });
      return events;
    },
    "rows read, nothing encoded": () => {
      readOnly(parts);
      return events;
    },
    "protobufjs, encode": () => {
      for (const message of generated) {
        alive.generated = tickwire.v1.Batch.encode(message);
        alive.generated.finish();
      }
      return events;
    },
    "decode to columns": read(() => undefined),
    "decode to rows": read(rowsOf),
    "@bufbuild/protobuf, encode": () => {
      for (const message of messages) alive.message = toBinary(batchDescriptor, message);
      return events;
    },
    "@bufbuild/protobuf, decode": () => {
      for (const bytes of chain) alive.message = fromBinary(batchDescriptor, bytes);
      return events;
    },
    "protobufjs, decode": decodeGenerated,
    "protobufjs, decode again": decodeGenerated,
  };
}

async function measure(kind, rows, perBatch, rounds) {
  const parts = [];
  for (let at = 0; at < rows.length; at += perBatch) parts.push(rows.slice(at, at + perBatch));
  const samples = await alternate(candidates(kind, parts, rows.length), { rounds });
  const name = `${kind}, ${perBatch} a batch`;
  const encoded = samples["protobufjs, encode"];
  const decoded = samples["protobufjs, decode"];
  const target = perBatch === 1 ? "<= 0.67" : "<= 0.33";
  const line = (candidate, reference, goal) =>
    row(name, candidate, "ns/event", samples[candidate], { reference, target: goal });
  return [
    line("protobufjs, encode"),
    line("encode", encoded, target),
    line("encode rows", encoded),
    line("rows read, nothing encoded", encoded),
    line("@bufbuild/protobuf, encode", encoded),
    line("protobufjs, decode"),
    line("protobufjs, decode again", decoded),
    line("@bufbuild/protobuf, decode", decoded),
    line("decode to columns", decoded, target),
    line("decode to rows", decoded, "<= 0.25"),
  ];
}

export const about = "batches encoded and decoded, beside protobufjs's generated classes";

export async function run({ rounds, quick, only = "" }) {
  const rows = [];
  const kinds = { trades: trades(), quotes: quotes(), books: books() };
  for (const [kind, events] of Object.entries(kinds)) {
    for (const perBatch of quick ? [1, 64] : PER_BATCH) {
      if (!`${kind}, ${perBatch} a batch`.includes(only)) continue;
      rows.push(...(await measure(kind, events, perBatch, rounds)));
    }
  }
  return rows;
}
