// CPU nanoseconds an event of the codec of batches, beside what protobufjs's generated classes make
// of the same bytes. The first comparison is hard on the codec: it makes differences of values, and
// sums back of them, while "protobufjs, encode" and "protobufjs, decode" only move columns that are
// ready, without the base that each message of the bus has. "From columns" and "to rows" are what a
// program does that begins and ends where the codec does. "encode" writes numbers into a
// publisher's columns, event by event, and makes a batch of them; "encode rows" starts from the
// objects that events are elsewhere.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { BatchReader, BatchWriter, rowsOf } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { Worker } from "node:worker_threads";
import { EPOCH, allEvents, chained, columnsOf, fill, inParts } from "./codec-events.mjs";
import { alternate, row } from "./measure.mjs";
import { loadDescriptors } from "./descriptors.mjs";

const PER_BATCH = [1, 16, 64, 256];

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
  const parts = inParts(rows, perBatch);
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

/**
 * The codec beside a program that does the same with protobufjs. It runs in a thread of its own,
 * because protobufjs becomes several times slower where it has seen integers as numbers and as
 * objects, and neither comparison should meet what the other has left behind.
 */
async function measureWhole(kind, { perBatch, rounds, quick }) {
  const thread = new Worker(new URL("./codec-thread.mjs", import.meta.url), {
    workerData: { kind, perBatch, rounds, quick },
  });
  const samples = await new Promise((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
  const name = `${kind}, ${perBatch} a batch`;
  return Object.entries({ encode: "from columns", decode: "to rows" }).flatMap(([work, what]) => {
    const reference = samples[`protobufjs, ${work} ${what}`];
    return [
      row(name, `protobufjs, ${work} ${what}`, "ns/event", reference),
      row(name, `${work} ${what}`, "ns/event", samples[`${work} ${what}`], { reference }),
    ];
  });
}

export const about = "batches encoded and decoded, beside protobufjs's generated classes";

export async function run({ rounds, quick, only = "" }) {
  const rows = [];
  for (const [kind, events] of Object.entries(allEvents())) {
    for (const perBatch of quick ? [1, 64] : PER_BATCH) {
      if (!`${kind}, ${perBatch} a batch`.includes(only)) continue;
      rows.push(...(await measure(kind, events, perBatch, rounds)));
      if (perBatch < 256) rows.push(...(await measureWhole(kind, { perBatch, rounds, quick })));
    }
  }
  return rows;
}
