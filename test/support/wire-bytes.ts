/**
 * What the events of a capture take on the wire: bytes an event, of the batches of each topic and
 * of the frames around them. Deterministic: the same capture gives the same figures.
 */
import type { BatchRows, BookRow } from "@tickwire/proto/codec";
import { BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { rowsOfEvents } from "#wire/event-codec.ts";
import { ManualClock } from "./manual-clock.ts";
import { createPrng } from "./prng.ts";

/** The rows of one topic, in order. */
export type TopicRows = {
  readonly topic: string;
  readonly channel: string;
  readonly rows: BatchRows;
};

/** The events of a capture by topic. */
export async function topicsOfCapture(path: string): Promise<TopicRows[]> {
  const topics = new Map<string, { channel: string; rows: MarketEvent[] }>();
  await replayCapture({
    source: readCapture(path),
    speed: "max",
    clock: new ManualClock(0),
    onEvent: ({ event }) => {
      const channel = CHANNEL_OF_KIND[event.kind];
      const topic = `${event.instrument.symbol}/${channel}`;
      const known = topics.get(topic);
      if (known === undefined) topics.set(topic, { channel, rows: [event] });
      else known.rows.push(event);
    },
  });
  return [...topics].map(([topic, { channel, rows }]) => ({
    topic,
    channel,
    rows: rowsOfEvents(rows),
  }));
}

/** How events are put into frames. */
type FrameMode = {
  /** Length of a window whose events share a frame; 0: each event has a frame of its own. */
  readonly windowUs: number;
  /** Of each topic only the state at the end of the window, where the channel has one. */
  readonly conflated: boolean;
};

type ByteFigures = {
  /** Events that went in: conflated ones count too. */
  readonly events: number;
  readonly bytes: number;
  readonly perEvent: number;
  readonly eventsPerBatch: number;
};

/** Encodes batch after batch of one topic; returns the elements of a frame that they make. */
type TopicEncoder = (rows: BatchRows, batch: EncoderBatch) => Uint8Array[];
type EncoderBatch = { readonly publishedTimeUs: number; readonly skipped: number };

/** The wire as proto/wire.md describes it. */
function topicEncoder(kind: BatchRows["kind"], topicId: number): TopicEncoder {
  const writer = new BatchWriter({ kind, epoch: EPOCH });
  let isFirst = true;
  return (rows, batch) =>
    writer.write(rows, batch).map((written) => {
      const withBase = isFirst || written.rebase;
      const bytes = new Uint8Array(elementLength(written, topicId, withBase));
      putElement(bytes, 0, written, { topicId, withBase });
      isFirst = false;
      return bytes;
    });
}

const EPOCH = 1_618_677_816_841_500;

/** The frames that the events of these topics are put into by `mode`, in order. */
export function framesOf(
  topics: readonly TopicRows[],
  mode: FrameMode,
): { frames: Uint8Array[]; events: number; batches: number } {
  const frames = new Map<string, Uint8Array[]>();
  let events = 0;
  let batches = 0;
  let single = 0;
  const lag = lagSource();
  for (const [index, { rows }] of topics.entries()) {
    const encode = topicEncoder(rows.kind, index + 1);
    for (const part of windowsOf(rows, mode)) {
      const newest = part.rows.rows.at(-1);
      const publishedTimeUs = (newest?.receivedTimeUs ?? 0) + lag();
      const elements = encode(part.rows, { publishedTimeUs, skipped: part.skipped });
      const frame = mode.windowUs === 0 ? `${single}` : `w${part.window}`;
      single += 1;
      frames.set(frame, [...(frames.get(frame) ?? []), ...elements]);
      events += part.skipped + part.rows.rows.length;
      batches += 1;
    }
  }
  return { frames: [...frames.values()].map((parts) => Buffer.concat(parts)), events, batches };
}

/** Bytes an event of these topics, put into frames by `mode`. */
export function measureBytes(topics: readonly TopicRows[], mode: FrameMode): ByteFigures {
  const { frames, events, batches } = framesOf(topics, mode);
  let bytes = 0;
  for (const { length } of frames) bytes += length + webSocketHeader(length);
  return { events, bytes, perEvent: bytes / events, eventsPerBatch: events / batches };
}

/** Bytes of a header of RFC 6455, of a frame that a server sends. */
export function webSocketHeader(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** From received to published: log-normal around 150 us, from a seed. */
function lagSource(): () => number {
  const random = createPrng(7);
  return () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
    const normal = radius * Math.cos(2 * Math.PI * random.next());
    return Math.round(150 * Math.exp(0.6 * normal));
  };
}

type Window = { readonly window: number; readonly rows: BatchRows; readonly skipped: number };

const CONFLATED = new Set([
  "quotes",
  "books",
  "tickers",
  "markPrices",
  "openInterests",
  "fundings",
]);

/** The events of one topic as they go into frames. */
export function windowsOf(rows: BatchRows, { windowUs, conflated }: FrameMode): Window[] {
  const list: readonly { readonly receivedTimeUs: number }[] = rows.rows;
  const windows: Window[] = [];
  let start = 0;
  const windowAt = (index: number): number =>
    windowUs === 0 ? index : Math.floor((list[index]?.receivedTimeUs ?? 0) / windowUs);
  for (let index = 1; index <= list.length; index += 1) {
    if (index < list.length && windowAt(index) === windowAt(start)) continue;
    const part = { kind: rows.kind, rows: list.slice(start, index) } as unknown as BatchRows;
    const window = windowAt(start);
    if (!conflated || !CONFLATED.has(rows.kind)) windows.push({ window, rows: part, skipped: 0 });
    else windows.push({ window, rows: lastOf(part), skipped: index - start - 1 });
    start = index;
  }
  return windows;
}

function lastOf(rows: BatchRows): BatchRows {
  if (rows.kind === "books") return { kind: "books", rows: [mergedBook(rows.rows)] };
  return { kind: rows.kind, rows: rows.rows.slice(-1) } as BatchRows;
}

/** One event that does what all of them do: of each level the last size. */
function mergedBook(rows: readonly BookRow[]): BookRow {
  const last = rows.at(-1) as BookRow;
  const side = (name: "bids" | "asks"): BookRow["bids"] => {
    const levels = new Map(
      rows.flatMap((row) => row[name].prices.map((price, at) => [price, row[name].sizes[at]])),
    ) as Map<number, number>;
    const sorted = [...levels].toSorted(([a], [b]) => (name === "bids" ? b - a : a - b));
    return { prices: sorted.map(([price]) => price), sizes: sorted.map(([, size]) => size) };
  };
  return { ...last, bids: side("bids"), asks: side("asks") };
}

/** Without what comes once: states at the start and of the connection. */
export function newsOf(topics: readonly TopicRows[], channel?: string): TopicRows[] {
  return topics.flatMap((topic) => {
    if (topic.channel === "status" || (channel ?? topic.channel) !== topic.channel) return [];
    if (topic.rows.kind !== "books") return [topic];
    const rows = topic.rows.rows.filter((row) => !row.snapshot);
    return rows.length === 0 ? [] : [{ ...topic, rows: { kind: "books" as const, rows } }];
  });
}
