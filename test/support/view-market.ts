// One topic of a made-up venue, whose every event is remembered plainly: what a book, a quote or a
// list of trades is at each sequence, computed without the code that makes views.
import { BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, RowTimes } from "@tickwire/proto/codec";
import type { Bus, BusMessage } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { Channel } from "#core/instrument.ts";
import { encodeQueryReply, encodeSnapshotReply } from "#wire/bus-codec.ts";
import { batchKindOf } from "#wire/event-codec.ts";

/** Levels of one side: exact price as text to exact size as text. */
type PlainSide = ReadonlyMap<string, string>;
export type PlainBook = { readonly bids: PlainSide; readonly asks: PlainSide };

/** An event as it was published: of the sequence that is its place in the list, from 1. */
export type PlainEvent = {
  readonly row: RowTimes;
  readonly book: PlainBook | undefined;
  /** When it was published. */
  readonly atUs: number;
};

/** A decimal without trailing zeros. */
function plainDecimal(mantissa: number | bigint, scale: number): string {
  const digits = String(mantissa).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** The book after one more row. */
export function plainBookAfter(before: PlainBook | undefined, row: BookRow): PlainBook {
  const side = (name: "bids" | "asks"): PlainSide => {
    const levels = new Map(row.snapshot ? [] : before?.[name]);
    row[name].prices.forEach((price, index) => {
      const at = plainDecimal(price, row.priceScale);
      const size = plainDecimal(row[name].sizes[index] ?? 0, row.sizeScale);
      if (size === "0") levels.delete(at);
      else levels.set(at, size);
    });
    return levels;
  };
  return { bids: side("bids"), asks: side("asks") };
}

/** The best levels as text, best first: all of them if `depth` is 0. */
export function plainTop({ bids, asks }: PlainBook, depth: number): string {
  const top = (levels: PlainSide, sign: number): string =>
    [...levels]
      .sort(([one], [other]) => sign * (Number(one) - Number(other)))
      .slice(0, depth === 0 ? undefined : depth)
      .map(([price, size]) => `${size}@${price}`)
      .join(" ");
  return `${top(bids, -1)} | ${top(asks, 1)}`;
}

type State = { readonly epoch: number; readonly events: readonly PlainEvent[] };

/** The publisher of one topic, on a bus that delivers at once and loses what it is told to. */
export class ViewMarket {
  readonly channel: Channel;
  /** By epoch: every event that was numbered. */
  readonly epochs = new Map<number, PlainEvent[]>();
  epoch = 1;
  readonly #nowUs: () => number;
  #writer: BatchWriter;
  #handler: ((message: BusMessage) => void) | undefined;
  /** Queries that wait for an answer. */
  #waiting: ((answer: Uint8Array) => void)[] = [];

  constructor(channel: Channel, nowUs: () => number) {
    this.channel = channel;
    this.#nowUs = nowUs;
    this.#writer = this.#begin();
  }

  get events(): PlainEvent[] {
    return this.epochs.get(this.epoch) as PlainEvent[];
  }

  /** As a hub knows it. */
  get bus(): Bus {
    const bus = {
      subscribe: (pattern: string, handler: (message: BusMessage) => void) => {
        this.#handler = handler;
        return { pattern, unsubscribe: () => (this.#handler = undefined) };
      },
      request: () => new Promise<Uint8Array>((resolve) => void this.#waiting.push(resolve)),
      onEvent: () => () => undefined,
    };
    return bus as unknown as Bus;
  }

  /** Publishes rows as batches of one turn; what is lost is numbered all the same. */
  publish(given: readonly RowTimes[], isLost = false): void {
    const { events } = this;
    // A book begins with a whole one.
    const isFirstBook = this.channel === "book" && events.length === 0;
    const rows = given.map((row, index) => {
      return isFirstBook && index === 0 ? { ...row, snapshot: true } : row;
    });
    for (const row of rows) {
      const before = events.at(-1)?.book;
      const isBook = this.channel === "book";
      const book = isBook ? plainBookAfter(before, row as BookRow) : undefined;
      events.push({ row, book, atUs: this.#nowUs() });
    }
    const subject = eventSubject({ venue: "fake", symbol: "A-USD", channel: this.channel });
    for (const { bytes } of this.#writer.write(this.#rows(rows), this.#times())) {
      const message = { subject, payload: bytes, respond: () => undefined };
      if (!isLost) this.#handler?.(message as unknown as BusMessage);
    }
  }

  /** Another run of the publisher: sequences begin anew. */
  restart(): void {
    this.epoch += 1;
    this.#writer = this.#begin();
  }

  /** Answers every query that waits with the state of now. */
  answer(): void {
    const state = encodeQueryReply(encodeSnapshotReply(this.#state()));
    for (const resolve of this.#waiting.splice(0)) resolve(state);
  }

  #begin(): BatchWriter {
    this.epochs.set(this.epoch, []);
    return new BatchWriter({ kind: batchKindOf(this.channel), epoch: this.epoch });
  }

  #rows(rows: readonly RowTimes[]): BatchRows {
    return { kind: batchKindOf(this.channel), rows } as unknown as BatchRows;
  }

  #times() {
    return { publishedTimeUs: this.#nowUs() };
  }

  #state() {
    const { epoch, events } = this;
    const chain = { kind: batchKindOf(this.channel), epoch, sequence: events.length };
    const rows = stateRows(this.channel, { epoch, events });
    return rows.length === 0
      ? [new BatchWriter(chain).writePosition(this.#times())]
      : BatchWriter.snapshot(chain, this.#rows(rows), this.#times());
  }
}

/** The rows that stand for all events of a topic. */
function stateRows(channel: Channel, { events }: State): RowTimes[] {
  const last = events.at(-1);
  if (last === undefined || channel === "trades" || channel === "liquidations") return [];
  if (channel === "book") return [wholeRow(last)];
  const newest = new Map<string, RowTimes>();
  for (const { row } of events) newest.set(stateKey(channel, row), row);
  return [...newest.values()];
}

/** Which part of the state of a topic a row is. */
export function stateKey(channel: Channel, row: RowTimes): string {
  const fields = row as unknown as { readonly channel?: string; readonly intervalMs?: number };
  if (channel === "status") return String(fields.channel);
  return channel === "candles" ? String(fields.intervalMs) : "";
}

const SCALE = 4;

function wholeRow({ row, book }: PlainEvent): RowTimes {
  const columns = (levels: PlainSide | undefined, sign: number) => {
    const sorted = [...(levels ?? [])].sort(([one], [other]) => sign * (+one - +other));
    const mantissa = (text: string): number => Math.round(Number(text) * 10 ** SCALE);
    return {
      prices: sorted.map(([price]) => mantissa(price)),
      sizes: sorted.map(([, size]) => mantissa(size)),
    };
  };
  const { venueTimeUs, receivedTimeUs } = row;
  const scales = { priceScale: SCALE, sizeScale: SCALE };
  const sides = { bids: columns(book?.bids, -1), asks: columns(book?.asks, 1) };
  const whole = { venueTimeUs, receivedTimeUs, snapshot: true, ...scales, ...sides };
  return whole;
}
