// One reader in a process of its own, forked by slow-readers.bench.mjs: reads at a given speed, and
// keeps its books by the sequences of what a program gets, whatever the client says of itself.
// Answers "latencies", "hurry" and "report" of its parent.
import { connect as dial, createServer } from "node:net";
import { once } from "node:events";
import { connect } from "@tickwire/client";

/** What the line itself may hold, so that the rest waits where it would on a slow network. */
const HELD_BYTES = 4 * 1024;
const TICK_MS = 50;
const LATENCIES_MAX = 4_000_000;

const { port, bytesPerSecond, topics, options } = JSON.parse(process.argv[2]);
const accounts = new Map();
const faults = [];
const closeCodes = [];
let latenciesMs = [];
let lags = 0;
let gapsBeforeLag = 0;
let linesOpen = Number.POSITIVE_INFINITY;

/** A line to the gateway that carries so much to the client; the other way it is free. */
async function narrowLine() {
  const server = createServer((near) => {
    const far = dial({ port, host: "127.0.0.1", highWaterMark: HELD_BYTES });
    for (const socket of [near, far]) socket.setNoDelay(true).on("error", () => undefined);
    near.pipe(far);
    far.on("readable", () => undefined);
    let hasEnded = false;
    far.on("end", () => (hasEnded = true));
    const timer = setInterval(() => {
      for (let left = Math.min(1e9, (linesOpen * TICK_MS) / 1_000); left > 0;) {
        const held = Math.min(Math.ceil(left), far.readableLength);
        const chunk = held > 0 ? far.read(held) : far.read();
        if (chunk === null) break;
        near.write(chunk);
        left -= chunk.byteLength;
      }
      if (hasEnded && far.readableLength === 0) near.end();
    }, TICK_MS);
    for (const socket of [near, far]) socket.on("close", () => clearInterval(timer));
    near.on("close", () => far.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** Up to here all is told missing by now, or left out because later events stand for it. */
function settle(account, upTo) {
  let { sequence } = account;
  for (const { first, last } of account.told) {
    if (first <= sequence + 1) sequence = Math.max(sequence, last);
  }
  if (sequence < upTo) account.unsaid += upTo - sequence;
  account.told = account.told.filter(({ last }) => last > upTo);
}

function takeContinuity({ topic, epoch, sequence, continuity }) {
  if (continuity !== "new" && continuity !== "replaced") return;
  const account = accounts.get(topic);
  if (account === undefined) {
    const counts = { delivered: 0, missing: 0, unsaid: 0 };
    accounts.set(topic, { epoch, start: sequence, sequence, told: [], ...counts });
    return;
  }
  if (account.epoch !== epoch) faults.push(`${topic} changed its epoch`);
  settle(account, sequence);
  account.sequence = Math.max(account.sequence, sequence);
}

function takeGap({ topic, missingFirst, missingLast }) {
  const account = accounts.get(topic);
  if (account === undefined || missingLast === undefined) {
    faults.push(`${topic}: a gap that says too little`);
    return;
  }
  if (lags === 0) gapsBeforeLag += 1;
  account.missing += missingLast - missingFirst + 1;
  account.told.push({ first: missingFirst, last: missingLast });
  if (missingFirst <= account.sequence)
    faults.push(`${topic}: ${missingFirst} came, and is missing`);
}

function takeMarketEvent({ topic, sequence, initial, publishedTimeUs }) {
  const account = accounts.get(topic);
  if (account === undefined) {
    faults.push(`${topic}: an event before its start`);
    return;
  }
  if (latenciesMs.length < LATENCIES_MAX) latenciesMs.push(Date.now() - publishedTimeUs / 1_000);
  // A state repeats where the topic stands.
  if (sequence <= account.sequence) return;
  const isTold = account.told.at(-1)?.last === sequence;
  settle(account, isTold || initial ? sequence : sequence - 1);
  if (!isTold && !initial) account.delivered += 1;
  account.sequence = sequence;
}

function take(event) {
  if (event.type === "lag") lags += 1;
  else if (event.type === "gap") takeGap(event);
  else if (event.type === "continuity") takeContinuity(event);
  else if (event.type !== "refused" && event.type !== "conflation") takeMarketEvent(event);
}

function takeLatencies() {
  const sorted = latenciesMs.sort((one, other) => one - other);
  latenciesMs = [];
  const at = (part) => sorted[Math.floor(sorted.length * part)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}

const linePort = bytesPerSecond === undefined ? port : await narrowLine();
const client = await connect(`ws://127.0.0.1:${linePort}`, {
  compression: false,
  pingIntervalMs: 0,
  reconnect: { baseMs: 100, maxMs: 200 },
});
client.onState((_state, { error }) => {
  if (error?.closeCode !== undefined) closeCodes.push(error.closeCode);
});
client.subscribe(topics, take, options);
linesOpen = bytesPerSecond ?? linesOpen;
process.on("message", (question) => {
  if (question === "hurry") linesOpen = Number.POSITIVE_INFINITY;
  else if (question === "latencies") process.send(takeLatencies());
  else {
    const all = [...accounts].map(([topic, { told: _told, ...account }]) => ({
      topic,
      ...account,
    }));
    const { conflatedEvents } = client.counters;
    process.send({ accounts: all, faults, closeCodes, lags, gapsBeforeLag, conflatedEvents });
  }
});
process.send("reads");
