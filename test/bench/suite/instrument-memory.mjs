// What an instrument takes in the memory of an ingestor: its decoder's state, its book, its
// subscriptions, and what its topics remember. Frames of Coinbase go in as its sockets bring them.
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { row } from "./measure.mjs";

const KIB = 1024;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const NOWHERE = { kind: "memory", payloadBytesMax: 1_048_576, publish() {} };
const START_US = Date.UTC(2026, 0, 1) * 1_000;
const TIME = "2026-01-01T00:00:00.000000Z";

/** How many instruments, and what has come of each of them. */
const QUIET = { instruments: 10_000, levels: 20, trades: 2, changes: 2, history: true };
/** Whose past, which is bounded for all topics together, is not counted. */
const BUSY = { instruments: 1_000, levels: 500, trades: 1_000, changes: 200, history: false };

const price = (mantissa) => (mantissa / 100).toFixed(2);

function levels(count, step) {
  return Array.from({ length: count }, (_, index) => [
    price(100_000 + step * (index + 1)),
    `${1 + (index % 7)}.25`,
  ]);
}

function snapshotOf(id, count) {
  const message = { type: "snapshot", product_id: id, asks: levels(count, 1) };
  return JSON.stringify({ ...message, bids: levels(count, -1) });
}

function changeOf(id, index, count) {
  const side = index % 2 === 0 ? "buy" : "sell";
  const at = price(100_000 + (1 + (index % count)) * (side === "buy" ? -1 : 1));
  return `{"type":"l2update","product_id":"${id}","changes":[["${side}","${at}","${1 + (index % 9)}.5"]],"time":"${TIME}"}`;
}

function tradeOf(id, number) {
  const maker = "27fff20b-af29-4f45-8744-56dd1ef57dc0";
  const about = `"maker_order_id":"${maker}","taker_order_id":"${maker}","side":"sell"`;
  return `{"type":"match","trade_id":${number},${about},"size":"0.04","price":"${price(100_000 + (number % 50))}","product_id":"${id}","sequence":${number},"time":"${TIME}"}`;
}

/** An ingestor that has taken all of it, and a function that says how much memory is in use. */
function ingestor({ history }) {
  const limits = history
    ? PUBLISH_LIMITS_DEFAULTS
    : { ...PUBLISH_LIMITS_DEFAULTS, historyBytesMax: 0 };
  const replay = new CaptureReplay({
    adapter: VENUES.coinbase,
    bookDepth: 1_000,
    logger: SILENT,
    emit: (event) => publisher.publish(event),
    emitTick: (tick) => publisher.publishTick(tick),
  });
  const publisher = new Publisher({
    bus: NOWHERE,
    clock: replay.clock,
    epoch: 1,
    limits,
    schedule() {},
    counters: createPublisherCounters(),
    logger: SILENT,
  });
  replay.take({ kind: "open", atUs: START_US, connection: 1, url: "wss://bench" });
  let frames = 0;
  const take = (text) => {
    frames += 1;
    replay.takeText({ atUs: START_US + frames, connection: 1 }, Buffer.from(text));
    if (frames % 16 === 0) publisher.flush();
  };
  return { take, flush: () => publisher.flush(), close: () => replay.close() };
}

function feed({ take, flush }, scenario, from, to) {
  const { levels: count, trades, changes } = scenario;
  for (let index = from; index < to; index += 1) {
    const id = `A${index}-USD`;
    take(snapshotOf(id, count));
    for (let change = 0; change < changes; change += 1) take(changeOf(id, change, count));
    for (let number = 1; number <= trades; number += 1) take(tradeOf(id, number));
  }
  flush();
}

function memory() {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, rss };
}

/** KiB of memory that an instrument takes. */
function perInstrument(scenario, instruments) {
  const first = Math.ceil(instruments / 10);
  const one = ingestor(scenario);
  // The first ones pay for code and tables.
  feed(one, scenario, 0, first);
  const before = memory();
  feed(one, scenario, first, first + instruments);
  const after = memory();
  one.close();
  return {
    used: (after.used - before.used) / instruments / KIB,
    resident: (after.rss - before.rss) / instruments / KIB,
  };
}

export const about = "memory of an instrument in an ingestor";

export function run({ rounds, quick }) {
  const rows = [];
  for (const { name, scenario, target } of [
    { name: "quiet", scenario: QUIET, target: "<= 25" },
    { name: "busy", scenario: BUSY, target: "<= 60" },
  ]) {
    const instruments = quick ? scenario.instruments / 20 : scenario.instruments;
    const samples = Array.from({ length: rounds }, () => perInstrument(scenario, instruments));
    const measure = `${instruments} ${name} instruments`;
    const used = samples.map((sample) => sample.used);
    const resident = samples.map((sample) => sample.resident);
    rows.push(row(measure, "in use", "KiB each", used, { target }));
    rows.push(row(measure, "resident", "KiB each", resident));
  }
  return rows;
}
