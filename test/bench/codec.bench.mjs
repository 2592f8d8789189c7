// CPU nanoseconds per event of the batch codec beside protobufjs on the same bytes, 64 events a
// batch.
// Runs on the build: `npm run build && node test/bench/codec.bench.mjs [rounds]`. The candidates
// alternate within a round, and one is measured twice to show the noise; read the ratios.
import { encodeBatch, readBatch, rowsOf } from "@tickwire/proto/codec";
import { BatchCodec } from "@tickwire/proto/messages";
import { tickwire } from "@tickwire/proto/protobufjs";

const EVENTS = 64;
const BATCHES = 2_000;
const rounds = Number(process.argv[2] ?? 9);

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
  let time = 1_767_225_600_000_000;
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
      aggressorSide: random(2) === 0 ? "buyer" : "seller",
      tradeId: String(id),
      historical: false,
    };
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

const header = { epoch: 1_767_225_600_000_000, firstSequence: 1, publishedTimeUs: 1 };

function candidates(kind, rows) {
  const batch = { kind, rows };
  const bytes = encodeBatch(header, batch);
  const message = tickwire.v1.Batch.decode(bytes);
  const values = BatchCodec.decode(bytes);
  return {
    bytes,
    runs: {
      "encode rows": () => encodeBatch(header, batch),
      "encode rows (again)": () => encodeBatch(header, batch),
      "encode columns, protobufjs": () => tickwire.v1.Batch.encode(message).finish(),
      "encode columns, generated": () => BatchCodec.encode(values),
      "decode columns": () => readBatch(bytes),
      "decode rows": () => rowsOf(readBatch(bytes)),
      "decode columns, protobufjs": () => tickwire.v1.Batch.decode(bytes),
    },
  };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function measure(kind, rows) {
  const { bytes, runs } = candidates(kind, rows);
  const times = new Map(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(runs)) {
      // CPU time of the process: the machine may be busy with something else.
      const before = process.cpuUsage();
      for (let index = 0; index < BATCHES; index += 1) run();
      const { user, system } = process.cpuUsage(before);
      times.get(name).push(((user + system) * 1_000) / BATCHES / EVENTS);
    }
  }
  const perEvent = (bytes.length / EVENTS).toFixed(1);
  process.stdout.write(`${kind}: ${EVENTS} events a batch, ${perEvent} bytes an event\n`);
  for (const [name, list] of times) {
    process.stdout.write(`  ${name.padEnd(28)} ${median(list).toFixed(1).padStart(7)} ns/event\n`);
  }
}

measure("trades", trades());
measure("books", books());
