// From the bytes of a venue's frames to encoded batches: decode, rules, book with its proof,
// sequence, batch. Beside it JSON.parse of the same frames and nothing else, but for what undoes
// the compression of a venue that compresses its frames.
import { gunzipSync } from "node:zlib";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { loadCapture } from "./captures.mjs";
import { DOCUMENTED, makeDocumented } from "./documented.mjs";
import { alternate, cpuNs, row } from "./measure.mjs";
import { playedOn } from "./played-on.mjs";
import { createTardisWork } from "./references/tardis.mjs";

/** Goals as multiples of the speed of JSON.parse, for a batch every 16 frames and every frame. */
const CAPTURES = [
  ["binance-usdm-btcusdt-345s", 2.0, 1.4],
  ["binance-btcusdt-345s", 0.9, 0.5],
  ["binance-usdm-4-pairs", 0.4, 0.4],
  ["binance-4-small-pairs", 0.4, 0.4],
  ["coinbase-10-pairs", 1.2, 0.7],
  ["kraken-v2-ethusd", 0.9, 0.5],
  ["kraken-v2-btcusd-depth10-resubscribes", 0.4, 0.4],
  ["kraken-v1-10-pairs", 0.9, 0.5],
  ["okx-3-instruments", 0.9, 0.5],
  ["kucoin-10-pairs", 0.9, 0.5],
  ["bitfinex-7-pairs", 0.4, 0.4],
  ["bitget-v1-10-pairs", 0.4, 0.4],
  ["bitstamp-10-pairs", 0.4, 0.4],
  ["deribit-10-options", 0.4, 0.4],
  ["gateio-10-pairs", 0.4, 0.4],
  ["htx-10-pairs", 0.4, 0.4],
  ["bybit-documented", 0.9, 0.5],
  ["cryptocom-documented", 0.4, 0.4],
  ["hyperliquid-documented", 0.4, 0.4],
  ["upbit-documented", 0.4, 0.4],
  ["bitmex-documented", 0.4, 0.4],
];

const PASSES_MAX = 10;
/** In the life of one process a recording can be played more often: lists are read once. */
const PLAYS_MAX = 30;
/** Less than so many quick ones take no time that the system counts. */
const PLAYS_MIN_QUICK = 4;
/** Of a recording; a longer one has more of the same. */
const FRAMES_MAX = 20_000;
/** Of a turn, in as many passes over a recording as that takes. */
const FRAMES_PER_SAMPLE = 10_000;
/** Of the plays in one life that are counted, and of those before: their code is compiled then. */
const FRAMES_PER_LIFE = 15_000;

/**
 * What a play begins with is not counted, up to a third of a recording: connections and books begin
 * then. Nor is the first play of a process, in which tables and histories grow, once in its life.
 * One row has the first play, and one has all of it.
 */
const START_FRAMES_MAX = 2_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const collectYoung = () => collect({ type: "minor" });
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const NOWHERE = {
  kind: "memory",
  payloadBytesMax: 1_048_576,
  publish() {},
};

/**
 * What the pass before made. A process has its books for as long as it lives: if none were alive
 * between two passes, V8 would forget what they look like, and compile everything anew.
 */
const alive = new Set();

/** Lists of instruments by their text. Some of them take longer to read than all the frames. */
const lists = new Map();

/** The adapter of a venue, which reads a list only once: what that leaves to collect is large. */
function adapterOf(venue) {
  const adapter = VENUES[venue];
  return {
    ...adapter,
    parseInstruments(body, url) {
      if (!lists.has(body)) lists.set(body, adapter.parseInstruments(body, url));
      return lists.get(body);
    },
  };
}

/** The lines of a capture in the life of one process, as events that are encoded. */
function createIngest(capture, framesPerBatch) {
  const counters = createPublisherCounters();
  let publisher;
  const replay = new CaptureReplay({
    adapter: capture.adapter,
    bookDepth: 1_000,
    logger: SILENT,
    emit: (event) => publisher.publish(event),
    emitTick: (tick) => publisher.publishTick(tick),
  });
  publisher = new Publisher({
    bus: NOWHERE,
    clock: replay.clock,
    epoch: 1,
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule() {},
    counters,
    logger: SILENT,
  });
  /**
   * Frames come as the bytes that a socket has of them. Returns the CPU time that the frames behind
   * the first ones took, without what comes between them, which is large in recordings of few
   * frames: lists of instruments, and books that begin with a REST answer.
   */
  const play = (runs, startFrames) => {
    let frames = 0;
    let ns = 0;
    for (const { lines, isFrames } of runs) {
      // Apart from frames, whose fields would be looked up among lines of other shapes.
      if (!isFrames) {
        for (const line of lines) replay.take(line);
        publisher.flush();
        continue;
      }
      // What the lines before leave to collect is not theirs.
      collectYoung();
      let begin = cpuNs();
      for (const line of lines) {
        if (line.bytes !== undefined) replay.takeText(line, line.bytes);
        else replay.take(line);
        frames += 1;
        if (frames % framesPerBatch === 0) publisher.flush();
        if (frames === startFrames) begin = cpuNs();
      }
      if (frames > startFrames) ns += cpuNs() - begin;
      else publisher.flush();
    }
    publisher.flush();
    return ns;
  };
  const end = () => {
    replay.close();
    alive.clear();
    alive.add(replay).add(publisher);
  };
  /** Of the market so far; what is said of connections is left out. */
  const events = () => counters.events - replay.counters.events.status;
  return { play, end, events };
}

/** The first play of a process alone. */
function ingestFirst(capture, framesPerBatch, startFrames) {
  const { play, end } = createIngest(capture, framesPerBatch);
  const ns = play(capture.plays[0], startFrames);
  end();
  return ns;
}

/** The last plays, as many as are counted, in whose time nothing grows any more. */
function ingestRunning(capture, framesPerBatch, { startFrames, counted }) {
  const { play, end } = createIngest(capture, framesPerBatch);
  let ns = 0;
  for (const [index, runs] of capture.plays.entries()) {
    const took = play(runs, startFrames);
    if (index >= capture.plays.length - counted) ns += took;
  }
  end();
  return ns;
}

/**
 * Whether the plays of a capture have as many events of the market as each other, that is whether
 * its venue's times and ids were moved on rightly.
 */
function isPlayedAlike(capture) {
  const { play, end, events } = createIngest(capture, 16);
  const counts = capture.plays.slice(0, 3).map((runs) => {
    const before = events();
    play(runs, 0);
    return events() - before;
  });
  end();
  return { isAlike: counts.every((count) => Math.abs(count / counts[0] - 1) < 0.1), counts };
}

/**
 * The frames with which a book begins that came by REST: the answer is then put to use, of which
 * the frame itself says nothing. None of a venue that sends whole books in its frames.
 */
function beginningsOf({ adapter, lines }) {
  const beginnings = new Set();
  const isSnapshot = ({ kind, url }) =>
    kind === "http" && adapter.recordedRequest(url)?.kind === "book-snapshot";
  if (!lines.some(isSnapshot)) return beginnings;
  let begins = false;
  const replay = new CaptureReplay({
    adapter,
    bookDepth: 1_000,
    logger: SILENT,
    emit: ({ kind, snapshot }) => {
      if (kind === "book" && snapshot) begins = true;
    },
  });
  for (const line of lines) {
    begins = false;
    replay.take(line);
    if (begins && line.kind === "received") beginnings.add(line);
  }
  replay.close();
  return beginnings;
}

/**
 * A line with a frame of text, and its bytes. All of them have one shape in memory: where a line
 * and its copies have several, finding their fields takes half as long as what is measured.
 */
class TextLine {
  constructor({ kind, atUs, connection, frame }) {
    this.kind = kind;
    this.atUs = atUs;
    this.connection = connection;
    this.frame = frame;
    this.bytes = Buffer.from(frame);
  }
}

/** A first play of a capture and so many further ones, each as runs: see `runsOf`. */
function playsOf({ adapter, lines }, further) {
  const isList = (url) => adapter.recordedRequest(url)?.kind === "instruments";
  const plays = Array.from({ length: 1 + further }, (_, play) => playedOn(lines, play, isList));
  const beginnings = beginningsOf({ adapter, lines: plays.flat() });
  return plays.map((play) => runsOf(play, beginnings));
}

/** Frames as bytes, in runs between the lines that are something else. */
function runsOf(lines, beginnings) {
  const runs = [];
  for (const line of lines) {
    const isFrames = line.kind === "received" && !beginnings.has(line);
    const isText = line.kind === "received" && typeof line.frame === "string";
    if (runs.at(-1)?.isFrames !== isFrames) runs.push({ isFrames, lines: [] });
    runs.at(-1).lines.push(isText ? new TextLine(line) : line);
  }
  return runs;
}

function parseAlone(frames) {
  const begin = cpuNs();
  let sum = 0;
  for (const frame of frames) {
    const value = JSON.parse(typeof frame === "string" ? frame : gunzipSync(frame).toString());
    if (value !== null) sum += 1;
  }
  if (sum < 0) throw new Error("unreachable");
  return cpuNs() - begin;
}

function timed(work) {
  const begin = cpuNs();
  work();
  return cpuNs() - begin;
}

/** Frames that JSON.parse takes, compressed or not; words such as "pong" are left out. */
function jsonFrames(lines) {
  const frames = [];
  for (const line of lines) {
    if (line.kind !== "received") continue;
    try {
      parseAlone([line.frame]);
      frames.push(line.frame);
    } catch {
      // What is no JSON costs JSON.parse nothing here.
    }
  }
  return frames;
}

export const about = "frames of a venue to encoded batches, beside JSON.parse alone";

export async function run({ rounds, quick, only }) {
  const rows = [];
  for (const [name, goal16, goal1] of CAPTURES) {
    if (only !== undefined && !name.includes(only)) continue;
    if (quick && !name.startsWith("coinbase")) continue;
    const isMade = DOCUMENTED.has(name);
    const framesMax = quick ? 500 : FRAMES_MAX;
    const capture = isMade ? makeDocumented(name) : await loadCapture(name, { framesMax });
    if (capture === undefined) {
      process.stdout.write(`left out: capture ${name} is not there\n`);
      continue;
    }
    capture.adapter = adapterOf(capture.venue);
    const beginnings = beginningsOf(capture);
    const counted = capture.lines.filter(
      (line) => line.kind === "received" && !beginnings.has(line),
    );
    const startFrames = Math.min(START_FRAMES_MAX, Math.floor(counted.length / 3));
    const rest = counted.length - startFrames;
    const all = jsonFrames(capture.lines);
    const frames = jsonFrames(counted.slice(startFrames));
    const isText = frames.every((frame) => typeof frame === "string");
    // A pass costs more than its frames where the lists of instruments are long.
    const framesPerSample = quick ? 500 : FRAMES_PER_SAMPLE;
    const timesFor = (frames) => Math.max(1, Math.round(frames / counted.length));
    const passes = Math.min(PASSES_MAX, timesFor(framesPerSample));
    const repeat = (work, units) => () => {
      let ns = 0;
      for (let pass = 0; pass < passes; pass += 1) ns += work();
      return { ns, units: passes * units };
    };
    const plays = quick ? PLAYS_MIN_QUICK : Math.min(PLAYS_MAX, timesFor(FRAMES_PER_LIFE));
    // The first one is a play before those that are counted in any case.
    const further = quick ? plays : 2 * plays - 1;
    capture.plays = playsOf(capture, further);
    const { isAlike, counts } = isPlayedAlike(capture);
    if (!isAlike) {
      process.stdout.write(`${name} is played once: plays have ${counts.join(", ")} events\n`);
    }
    const running = (framesPerBatch) =>
      isAlike
        ? () => ({
            ns: ingestRunning(capture, framesPerBatch, { startFrames, counted: plays }),
            units: plays * rest,
          })
        : repeat(() => ingestFirst(capture, framesPerBatch, startFrames), rest);
    alive.clear();
    const isRead = isText && !isMade;
    const tardis = isRead ? createTardisWork(capture, all, { quick }) : undefined;
    const samples = await alternate(
      {
        ...(tardis === undefined
          ? {}
          : { "tardis-dev": repeat(() => timed(tardis), counted.length) }),
        parse: repeat(() => parseAlone(frames), rest),
        "parse again": repeat(() => parseAlone(frames), rest),
        "a batch per 16 frames": running(16),
        "a batch per frame": running(1),
        "16 frames, first play": repeat(() => ingestFirst(capture, 16, startFrames), rest),
        "16 frames, with the start": repeat(() => ingestFirst(capture, 16, 0), counted.length),
      },
      { rounds },
    );
    const speed = (values) => values.map((ns) => 1e9 / ns);
    const reference = speed(samples.parse);
    rows.push(
      row(name, isText ? "JSON.parse alone" : "gunzip, JSON.parse", "frames/CPU-s", reference),
    );
    for (const [candidate, target] of [
      ["parse again", undefined],
      ["a batch per 16 frames", `>= ${goal16}`],
      ["a batch per frame", `>= ${goal1}`],
      ["16 frames, first play", undefined],
      ["16 frames, with the start", undefined],
    ]) {
      const values = speed(samples[candidate]);
      rows.push(row(name, candidate, "frames/CPU-s", values, { reference, target }));
    }
    if (tardis !== undefined) {
      const peer = speed(samples["tardis-dev"]);
      rows.push(row(name, "tardis-dev", "frames/CPU-s", peer, { reference }));
      const ours = speed(samples["16 frames, with the start"]);
      const against = { reference: peer, target: ">= 4" };
      rows.push(row(name, "16 frames, against tardis-dev", "frames/CPU-s", ours, against));
    }
  }
  return rows;
}
