// A client of one topic as the specification of the wire describes it: no code of the client that
// is shipped, and none of the gateway's views.
import assert from "node:assert/strict";
import { BatchReader, rowsOf, walkServerFrame } from "@tickwire/proto/codec";
import type { BookRow, DecodedBatch, RowTimes } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import type { Channel } from "#core/instrument.ts";
import { plainEvent } from "./wire-events.ts";
import { plainBookAfter, plainTop, stateKey } from "./view-market.ts";
import type { PlainBook, PlainEvent } from "./view-market.ts";

/** What the events that were numbered came to. */
type Tally = { delivered: number; conflated: number; missing: number };

/** What a client of one topic knows, and what it can prove. */
export class ViewClient {
  readonly channel: Channel;
  depth: number;
  epoch = 0;
  sequence = 0;
  /** Where the epoch was joined: what came before is nobody's concern. */
  joinedAt = 0;
  tally: Tally = { delivered: 0, conflated: 0, missing: 0 };
  /** A book that has no state yet, or lost it. */
  isVoid = true;
  book: PlainBook | undefined;
  /** Every row that was given, of the epoch. */
  rows: { readonly sequence: number; readonly row: RowTimes }[] = [];
  readonly latest = new Map<string, RowTimes>();
  /** Up to where it was told that events will not come. */
  #announced = 0;
  /** What came between two losses is told by nothing but the state that must follow. */
  #isOwedState = false;
  #reader = new BatchReader();
  /** The update that is under way: its result says from which batch on. */
  updates: string[] = [];

  constructor(channel: Channel, depth: number) {
    this.channel = channel;
    this.depth = depth;
  }

  /** A connection begins: the gateway answers where the topic goes on. */
  start(
    continuity: "new" | "resumed" | "replaced",
    position: { readonly epoch: number; readonly sequence: number },
    ended: { readonly epoch: number; readonly sequence: number } | undefined,
  ): void {
    this.#reader = new BatchReader();
    if (continuity === "resumed") {
      assert.equal(position.epoch, this.epoch, "a topic resumes in its epoch");
      assert.equal(position.sequence, this.sequence, "a topic resumes where it was");
      return;
    }
    if (continuity === "replaced" && position.epoch === this.epoch) {
      this.tally.missing += position.sequence - this.sequence;
    } else {
      if (continuity === "replaced") assert.equal(ended?.epoch, this.epoch, "its end is said");
      this.#beginEpoch(position.epoch, position.sequence);
    }
    this.sequence = position.sequence;
    this.#announced = 0;
    this.isVoid = true;
    this.latest.clear();
  }

  /** Reads one frame: its messages, then its batches. Returns after each the check to be made. */
  receive(frame: Uint8Array, check: () => void): void {
    for (const { notice, subscribeResult } of tickwire.v1.ServerFrame.decode(frame).messages) {
      if (notice !== null && notice !== undefined) this.#notice(notice);
      for (const { depth, continuity } of subscribeResult?.topics ?? []) {
        this.depth = Number(depth);
        this.updates.push(String(tickwire.v1.Continuity[Number(continuity)]));
      }
    }
    walkServerFrame(frame, {
      message: () => undefined,
      batch: (start, end) => {
        const reading = this.#reader.read(frame, start, end);
        assert.equal(reading.outcome, "read", "every batch can be read");
        if (reading.outcome !== "read") return;
        this.#take(reading.batch);
        check();
      },
    });
  }

  /** What the client shows, as text. */
  get shown(): string {
    if (this.channel === "book") {
      return this.isVoid || this.book === undefined ? "void" : plainTop(this.book, 0);
    }
    return [...this.latest.entries()]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, row]) => `${key}=${rowText(row)}`)
      .join(" ");
  }

  #notice(notice: tickwire.v1.INotice): void {
    const first = Number(notice.missingFirst ?? 0);
    const last = Number(notice.missingLast ?? 0);
    if (notice.kind === tickwire.v1.NoticeKind.NOTICE_KIND_GAP) {
      assert.ok(first > this.sequence, "what is missing was not delivered");
      const next = Math.max(this.sequence, this.#announced) + 1;
      if (this.#announced === 0) assert.equal(first, next, "a loss begins where the client is");
      assert.ok(first >= next, "no event is told missing twice");
      if (first > next) this.#isOwedState = true;
      this.#announced = last;
      this.isVoid = true;
    } else if (notice.kind === tickwire.v1.NoticeKind.NOTICE_KIND_EPOCH) {
      if (last > 0) {
        assert.equal(first, Math.max(this.sequence, this.#announced) + 1);
        this.tally.missing += last - this.sequence;
      }
      this.#beginEpoch(Number(notice.position?.epoch), Number(notice.position?.sequence));
    }
  }

  #beginEpoch(epoch: number, sequence: number): void {
    this.epoch = epoch;
    this.sequence = sequence;
    this.joinedAt = sequence;
    this.tally = { delivered: 0, conflated: 0, missing: 0 };
    this.rows = [];
    this.latest.clear();
    this.isVoid = true;
    this.#announced = 0;
    this.#isOwedState = false;
  }

  #take(batch: DecodedBatch): void {
    assert.equal(batch.epoch, this.epoch, "an epoch does not change unsaid");
    const rows: readonly RowTimes[] = rowsOf(batch).rows;
    if (batch.snapshot) this.#takeState(batch, rows);
    else this.#takeNews(batch, rows);
  }

  #takeState({ firstSequence }: DecodedBatch, rows: readonly RowTimes[]): void {
    if (firstSequence < this.sequence) return;
    // What a state stands for did not come one by one, said or not.
    this.tally.missing += firstSequence - this.sequence;
    this.sequence = firstSequence;
    this.#announced = 0;
    this.#isOwedState = false;
    for (const row of rows) this.#apply(row);
  }

  #takeNews(batch: DecodedBatch, rows: readonly RowTimes[]): void {
    const base = batch.firstSequence - 1 - batch.skipped;
    if (base > this.sequence) this.#missUntil(base);
    // What was conflated away may reach back to what the client has.
    this.tally.conflated += Math.max(0, batch.firstSequence - 1 - Math.max(base, this.sequence));
    for (const [index, row] of rows.entries()) {
      const sequence = batch.firstSequence + index;
      if (sequence <= this.sequence) continue;
      this.tally.delivered += 1;
      this.rows.push({ sequence, row });
      this.#apply(row);
    }
    this.sequence = Math.max(this.sequence, batch.firstSequence + batch.count - 1);
  }

  /** Up to there nothing comes any more: it must have been said, all of it. */
  #missUntil(sequence: number): void {
    if (sequence === this.sequence) return;
    assert.ok(!this.#isOwedState, "what came between two losses is in a state behind them");
    assert.ok(this.#announced >= sequence, `${this.sequence + 1} to ${sequence} vanish unsaid`);
    this.tally.missing += sequence - this.sequence;
    this.sequence = sequence;
    this.#announced = 0;
  }

  #apply(row: RowTimes): void {
    if (this.channel !== "book") {
      this.latest.set(stateKey(this.channel, row), row);
      return;
    }
    const change = row as BookRow;
    if (this.isVoid && !change.snapshot) return;
    this.book = plainBookAfter(this.book, change);
    this.isVoid = false;
  }
}

/** What a client should show that has everything of a topic up to a sequence. */
export function expectedShown(
  channel: Channel,
  events: readonly PlainEvent[],
  depth: number,
): string {
  if (channel === "book") {
    const book = events.at(-1)?.book;
    return book === undefined ? "void" : plainTop(book, depth);
  }
  const newest = new Map<string, RowTimes>();
  for (const { row } of events) newest.set(stateKey(channel, row), row);
  return [...newest.entries()]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, row]) => `${key}=${rowText(row)}`)
    .join(" ");
}

/** What a row says, whatever the scales that it is said with. */
export function rowText(row: RowTimes): string {
  const plain = Object.entries(plainEvent(row)).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(plain);
}
