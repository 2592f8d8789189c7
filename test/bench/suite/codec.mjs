// CPU nanoseconds an event, of our codec beside what protobufjs makes of the same bytes (columns
// only: sums and events would come on top).
// Runs on the build: `npm run build && node test/bench/wire.bench.mjs [rounds]`. The candidates
// alternate within a round, and one is measured twice to show the noise; read the ratios.
// Bytes an event: TICKWIRE_WIRE_TABLE=1 npx vitest run test/e2e/wire-bytes.test.ts
import { BatchReader, BatchWriter, elementLength, putElement, rowsOf } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";

const EVENTS = 16_384;
const EPOCH = 1_767_225_600_000_000;
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
      aggressorSide: random(2) === 0 ? "buyer" : "seller",
      tradeId: String(id),
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

function candidates(kind, parts) {
  const chain = chained(kind, parts);
  const read = (take) => {
    const reader = new BatchReader();
    for (const bytes of chain) take(reader.read(bytes).batch);
  };
  return {
    chain,
    runs: {
      encode: () => {
        const writer = new BatchWriter({ kind, epoch: EPOCH });
        for (const rows of parts) writer.write({ kind, rows }, { publishedTimeUs: EPOCH });
      },
      "decode columns": () => read(() => undefined),
      "decode columns (again)": () => read(() => undefined),
      "decode rows": () => read(rowsOf),
      "protobufjs, columns": () => {
        for (const bytes of chain) tickwire.v1.Batch.decode(bytes);
      },
    },
  };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function measure(kind, rows, perBatch) {
  const parts = [];
  for (let at = 0; at < rows.length; at += perBatch) parts.push(rows.slice(at, at + perBatch));
  const { chain, runs } = candidates(kind, parts);
  const times = new Map(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, run] of Object.entries(runs)) {
      // CPU time of the process: the machine may be busy with something else.
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      if (round > 0) times.get(name).push(((user + system) * 1_000) / rows.length);
    }
  }
  const bytes = chain.reduce((sum, { length }) => sum + length, 0) / rows.length;
  process.stdout.write(`${kind}, ${perBatch} a batch: ${bytes.toFixed(1)} bytes an event\n`);
  for (const [name, list] of times) {
    process.stdout.write(`  ${name.padEnd(30)} ${median(list).toFixed(0).padStart(6)} ns/event\n`);
  }
}

for (const [kind, rows] of Object.entries({ trades: trades(), quotes: quotes(), books: books() })) {
  for (const perBatch of [1, 16, 64, 256]) measure(kind, rows, perBatch);
}
