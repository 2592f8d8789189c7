// What views of one book cost a gateway: 1,000 subscriptions of the raw book, as many spread over
// 5 views, and the views with one subscription each. Everything but the sockets runs as it does in
// a gateway: hub, views, subscriptions, lanes, frames. CPU time of the process, so that a machine
// that is busy matters less; modes alternate, and the raw one is measured twice.
// Runs on the build: `npm run build && node test/bench/views.bench.mjs [rounds] [seconds]`.
import { BatchWriter } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { gatewayConfig } from "#gateway/config.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { Flusher } from "#gateway/session/outbound/flusher.ts";
import { Outbound } from "#gateway/session/outbound/outbound.ts";
import { SubscriptionTable, TopicSubscription } from "#gateway/session/topic-subscription.ts";
import { Hub } from "#gateway/topics/hub.ts";
import { immediateScheduler } from "#gateway/turns/scheduler.ts";
import { Turns } from "#gateway/turns/turns.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { encodeQueryReply, encodeSnapshotReply } from "#wire/bus-codec.ts";
import { createRandom } from "./load/random.mjs";

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
const EVENTS_PER_SECOND = 2_000;
const LEVELS = 1_000;
const SESSIONS = 1_000;
const EPOCH = 4_711;
const NAME = { venue: "bench", symbol: "BTC-USDT", channel: "book" };
const VIEWS = [
  { depth: 1, intervalMs: 100 },
  { depth: 10, intervalMs: 100 },
  { depth: 20, intervalMs: 0 },
  { depth: 100, intervalMs: 250 },
  { depth: 0, intervalMs: 1_000 },
];
const RAW = { depth: 0, intervalMs: 0 };
const MODES = {
  "1 raw": { sessions: 1, views: [RAW] },
  "1,000 raw": { sessions: SESSIONS, views: [RAW] },
  "1,000 raw, again": { sessions: SESSIONS, views: [RAW] },
  "5 views, 1 each": { sessions: VIEWS.length, views: VIEWS },
  "5 views, 200 each": { sessions: SESSIONS, views: VIEWS },
  "1,000 of depth 10, 100 ms": { sessions: SESSIONS, views: [VIEWS[1]] },
};
const print = (line) => process.stdout.write(`${line}\n`);
const none = () => undefined;
const clock = new SystemClock();
const config = gatewayConfig({});

const random = createRandom();

function times() {
  return { venueTimeUs: undefined, receivedTimeUs: clock.nowUs() };
}

/** Most changes are near the best, as on a real venue. */
function change() {
  const side = (sign) => {
    const prices = Array.from(
      { length: 2 },
      () => 100_000 + sign * (1 + random(1 + random(LEVELS))),
    );
    return { prices, sizes: prices.map(() => random(4) * (1 + random(9_999))) };
  };
  const scales = { priceScale: 2, sizeScale: 4 };
  return { ...times(), snapshot: false, ...scales, bids: side(-1), asks: side(1) };
}

function whole() {
  const side = (sign) => {
    const prices = Array.from({ length: LEVELS }, (_, index) => 100_000 + sign * (index + 1));
    return { prices, sizes: prices.map(() => 1 + random(9_999)) };
  };
  const scales = { priceScale: 2, sizeScale: 4 };
  return { ...times(), snapshot: true, ...scales, bids: side(-1), asks: side(1) };
}

/** One gateway without sockets, and the publisher of one book. */
async function measure({ sessions, views }) {
  let handler = none;
  const init = () => ({ publishedTimeUs: clock.nowUs() });
  const bus = {
    subscribe: (pattern, given) => {
      handler = given;
      return { pattern, unsubscribe: none };
    },
    request: async () => {
      const chain = { kind: "books", epoch: EPOCH, sequence: 0 };
      const state = BatchWriter.snapshot(chain, { kind: "books", rows: [whole()] }, init());
      return encodeQueryReply(encodeSnapshotReply(state));
    },
    onEvent: () => none,
  };
  const metrics = createGatewayMetrics(new Registry());
  const scheduler = immediateScheduler;
  const turns = new Turns({ clock, scheduler });
  const logger = { debug: none, info: none, warn: none, error: none };
  const publisher = { publisherId: "one", epoch: EPOCH };
  const catalog = { publisherOf: () => publisher, mayFollow: () => false, instrument: none };
  const parts = { bus, clock, logger, metrics, turns, scheduler, catalog, random: Math.random };
  const budget = new ByteBudget({ bytesMax: config.resumeTotalBytesMax });
  const resume = { log: undefined, budget, resumeBytesMax: config.resumeBytesMax };
  const hub = new Hub({ ...parts, resume, limits: config });
  const table = new SubscriptionTable({ metrics });
  const flusher = new Flusher({ clock, scheduler, flushIntervalMsMax: 10, metrics });
  let bytes = 0;
  let frames = 0;
  const open = (index) => {
    let sent = 0;
    const connection = {
      send: (frame) => {
        bytes += frame.byteLength;
        frames += 1;
        return "sent";
      },
      bufferedBytes: () => 0,
    };
    const outbound = new Outbound(
      connection,
      config,
      { flusher, metrics },
      {
        onLag: none,
        onSlow: none,
        onRecovered: none,
        sendProbe: (number) => {
          sent = number;
          setImmediate(() => outbound.onAnswer(sent, clock.monotonicUs()));
          return true;
        },
      },
    );
    const view = hub.hold(NAME, views[index % views.length]);
    const options = { snapshot: true, resume: undefined };
    const owner = { hub, table, lanes: outbound.lanes };
    const subscription = new TopicSubscription(owner, { view, options, pattern: undefined });
    return new Promise((resolve) => {
      subscription.whenReady(() => resolve(subscription.start()));
    });
  };
  await Promise.all(Array.from({ length: sessions }, (_, index) => open(index)));
  await new Promise((resolve) => void setTimeout(resolve, 300));
  const writer = new BatchWriter({ kind: "books", epoch: EPOCH });
  const rows = Array.from({ length: EVENTS_PER_SECOND * seconds }, change);
  bytes = 0;
  frames = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  let published = 0;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(rows.length, ((performance.now() - began) / 1_000) * EVENTS_PER_SECOND);
      for (; published < due; published += 1) {
        const row = { ...rows[published], ...times() };
        for (const { bytes: payload } of writer.write({ kind: "books", rows: [row] }, init())) {
          handler({ subject: "", payload, respond: none });
        }
      }
      if (published < rows.length) return;
      clearInterval(timer);
      setTimeout(resolve, 50);
    }, 5);
  });
  const { user, system } = process.cpuUsage(cpu);
  hub.close();
  const took = (performance.now() - began) / 1_000;
  return { cpuUs: (user + system) / published, bytes: bytes / took, frames: frames / took };
}

const results = new Map(Object.keys(MODES).map((mode) => [mode, []]));
await measure({ ...MODES["5 views, 200 each"] });
for (let round = 0; round < rounds; round += 1) {
  for (const [mode, options] of Object.entries(MODES)) {
    results.get(mode).push(await measure(options));
  }
}
print(`${EVENTS_PER_SECOND} events/s of 4 levels, each a batch; a book of ${LEVELS} levels a side`);
print("mode                        CPU us an event (min, median, max)     frames/s       MB/s");
for (const [mode, all] of results) {
  const cpu = all.map(({ cpuUs }) => cpuUs).sort((one, other) => one - other);
  const middle = all[all.length >> 1];
  const figures = [cpu[0], cpu[cpu.length >> 1], cpu.at(-1)].map((us) => us.toFixed(0).padStart(9));
  const rest = [
    middle.frames.toFixed(0).padStart(13),
    (middle.bytes / 1e6).toFixed(2).padStart(11),
  ];
  print(`${mode.padEnd(28)}${figures.join("")}          ${rest.join("")}`);
}
