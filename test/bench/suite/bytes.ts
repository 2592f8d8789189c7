// Bytes an event on the wire, beside those of the venue's own JSON, plain and compressed. The
// figures are the same on every machine.
import { createDeflateRaw, constants, deflateRawSync } from "node:zlib";
import type { BatchRows, BookRow } from "@tickwire/proto/codec";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { capturePath } from "#test/support/captures.ts";
import {
  framesOf,
  newsOf,
  topicsOfCapture,
  webSocketHeader,
  windowsOf,
} from "#test/support/wire-bytes.ts";
import type { TopicRows } from "#test/support/wire-bytes.ts";

type Row = {
  readonly measure: string;
  readonly candidate: string;
  readonly unit: string;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly ratio: number | undefined;
  readonly target: string | undefined;
  readonly rounds: number;
};

const CAPTURES = [
  "coinbase-10-pairs",
  "binance-usdm-btcusdt-345s",
  "binance-btcusdt-345s",
  "kraken-v2-ethusd",
  "okx-3-instruments",
];

const MODES = {
  alone: { windowUs: 0, conflated: false },
  "10 ms": { windowUs: 10_000, conflated: false },
  "100 ms": { windowUs: 100_000, conflated: false },
  "250 ms": { windowUs: 250_000, conflated: false },
  "conflated, 100 ms": { windowUs: 100_000, conflated: true },
} as const;

/** Bytes an event of all channels of Coinbase, plain. */
const COINBASE_GOALS: Readonly<Record<string, string>> = {
  alone: "<= 24",
  "100 ms": "<= 10.5",
  "conflated, 100 ms": "<= 8",
};

/** The gateway's `compressBytesMin`: smaller frames are never compressed. */
const COMPRESS_BYTES_MIN = 2_048;
const DEPTH = 20;
const DEPTH_WINDOW_US = 100_000;

function framed(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length + webSocketHeader(length), 0);
}

/** Lengths of the frames as the gateway compresses them: each by itself. */
function compressedAlone(frames: readonly Uint8Array[]): number[] {
  return frames.map((frame) =>
    frame.length < COMPRESS_BYTES_MIN
      ? frame.length
      : Math.min(frame.length, deflateRawSync(frame, { level: 1 }).length),
  );
}

/** Lengths of the messages when each is compressed with what was sent before it at hand. */
async function compressedInContext(messages: readonly (Uint8Array | string)[]): Promise<number[]> {
  const deflate = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH });
  const lengths: number[] = [];
  let length = 0;
  deflate.on("data", (chunk: Uint8Array) => (length += chunk.length));
  for (const message of messages) {
    length = 0;
    await new Promise<void>((resolve) => {
      deflate.write(message);
      deflate.flush(constants.Z_SYNC_FLUSH, resolve);
    });
    // The four bytes at the end of a flush are not sent (RFC 7692, 7.2.1).
    lengths.push(length - 4);
  }
  deflate.destroy();
  return lengths;
}

/** What the venue sent, as texts, without the states that it marks: ours are left out too. */
async function venueFrames(path: string): Promise<string[]> {
  const frames: string[] = [];
  for await (const line of readCapture(path)) {
    if (line.kind !== "received" || typeof line.frame !== "string") continue;
    if (!line.frame.includes('"snapshot"')) frames.push(line.frame);
  }
  return frames;
}

/** The levels nearest to the best price of one side, kept the slow way. */
class PlainSide {
  readonly #sizes = new Map<number, number>();
  readonly #sign: number;
  #shown = new Map<number, number>();

  constructor(sign: number) {
    this.#sign = sign;
  }

  set({ prices, sizes }: BookRow["bids"]): void {
    for (const [at, price] of prices.entries()) {
      const size = sizes[at] as number;
      if (size === 0) this.#sizes.delete(price as number);
      else this.#sizes.set(price as number, size);
    }
  }

  clear(): void {
    this.#sizes.clear();
  }

  /** What changed within the depth since the last time. */
  changes(): BookRow["bids"] {
    const levels = [...this.#sizes].toSorted(([a], [b]) => (a - b) * this.#sign).slice(0, DEPTH);
    const now = new Map(levels);
    const left = [...this.#shown.keys()].filter((price) => !now.has(price));
    const changed = levels.filter(([price, size]) => this.#shown.get(price) !== size);
    this.#shown = now;
    const all = [...left.map((price) => [price, 0] as const), ...changed].toSorted(
      ([a], [b]) => (a - b) * this.#sign,
    );
    return { prices: all.map(([price]) => price), sizes: all.map(([, size]) => size) };
  }
}

/** Books cut to the best levels, one event a window with a change; the events that went in. */
function cutBooks(topics: readonly TopicRows[]): { topics: TopicRows[]; events: number } {
  let events = 0;
  const cut = topics.flatMap((topic) => {
    if (topic.rows.kind !== "books") return [];
    const sides = { bids: new PlainSide(-1), asks: new PlainSide(1) };
    const rows: BookRow[] = [];
    for (const part of windowsOf(topic.rows, { windowUs: DEPTH_WINDOW_US, conflated: false })) {
      const books = part.rows.rows as readonly BookRow[];
      for (const row of books) {
        if (row.snapshot) for (const side of Object.values(sides)) side.clear();
        sides.bids.set(row.bids);
        sides.asks.set(row.asks);
        if (!row.snapshot) events += 1;
      }
      const last = books.at(-1) as BookRow;
      const [bids, asks] = [sides.bids.changes(), sides.asks.changes()];
      const isState = rows.length === 0 && books.some(({ snapshot }) => snapshot);
      if (isState || bids.prices.length + asks.prices.length > 0) {
        rows.push({ ...last, snapshot: isState, bids, asks });
      }
    }
    const news: BatchRows = { kind: "books", rows: rows.filter((row) => !row.snapshot) };
    return news.rows.length === 0 ? [] : [{ ...topic, rows: news }];
  });
  return { topics: cut, events };
}

function line(measure: string, candidate: string, value: number, more: Partial<Row> = {}): Row {
  return {
    measure,
    candidate,
    unit: "bytes/event",
    min: value,
    median: value,
    max: value,
    ratio: undefined,
    target: undefined,
    rounds: 1,
    ...more,
  };
}

async function measureCapture(name: string, path: string): Promise<Row[]> {
  const topics = await topicsOfCapture(path);
  const news = newsOf(topics);
  const texts = await venueFrames(path);
  const { events } = framesOf(news, MODES.alone);
  const plain = framed(texts.map((text) => Buffer.byteLength(text))) / events;
  const context = framed(await compressedInContext(texts)) / events;
  const rows = [
    line(name, "the venue's JSON", plain),
    line(name, "the venue's JSON, compressed in context", context),
  ];
  const add = async (mode: string, frames: readonly Uint8Array[], count: number) => {
    const target = name.startsWith("coinbase") ? COINBASE_GOALS[mode] : undefined;
    const bytes = framed(frames.map(({ length }) => length)) / count;
    const alone = framed(compressedAlone(frames)) / count;
    const inContext = framed(await compressedInContext(frames)) / count;
    rows.push(
      line(name, mode, bytes, { target, ratio: bytes / context }),
      line(name, `${mode}, as the gateway compresses`, alone, { ratio: alone / context }),
      line(name, `${mode}, compressed in context`, inContext, { ratio: inContext / context }),
    );
  };
  for (const [mode, options] of Object.entries(MODES)) {
    await add(mode, framesOf(news, options).frames, events);
  }
  const cut = cutBooks(topics);
  if (cut.topics.length > 0) {
    const { frames } = framesOf(cut.topics, { windowUs: DEPTH_WINDOW_US, conflated: false });
    await add("books only, depth 20, 100 ms", frames, cut.events);
  }
  return rows;
}

export const about =
  "bytes an event without states at the start, beside the venue's JSON compressed in context";

export async function run(options: {
  readonly quick: boolean;
  readonly only?: string;
}): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of options.quick ? CAPTURES.slice(-1) : CAPTURES) {
    const path = name.includes(options.only ?? "") ? capturePath(name) : undefined;
    if (path !== undefined) rows.push(...(await measureCapture(name, path)));
  }
  return rows;
}
