// What an instrument takes in the memory of an ingestor: its decoder's state, its book, its
// subscriptions, and what its topics remember. Frames of Coinbase go in as its sockets bring them.
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { changeOf, snapshotOf, tradeOf } from "../load/coinbase-frames.mjs";
import { row } from "./measure.mjs";

const KIB = 1024;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const NOWHERE = { kind: "memory", payloadBytesMax: 1_048_576, publish() {} };
const START_US = Date.UTC(2026, 0, 1) * 1_000;

/** How many instruments, and what has come of each of them. */
const QUIET = { instruments: 10_000, levels: 20, trades: 2, changes: 2, history: true };
/** Whose past, which is bounded for all topics together, is not counted. */
const BUSY = { instruments: 1_000, levels: 500, trades: 1_000, changes: 200, history: false };

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
