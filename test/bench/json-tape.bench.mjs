// Nanoseconds to scan a frame beside JSON.parse, on frames as venues that send JSON numbers write
// them (made here, or those of captures). Runs on the build:
// `npm run build && node test/bench/json-tape.bench.mjs [CAPTURE...]`. The candidates alternate
// within a round; read the ratios.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { ScaleTracker } from "#ingest/reading/scale-tracker.ts";
import { JsonTape } from "#core/json-tape.ts";

const ROUNDS = 15;
const tape = new JsonTape();

/** A book update of the size that venues send most. */
function madeFrames() {
  const frames = [];
  for (let index = 0; index < 2_000; index++) {
    const price = (25_000 + (index % 97)).toFixed(1);
    const level = (step) =>
      `{"price":${price}${step},"qty":0.${String(index * 7919).padStart(8, "0")}}`;
    frames.push(
      `{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[${level(1)},${level(2)}],` +
        `"asks":[${level(3)}],"checksum":${3_000_000_000 + index},"timestamp":"2026-01-01T00:00:00.000000Z"}]}`,
    );
  }
  return frames;
}

function framesOf(path) {
  const lines = gunzipSync(readFileSync(path)).toString().split("\n");
  const frames = [];
  for (const line of lines) {
    if (!line.includes('"kind":"received"')) continue;
    const { text, base64 } = JSON.parse(line);
    const bytes =
      text === undefined ? gunzipSync(Buffer.from(base64, "base64")) : Buffer.from(text);
    // As the socket makes it: a text of its own, not a part of the line.
    frames.push(bytes.toString("utf8"));
  }
  return frames;
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(name, frames) {
  const candidates = { "JSON.parse": (text) => JSON.parse(text), scan: (text) => tape.scan(text) };
  const times = { "JSON.parse": [], scan: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [candidate, run] of Object.entries(candidates)) {
      const start = process.hrtime.bigint();
      for (const frame of frames) run(frame);
      times[candidate].push(Number(process.hrtime.bigint() - start) / frames.length);
    }
  }
  const [parse, scan] = [median(times["JSON.parse"]), median(times.scan)];
  const bytes = Math.round(frames.reduce((sum, frame) => sum + frame.length, 0) / frames.length);
  print(
    `${name}: ${frames.length} frames of ${bytes} characters; JSON.parse ${parse.toFixed(0)} ns, ` +
      `scan ${scan.toFixed(0)} ns, ${(parse / scan).toFixed(2)} times as fast`,
  );
}

/** The whole way to the columns of a book, which JSON.parse cannot go without rounding. */
function measureBook(frames) {
  const layout = { price: "price", size: "qty" };
  const tracker = new ScaleTracker();
  const exact = (text) => {
    tape.scan(text);
    const item = tape.first(tape.get(0, "data"));
    const sides = { bids: tape.get(item, "bids"), asks: tape.get(item, "asks") };
    return tracker.bookFromTape(tape, sides, layout);
  };
  const rounded = (text) => {
    const [{ bids, asks }] = JSON.parse(text).data;
    const side = (levels) => ({
      prices: levels.map((l) => l.price),
      sizes: levels.map((l) => l.qty),
    });
    return { bids: side(bids), asks: side(asks) };
  };
  const times = { exact: [], rounded: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, run] of Object.entries({ exact, rounded })) {
      const start = process.hrtime.bigint();
      for (const frame of frames) run(frame);
      times[name].push(Number(process.hrtime.bigint() - start) / frames.length);
    }
  }
  const [ours, theirs] = [median(times.exact), median(times.rounded)];
  print(
    `to exact columns ${ours.toFixed(0)} ns; JSON.parse to rounded columns ${theirs.toFixed(0)} ns`,
  );
}

const made = madeFrames();
measure("made", made);
measureBook(made);
for (const path of process.argv.slice(2)) measure(path.split("/").at(-1), framesOf(path));
