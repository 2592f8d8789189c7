import { BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, BusBatch, TradeRow } from "@tickwire/proto/codec";
import type { LiveBook } from "../src/events/book.ts";
import type { MarketEvent } from "../src/events/market-event.ts";
import type { GapEvent, NoticeEvent } from "../src/events/stream-events.ts";
import { Consumer } from "../src/topics/consumer.ts";
import type { Position } from "../src/topics/position-tracker.ts";
import { TopicStream } from "../src/topics/topic-stream.ts";
import { createStreamCounters, type StreamCounters } from "../src/topics/stream-counters.ts";
import type { Channel } from "../src/topics/topic.ts";
import { channelPart } from "./channel-part.ts";

/** Where a batch stands. */
type Head = {
  readonly firstSequence: number;
  readonly epoch?: number;
  readonly skipped?: number;
};

const TOPIC_ID = 1;

/** The batch as a subscriber gets it: the content of an element of a frame. */
export function contentOf(batch: BusBatch, withBase: boolean): Uint8Array {
  const element = new Uint8Array(elementLength(batch, TOPIC_ID, withBase));
  putElement(element, 0, batch, { topicId: TOPIC_ID, withBase });
  // Tag and length: these batches are longer than 127 bytes only with many rows.
  const lengthBytes = element[1]! < 128 ? 1 : 2;
  return element.subarray(1 + lengthBytes);
}

function based({ firstSequence, epoch = 1, skipped = 0 }: Head, rows: BatchRows): Uint8Array {
  const writer = new BatchWriter({
    kind: rows.kind,
    epoch,
    sequence: firstSequence - 1 - skipped,
  });
  const [batch] = writer.write(rows, { publishedTimeUs: 3, skipped });
  return contentOf(batch!, true);
}

function trade(sequence: number): TradeRow {
  return {
    venueTimeUs: 1,
    receivedTimeUs: 2,
    priceMantissa: sequence,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: String(sequence),
    historical: false,
  };
}

export function tradeRows(firstSequence: number, count: number): BatchRows {
  const rows = Array.from({ length: count }, (_, index) => trade(firstSequence + index));
  return { kind: "trades", rows };
}

export function trades(head: Head, count = 1): Uint8Array {
  return based(head, tradeRows(head.firstSequence, count));
}

/** Bids as price to size. */
export type Levels = ReadonlyMap<number, number>;

export function bookRow(bids: Levels, snapshot = false): BookRow {
  return {
    venueTimeUs: 1,
    receivedTimeUs: 2,
    snapshot,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [...bids.keys()], sizes: [...bids.values()] },
    asks: { prices: [], sizes: [] },
  };
}

export function books(head: Head, rows: readonly BookRow[]): Uint8Array {
  return based(head, { kind: "books", rows });
}

/** A book as it was at a sequence. */
export function bookState(sequence: number, bids: Levels, epoch = 1): Uint8Array {
  const rows = { kind: "books", rows: [bookRow(bids, true)] } as const;
  const chain = { kind: "books", epoch, sequence } as const;
  return contentOf(BatchWriter.snapshot(chain, rows, { publishedTimeUs: 3 })[0]!, true);
}

/** A publisher's batches, as a gateway keeps them. */
export class History {
  readonly #writer: BatchWriter;
  readonly #batches: BusBatch[] = [];

  constructor(kind: "trades" | "books", epoch: number) {
    this.#writer = new BatchWriter({ kind, epoch });
  }

  publish(rows: BatchRows): BusBatch {
    const [batch] = this.#writer.write(rows, { publishedTimeUs: 3 });
    this.#batches.push(batch!);
    return batch!;
  }

  /** What follows a sequence, for a subscriber who stands in no chain: the first has its base. */
  after(sequence: number): Uint8Array[] {
    return this.#batches
      .filter(({ baseSequence, count }) => baseSequence + count > sequence)
      .map((batch, index) => contentOf(batch, index === 0));
  }
}

/** A topic with one consumer, and what it was told. */
export class TopicStand {
  readonly counters: StreamCounters = createStreamCounters();
  readonly events: MarketEvent[] = [];
  readonly notices: NoticeEvent[] = [];
  readonly states: string[] = [];
  resyncs = 0;
  moved = 0;
  view: LiveBook | undefined;
  readonly stream: TopicStream;
  #nextTopicId = 1;

  constructor(channel: Channel) {
    const info = {
      topic: `binance:BTC-USDT/${channel}`,
      venue: "binance",
      symbol: "BTC-USDT",
      venueSymbol: "BTCUSDT",
      channel,
    };
    const resync = () => {
      this.resyncs += 1;
    };
    const { counters } = this;
    const moved = () => {
      this.moved += 1;
    };
    this.stream = new TopicStream(info, { part: channelPart(channel), counters, resync, moved });
    this.stream.consumers = [this.consumer()];
  }

  consumer(): Consumer {
    return new Consumer([this.stream.info.topic], {
      event: (event) => this.events.push(event),
      notice: (notice) => this.notices.push(notice),
      book: (book) => {
        this.view = book;
        this.states.push(book.state);
      },
      end: () => undefined,
    });
  }

  start(continuity: "new" | "resumed" | "replaced", position?: Position, ended?: Position): void {
    this.stream.start({ topicId: this.#nextTopicId++, continuity, position, ended });
  }

  receive(...batches: readonly Uint8Array[]): void {
    for (const batch of batches) this.stream.receive(batch, 0, batch.length);
  }

  /** The same on the connection that is left. */
  receiveOld(...batches: readonly Uint8Array[]): void {
    for (const batch of batches) this.stream.receiveOld(batch, 0, batch.length);
  }

  sequences(): number[] {
    return this.events.map(({ sequence }) => sequence);
  }

  gaps(): Pick<GapEvent, "epoch" | "missingFirst" | "missingLast" | "reason">[] {
    return this.notices
      .filter((notice) => notice.type === "gap")
      .map(({ epoch, missingFirst, missingLast, reason }) => ({
        epoch,
        missingFirst,
        missingLast,
        reason,
      }));
  }
}
