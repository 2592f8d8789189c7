// One recording of `ingest`, in this process. The recording is played again and again as if the
// venue had gone on, in the life of one publisher, whose code is compiled and whose tables and
// histories have grown when the rounds begin. Says its rows to the process that started it.
import { gunzipSync } from "node:zlib";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { loadCapture } from "./captures.mjs";
import { DOCUMENTED, makeDocumented } from "./documented.mjs";
import { alternateFigures, cpuNs, measureQuickly, row } from "./measure.mjs";
import { playedOn } from "./played-on.mjs";
import { createTardisWork } from "./references/tardis.mjs";

/** Of a recording; a longer one has more of the same. */
const FRAMES_MAX = 20_000;
/** Of a round, in as many plays as that takes, and of all plays before the rounds. */
const FRAMES_PER_ROUND = 25_000;
const FRAMES_TO_COMPILE = 110_000;
const FRAMES_QUICK = 500;
/** The same of large frames, of which fewer do, and which take long to be made to go on. */
const BYTES_PER_ROUND = 10_000_000;
const BYTES_TO_COMPILE = 50_000_000;
/** Of a start, which has no goal. */
const STARTS_MAX = 3;
/** Of a short recording, more plays have more of what a play begins with than of frames. */
const PLAYS_PER_ROUND_MAX = 40;
const PLAYS_TO_COMPILE_MAX = 80;
/** What is compressed takes longer to make than to measure. */
const PLAYS_COMPRESSED_MAX = 8;

/**
 * What a play begins with is not counted, up to a third of a recording: connections and books begin
 * then.
 */
const START_FRAMES_MAX = 2_000;

const collectYoung = () => globalThis.gc({ type: "minor" });
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const NOWHERE = {
  kind: "memory",
  payloadBytesMax: 1_048_576,
  publish() {},
};

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
  const line = { atUs: 0.5, connection: 0 };
  const play = (runs, startFrames) => {
    let frames = 0;
    let ns = 0;
    for (const { lines, texts, isFrames } of runs) {
      if (!isFrames) {
        for (const line of lines) replay.take(line);
        publisher.flush();
        continue;
      }
      // What the lines before leave to collect is not theirs.
      collectYoung();
      let begin = cpuNs();
      const count = texts === undefined ? lines.length : texts.frames.length;
      for (let index = 0; index < count; index += 1) {
        if (texts === undefined) replay.take(lines[index]);
        else {
          line.atUs = texts.atUs[index];
          line.connection = texts.connections[index];
          replay.takeText(line, texts.frames[index]);
        }
        frames += 1;
        if (frames % framesPerBatch === 0) publisher.flush();
        if (frames === startFrames) {
          collectYoung();
          begin = cpuNs();
        }
      }
      if (frames > startFrames) ns += cpuNs() - begin;
      else publisher.flush();
    }
    publisher.flush();
    return ns;
  };
  /** Of the market so far; what is said of connections is left out. */
  const events = () => counters.events - replay.counters.events.status;
  return { play, events, end: () => replay.close() };
}

/**
 * Finds the frames with which a book begins that came by REST: the answer is then put to use, of
 * which the frame itself says nothing. None of a venue that sends whole books in its frames.
 */
class Beginnings {
  #begins = false;
  #replay;

  constructor({ adapter, lines }) {
    const isSnapshot = ({ kind, url }) =>
      kind === "http" && adapter.recordedRequest(url)?.kind === "book-snapshot";
    if (!lines.some(isSnapshot)) return;
    this.#replay = new CaptureReplay({
      adapter,
      bookDepth: 1_000,
      logger: SILENT,
      emit: ({ kind, snapshot }) => {
        if (kind === "book" && snapshot) this.#begins = true;
      },
      emitTick: () => {},
    });
  }

  /** The indices of those frames among the lines of the next play. */
  take(lines) {
    const found = new Set();
    if (this.#replay === undefined) return found;
    for (const [index, line] of lines.entries()) {
      this.#begins = false;
      this.#replay.take(line);
      if (this.#begins && line.kind === "received") found.add(index);
    }
    return found;
  }
}

/**
 * Frames of text that follow each other, as what sockets hand on: when, of which connection, and
 * bytes. In columns, because to find its line would take a frame a tenth of all that is measured.
 */
class TextFrames {
  atUs = [];
  connections = [];
  frames = [];

  add({ atUs, connection, frame }) {
    this.atUs.push(atUs);
    this.connections.push(connection);
    this.frames.push(Buffer.from(frame));
  }
}

/** A recording that goes on and on, and what counts of each play of it. */
class EndlessCapture {
  #capture;
  #beginnings;
  #play = 0;
  #next;
  #countedBytes;

  constructor(capture) {
    this.#capture = capture;
    this.#beginnings = new Beginnings(capture);
    const { lines } = capture;
    this.#next = this.#make();
    const begins = this.#next.begins;
    const counted = framesOf(lines, begins);
    this.startFrames = Math.min(START_FRAMES_MAX, Math.floor(counted.length / 3));
    this.frames = counted.length;
    this.countedFrames = counted.length - this.startFrames;
    this.#countedBytes = counted
      .slice(this.startFrames)
      .reduce((sum, { frame }) => sum + Buffer.byteLength(frame), 0);
  }

  /** How many plays have so many frames that count, or so many bytes of them. */
  playsFor(frames, bytes, playsMax) {
    const { countedFrames } = this;
    return Math.min(
      playsMax,
      Math.ceil(frames / countedFrames),
      Math.ceil(bytes / this.#countedBytes),
    );
  }

  /** The lines of the next play, the same in runs, and those of its frames that may count. */
  next() {
    const { lines, begins } = this.#next ?? this.#make();
    this.#next = undefined;
    return { lines, runs: runsOf(lines, begins), frames: framesOf(lines, begins) };
  }

  #make() {
    const { adapter, lines } = this.#capture;
    const isList = (url) => adapter.recordedRequest(url)?.kind === "instruments";
    const moved = playedOn(lines, this.#play, isList);
    this.#play += 1;
    return { lines: moved, begins: this.#beginnings.take(moved) };
  }
}

/** The lines that are frames, but for those with which a book begins. */
function framesOf(lines, beginnings) {
  return lines.filter((line, index) => line.kind === "received" && !beginnings.has(index));
}

/** Frames in runs of text and of bytes, between the lines that are something else. */
function runsOf(lines, beginnings) {
  const runs = [];
  for (const [index, line] of lines.entries()) {
    const isFrames = line.kind === "received" && !beginnings.has(index);
    const isText = isFrames && typeof line.frame === "string";
    const last = runs.at(-1);
    if (last?.isFrames !== isFrames || (last.texts !== undefined) !== isText) {
      runs.push({ isFrames, texts: isText ? new TextFrames() : undefined, lines: [] });
    }
    const run = runs.at(-1);
    if (isText) run.texts.add(line);
    else run.lines.push(line);
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

/** Frames that JSON.parse takes, compressed or not; words such as "pong" are left out. */
function jsonFrames(lines) {
  const frames = [];
  for (const line of lines) {
    try {
      parseAlone([line.frame]);
      frames.push(line.frame);
    } catch {
      // What is no JSON costs JSON.parse nothing here.
    }
  }
  return frames;
}

async function captureOf(name, quick) {
  const capture = DOCUMENTED.has(name)
    ? makeDocumented(name)
    : await loadCapture(name, { framesMax: quick ? FRAMES_QUICK : FRAMES_MAX });
  if (capture === undefined) {
    process.stdout.write(`left out: capture ${name} is not there\n`);
    return undefined;
  }
  capture.adapter = adapterOf(capture.venue);
  return capture;
}

/** The frames of plays, as JSON.parse takes them, without those that each play begins with. */
function framesToParse(plays, startFrames) {
  return plays.flatMap((play) => jsonFrames(play.frames.slice(startFrames)));
}

async function measureCapture({ name, goal16, goal1, rounds, quick }) {
  const capture = await captureOf(name.split(" + ").at(-1), quick);
  if (capture === undefined) return [];
  const endless = new EndlessCapture(capture);
  const { startFrames, countedFrames } = endless;
  const framesPerRound = quick ? FRAMES_QUICK : FRAMES_PER_ROUND;
  // Both go through the same plays, each in a life of its own.
  const by16 = createIngest(capture, 16);
  const by1 = createIngest(capture, 1);
  const isRead = typeof capture.lines.find(({ kind }) => kind === "received")?.frame === "string";
  const tardis =
    isRead && !DOCUMENTED.has(capture.name) ? createTardisWork(capture, { quick }) : undefined;
  let eventsOfPlay;
  const playsMax = isRead ? PLAYS_TO_COMPILE_MAX : 2 * PLAYS_COMPRESSED_MAX;
  const playsToCompile = quick
    ? 2
    : endless.playsFor(FRAMES_TO_COMPILE, BYTES_TO_COMPILE, playsMax);
  for (let index = 0; index < playsToCompile; index += 1) {
    const { lines, runs } = endless.next();
    const before = by16.events();
    for (const { play } of [by16, by1]) play(runs, 0);
    const events = by16.events() - before;
    eventsOfPlay ??= events;
    if (Math.abs(events / eventsOfPlay - 1) >= 0.1) {
      const counts = `${eventsOfPlay} events, then ${events}`;
      process.stdout.write(`left out: ${name} cannot be played on: ${counts}\n`);
      return [];
    }
    tardis?.(lines, 0);
  }

  let plays;
  let frames;
  const playsPerRoundMax = isRead ? PLAYS_PER_ROUND_MAX : PLAYS_COMPRESSED_MAX;
  const playsPerRound = endless.playsFor(framesPerRound, BYTES_PER_ROUND, playsPerRoundMax);
  const takePlays = (count) => {
    plays = Array.from({ length: count }, () => endless.next());
    frames = framesToParse(plays, startFrames);
    globalThis.gc();
  };
  const total = (work) => plays.reduce((sum, play) => sum + work(play), 0);
  /** Frames a second of CPU time, of the plays of this round. */
  const inLife = ({ play }) => {
    const ns = total(({ runs }) => play(runs, startFrames));
    return (plays.length * countedFrames * 1e9) / ns;
  };
  const byTardis = () => {
    const done = plays.map(({ lines }) => tardis(lines, startFrames));
    const sum = (name) => done.reduce((all, each) => all + each[name], 0);
    return (sum("frames") * 1e9) / sum("ns");
  };
  const anew = () => {
    const { play, end } = createIngest(capture, 16);
    const ns = play(plays[0].runs, 0);
    end();
    return (endless.frames * 1e9) / ns;
  };
  const parse = () => {
    // Texts of frames that it parsed before are known to V8 until they are collected, and no venue
    // sends a frame twice.
    globalThis.gc();
    return (frames.length * 1e9) / parseAlone(frames);
  };
  const candidates = {
    ...(tardis === undefined ? {} : { "tardis-dev": byTardis }),
    parse,
    "parse again": parse,
    "a batch per 16 frames": () => inLife(by16),
    "a batch per frame": () => inLife(by1),
  };
  const nextRound = () => takePlays(playsPerRound);
  const samples = await alternateFigures(candidates, { rounds, isWarm: true, nextRound });
  const reference = samples.parse;
  // Last: of what has an end, V8 throws the code away that was compiled for it.
  const starts = { parse, anew };
  const nextStart = () => takePlays(1);
  const started = await alternateFigures(starts, {
    rounds: Math.min(rounds, STARTS_MAX),
    isWarm: true,
    nextRound: nextStart,
  });
  const rows = [];
  const say = (candidate, values, against) =>
    rows.push(row(name, candidate, "frames/CPU-s", values, against));
  say(isRead ? "JSON.parse alone" : "gunzip, JSON.parse", reference);
  const goal = (least) => (least === undefined ? undefined : `>= ${least}`);
  for (const [candidate, least] of [
    ["parse again"],
    ["a batch per 16 frames", goal16],
    ["a batch per frame", goal1],
  ]) {
    say(candidate, samples[candidate], { reference, target: goal(least) });
  }
  say("16 frames, with the start", started.anew, { reference: started.parse });
  if (tardis !== undefined) {
    const peer = samples["tardis-dev"];
    say("tardis-dev", peer, { reference });
    const ours = samples["a batch per 16 frames"];
    say("16 frames, against tardis-dev", ours, { reference: peer, target: ">= 4" });
  }
  return rows;
}

/** What this process played before what it measures. */
async function playBefore(names, quick) {
  for (const name of names) {
    const capture = await captureOf(name, quick);
    if (capture === undefined) continue;
    const ingest = createIngest(capture, 16);
    const endless = new EndlessCapture(capture);
    const plays = quick
      ? 1
      : endless.playsFor(FRAMES_PER_ROUND, BYTES_PER_ROUND, PLAYS_PER_ROUND_MAX);
    for (let index = 0; index < plays; index += 1) ingest.play(endless.next().runs, 0);
  }
}

const what = JSON.parse(process.argv[2]);
if (what.quick) measureQuickly();
await playBefore(what.name.split(" + ").slice(0, -1), what.quick);
for (const each of await measureCapture(what)) process.send(each);
process.disconnect();
