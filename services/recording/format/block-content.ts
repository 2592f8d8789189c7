import { isChannel, isSymbol, isVenueId } from "#core/topic.ts";
import type { RecordedEntry, RecordedNotice, RecordedTopic, RecordingRun } from "./entry.ts";

/**
 * The content of a block is a row of records: one byte for the kind, four for the length (little
 * endian), and so many bytes. Each block has the run first, and each topic before its first entry.
 */
const RecordKind = { Run: 1, Topic: 2, Events: 3, Notice: 4 } as const;

const RECORD_HEAD_BYTES = 5;
/** Topic's number, and time. */
const ENTRY_HEAD_BYTES = 12;
const HELD = 1;

/** Puts the records of one block together. */
export class BlockContent {
  readonly #chunks: Buffer[] = [];
  readonly #topics = new Map<RecordedTopic, number>();
  #bytes = 0;
  #events = 0;
  #firstTimeUs: number | undefined;
  #lastTimeUs = 0;

  constructor(run: RecordingRun) {
    this.#add(RecordKind.Run, Buffer.from(JSON.stringify(run)));
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Events so far, without states that are repeated. */
  get events(): number {
    return this.#events;
  }

  get isEmpty(): boolean {
    return this.#firstTimeUs === undefined;
  }

  get firstTimeUs(): number {
    return this.#firstTimeUs ?? 0;
  }

  get lastTimeUs(): number {
    return this.#lastTimeUs;
  }

  /** `count` events as an encoded BusBatch, which is copied. */
  addEvents(
    topic: RecordedTopic,
    entry: {
      readonly timeUs: number;
      readonly bytes: Uint8Array;
      readonly held: boolean;
      readonly count: number;
    },
  ): void {
    const { timeUs, bytes, held, count } = entry;
    const head = this.#entryHead(topic, timeUs);
    this.#add(RecordKind.Events, head, Buffer.from([held ? HELD : 0]), Buffer.from(bytes));
    if (!held) this.#events += count;
  }

  addNotice(topic: RecordedTopic, timeUs: number, notice: RecordedNotice): void {
    const head = this.#entryHead(topic, timeUs);
    this.#add(RecordKind.Notice, head, Buffer.from(JSON.stringify(notice)));
  }

  /** All of it. */
  take(): Buffer {
    return Buffer.concat(this.#chunks, this.#bytes);
  }

  #entryHead(topic: RecordedTopic, timeUs: number): Buffer {
    const head = Buffer.alloc(ENTRY_HEAD_BYTES);
    head.writeUInt32LE(this.#numberOf(topic), 0);
    head.writeDoubleLE(timeUs, 4);
    this.#firstTimeUs ??= timeUs;
    this.#lastTimeUs = timeUs;
    return head;
  }

  #numberOf(topic: RecordedTopic): number {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const number = this.#topics.size + 1;
    this.#topics.set(topic, number);
    const text = JSON.stringify({ number, ...topic });
    this.#add(RecordKind.Topic, Buffer.from(text));
    return number;
  }

  #add(kind: number, ...parts: readonly Buffer[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const head = Buffer.alloc(RECORD_HEAD_BYTES);
    head[0] = kind;
    head.writeUInt32LE(length, 1);
    this.#chunks.push(head, ...parts);
    this.#bytes += RECORD_HEAD_BYTES + length;
  }
}

/** What a block holds. */
type ReadBlock = {
  readonly run: RecordingRun | undefined;
  readonly entries: readonly RecordedEntry[];
};

/** The topics of a recording, one object for each, whichever block names it. */
export class TopicTable {
  readonly #topics = new Map<string, RecordedTopic>();

  /** The topic of this name: the one given, if none was there. */
  same(topic: RecordedTopic): RecordedTopic {
    const name = `${topic.venue}:${topic.symbol}/${topic.channel}`;
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    this.#topics.set(name, topic);
    return topic;
  }
}

/** The entries of a block's content, which they refer to; undefined if it is malformed. */
export function readBlockContent(content: Buffer, table: TopicTable): ReadBlock | undefined {
  const topics = new Map<number, RecordedTopic>();
  const entries: RecordedEntry[] = [];
  let run: RecordingRun | undefined;
  let position = 0;
  while (position < content.length) {
    if (content.length - position < RECORD_HEAD_BYTES) return undefined;
    const kind = content[position];
    const start = position + RECORD_HEAD_BYTES;
    position = start + content.readUInt32LE(position + 1);
    if (position > content.length) return undefined;
    const record = content.subarray(start, position);
    if (kind === RecordKind.Run) {
      run = parseJson(record) as RecordingRun | undefined;
    } else if (kind === RecordKind.Topic) {
      const topic = readTopic(record);
      if (topic === undefined) return undefined;
      topics.set(topic.number, table.same(topic.topic));
    } else if (kind === RecordKind.Events || kind === RecordKind.Notice) {
      const entry = readEntry(kind, record, topics);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    // What a later version adds is passed over.
  }
  return { run, entries };
}

function readEntry(
  kind: number,
  record: Buffer,
  topics: ReadonlyMap<number, RecordedTopic>,
): RecordedEntry | undefined {
  if (record.length <= ENTRY_HEAD_BYTES) return undefined;
  const topic = topics.get(record.readUInt32LE(0));
  const timeUs = record.readDoubleLE(4);
  if (topic === undefined || !Number.isSafeInteger(timeUs)) return undefined;
  if (kind === RecordKind.Events) {
    const held = record[ENTRY_HEAD_BYTES] === HELD;
    return { kind: "events", topic, timeUs, held, bytes: record.subarray(ENTRY_HEAD_BYTES + 1) };
  }
  const notice = parseJson(record.subarray(ENTRY_HEAD_BYTES)) as RecordedNotice | undefined;
  if (notice?.kind !== "gap" && notice?.kind !== "continuity") return undefined;
  return { kind: "notice", topic, timeUs, notice };
}

function readTopic(
  record: Buffer,
): { readonly number: number; readonly topic: RecordedTopic } | undefined {
  const value = parseJson(record) as (RecordedTopic & { readonly number: number }) | undefined;
  if (value === undefined) return undefined;
  const { number, venue, symbol, channel, instrument, candleIntervalsMs } = value;
  const isSound =
    Number.isSafeInteger(number) &&
    isText(venue, isVenueId) &&
    isText(symbol, isSymbol) &&
    isText(channel, isChannel) &&
    typeof instrument === "object" &&
    isText(instrument?.venueSymbol, () => true) &&
    Array.isArray(candleIntervalsMs);
  if (!isSound) return undefined;
  return { number, topic: { venue, symbol, channel, instrument, candleIntervalsMs } };
}

function isText(value: unknown, fits: (text: string) => boolean): boolean {
  return typeof value === "string" && fits(value);
}

/** Undefined unless it is an object. */
function parseJson(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
