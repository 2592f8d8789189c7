import { OrderBook } from "@tickwire/proto/model";
import type { TruncatedPrices } from "@tickwire/proto/model";
import { deltaEvent, isCrossedSnapshot, isProofAlone, snapshotEvent } from "./book-events.ts";
import { DUPLICATES_IN_ROW_MAX, SNAPSHOTS_BEHIND_MAX } from "./book-limits.ts";
import type { BookBuilderCounts, BookOutput, BookReason } from "./book-output.ts";
import {
  alignDeltas,
  placeDelta,
  type BookPosition,
  type BookSync,
  type RawBook,
} from "./book-sync.ts";
import { BoundedQueue } from "./bounded-queue.ts";
import { isMatching } from "./instrument.ts";
import type { Instrument } from "./instrument.ts";
import type { TopicState } from "./market-event.ts";
import { BookAt, DeltaTick } from "./market-tick.ts";
import type { BookTick } from "./market-tick.ts";
import type { StatusReason } from "./status-reason.ts";
import { TickLadder } from "./tick-ladder.ts";
import type { BestOfSides } from "./tick-levels.ts";

type BookBuilderOptions = {
  readonly sync: BookSync;
  readonly instrument: Instrument;
  /** Deltas kept while waiting for a snapshot; beyond it the oldest is dropped and counted. */
  readonly bufferedDeltasMax: number;
  /**
   * Levels kept per side; all if undefined. Required where the venue's checksum assumes a depth.
   */
  readonly depth?: number | undefined;
};

type Emit = (output: BookOutput) => void;

const CHECKSUM_PASSED: BookOutput = Object.freeze({ kind: "checksum", ok: true });
const CHECKSUM_FAILED: BookOutput = Object.freeze({ kind: "checksum", ok: false });

/**
 * Keeps the book of one instrument right, or says that it is not. Pure: time comes with the
 * messages, requests leave as outputs. Everything is emitted before the call returns.
 */
export class BookBuilder {
  readonly instrument: Instrument;
  readonly #bids = new TickLadder("bid");
  readonly #asks = new TickLadder("ask");
  readonly #sides: BestOfSides = { bids: this.#bids, asks: this.#asks };
  readonly book = new OrderBook((side) => (side === "bid" ? this.#bids : this.#asks));
  readonly counts: BookBuilderCounts = {
    beforeSnapshot: 0,
    duplicates: 0,
    overflowed: 0,
    staleSnapshots: 0,
    ignoredSnapshots: 0,
  };
  readonly #sync: BookSync;
  /** True where neither numbers nor checksums can show that something was lost. */
  readonly #isUnproven: boolean;
  readonly #depth: number;
  readonly #buffer: BoundedQueue<RawBook>;
  #phase: "idle" | "waiting" | "live" = "idle";
  #state: TopicState = "down";
  /** Its own object, which moves with each delta. */
  #position: { -readonly [Field in keyof BookPosition]: BookPosition[Field] } = {
    updateId: undefined,
    bridged: false,
  };
  /** A snapshot was asked for and has not come. */
  #requested = false;
  /** A live book keeps what it applies, to put it behind a fresh snapshot. */
  #refreshing = false;
  /** A REST snapshot that came before the first delta. */
  #early: RawBook | undefined;
  #gapReported = false;
  #wasLive = false;
  #duplicatesInRow = 0;
  /** The last update applied before a number repeated: an older snapshot would be a step back. */
  #floorUpdateId: number | undefined;
  #snapshotsBehind = 0;
  /** The book crossed, and a snapshot was asked for that shows if the venue means it. */
  #isDoubted = false;
  #startReason: StatusReason = "start";
  #delta: Extract<BookOutput, { kind: "delta" }> | undefined;
  /** The checksum of the book was asked for after its last change. */
  #isSummed = false;

  /**
   * Throws TypeError for a policy that takes REST snapshots but cannot line deltas up behind them.
   */
  constructor(options: BookBuilderOptions) {
    if (options.sync.snapshot !== "in-band" && options.sync.sequencing === undefined) {
      throw new TypeError(`the book sync of ${options.instrument.venue} needs sequencing`);
    }
    this.instrument = options.instrument;
    this.#sync = options.sync;
    const { sequencing, checksum } = options.sync;
    const showsGaps = sequencing !== undefined && sequencing.showsGaps !== false;
    this.#isUnproven = checksum === undefined && !showsGaps;
    this.#depth = options.depth ?? Infinity;
    this.#buffer = new BoundedQueue({ capacity: options.bufferedDeltasMax });
  }

  /**
   * True where numbers line a REST snapshot up with deltas; also one that nobody asked for, as in a
   * recording of an older form of a protocol that sends its snapshots in the stream today.
   */
  get #alignsRest(): boolean {
    return this.#sync.sequencing !== undefined;
  }

  /** True if the book is complete as far as anybody can prove. */
  get isLive(): boolean {
    return this.#phase === "live";
  }

  /** True if the best bid is at or above the best ask. */
  get isCrossed(): boolean {
    const bid = this.#bids.bestNumber;
    const ask = this.#asks.bestNumber;
    const arePlain = !Number.isNaN(bid) && !Number.isNaN(ask);
    return arePlain ? bid >= ask : this.book.isCrossed();
  }

  /** Deltas waiting for a snapshot. */
  get bufferedCount(): number {
    return this.#buffer.length;
  }

  /**
   * Takes the next message of the venue, in order of arrival. Columns are not copied: do not change
   * them.
   */
  handle(raw: RawBook, emit: Emit): void {
    if (!raw.snapshot) this.#onDelta(raw, emit);
    else if (raw.source === "in-band") this.#onStreamSnapshot(raw, emit);
    else this.#onRestSnapshot(raw, emit);
  }

  /**
   * The same for a change that is a tick, which is the caller's again afterwards. What a live book
   * takes as its next change, at its own scales, becomes a `delta`; anything else goes the way of
   * the messages.
   */
  handleTick(tick: BookTick, emit: Emit): void {
    const { book } = this;
    const isPlain =
      this.#phase === "live" &&
      !this.#refreshing &&
      tick.priceScale === book.priceScale &&
      tick.sizeScale === book.sizeScale &&
      !tick.isProofAlone &&
      placeDelta(tick, this.#position, this.#sync.sequencing) === "next";
    if (!isPlain) {
      this.handle(tick.event(), emit);
      return;
    }
    this.#duplicatesInRow = 0;
    this.#bids.setAll(tick.bids);
    this.#asks.setAll(tick.asks);
    const position = this.#position;
    const lastId = tick.numbers[BookAt.LastId]!;
    if (!Number.isNaN(lastId)) position.updateId = lastId;
    position.bridged = true;
    const truncated = book.truncate(this.#depth);
    const change = this.#isSummed ? tick : undefined;
    if (!this.#verify(tick, emit, change) || this.#isLostToCrossing(emit)) return;
    this.#emitDelta(tick, truncated, emit);
  }

  /** A REST snapshot has come and waits for the first change. */
  get hasEarlySnapshot(): boolean {
    return this.#early !== undefined;
  }

  /**
   * The changes of the book come from now on: a REST snapshot is asked for, and one that has come
   * already is taken, without waiting for the first of them. Does nothing once it has begun, or
   * where snapshots come in the stream.
   */
  begin(emit: Emit): void {
    if (this.#phase !== "idle" || this.#sync.snapshot === "in-band") return;
    this.#begin(emit);
    const early = this.#early;
    this.#early = undefined;
    if (early === undefined) this.#request(this.#startReason, emit);
    else this.#align(early, emit);
  }

  /**
   * The connection is gone: forgets everything that depended on it. The next message starts anew.
   */
  reset(reason: StatusReason, emit: Emit): void {
    this.#phase = "idle";
    this.#startReason = reason;
    this.#requested = false;
    this.#refreshing = false;
    this.#gapReported = false;
    this.#early = undefined;
    this.#floorUpdateId = undefined;
    this.#isDoubted = false;
    this.#buffer.clear();
    this.#enter("down", reason, emit);
  }

  /**
   * Something of this book was lost that its numbers cannot show, such as an unreadable message.
   */
  resync(reason: StatusReason, emit: Emit): void {
    if (this.#phase === "live") {
      this.#lose(reason, emit);
      return;
    }
    if (this.#phase === "idle") this.#begin(emit);
    // What was lost may have been the snapshot itself, so ask again.
    if (this.#sync.snapshot === "in-band") this.#requested = false;
    this.#request(reason, emit);
  }

  /**
   * From now on a REST snapshot replaces the live book, without a break in the stream. The caller
   * then fetches one; one that is too old is not used, and another may be tried. False if the book
   * is not live, or has no REST snapshots. A loss ends it, for the snapshot is then needed anyway.
   */
  beginRefresh(): boolean {
    if (this.#phase !== "live" || this.#sync.snapshot === "in-band") return false;
    this.#refreshing = true;
    return true;
  }

  /** No snapshot came: the live book goes on as it is. */
  endRefresh(): void {
    if (!this.#refreshing) return;
    this.#refreshing = false;
    this.#buffer.clear();
  }

  /** True from `beginRefresh` until a snapshot was installed or it ended otherwise. */
  get isRefreshing(): boolean {
    return this.#refreshing;
  }

  #onDelta(delta: RawBook, emit: Emit): void {
    if (this.#phase === "live") {
      this.#onLiveDelta(delta, emit);
      return;
    }
    if (this.#phase === "idle") this.#begin(emit);
    if (!this.#alignsRest) {
      this.counts.beforeSnapshot++;
      return;
    }
    this.#keep(delta);
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.#align(early, emit);
    // An in-band snapshot comes by itself.
    else if (this.#sync.snapshot !== "in-band") this.#request(this.#startReason, emit);
  }

  #onLiveDelta(delta: RawBook, emit: Emit): void {
    const placement = placeDelta(delta, this.#position, this.#sync.sequencing);
    if (placement === "covered") {
      this.counts.duplicates++;
      // Behind a snapshot old deltas are normal. Later they break the venue's promise that each
      // delta continues the one before, and what else is wrong then cannot be known.
      if (!this.#position.bridged && ++this.#duplicatesInRow < DUPLICATES_IN_ROW_MAX) return;
    }
    if (placement !== "next") {
      const repeated = placement === "covered" && this.#position.bridged;
      this.#floorUpdateId = repeated ? this.#position.updateId : undefined;
      this.#snapshotsBehind = 0;
      this.#lose(this.#reasonOf(placement), emit);
      if (this.#sync.snapshot !== "in-band") this.#keep(delta);
      return;
    }
    this.#duplicatesInRow = 0;
    if (this.#refreshing) this.#keep(delta);
    this.book.applyDelta(delta);
    const position = this.#position;
    position.updateId = delta.lastUpdateId ?? position.updateId;
    position.bridged = true;
    const truncated = this.book.truncate(this.#depth);
    if (!this.#verify(delta, emit)) return;
    if (this.#isLostToCrossing(emit) || isProofAlone(delta)) return;
    emit({ kind: "event", event: deltaEvent(delta, truncated, this.book) });
  }

  /** One output serves all deltas of the book: whoever takes it is done with it at once. */
  #emitDelta(tick: BookTick, truncated: TruncatedPrices, emit: Emit): void {
    const output = (this.#delta ??= { kind: "delta", delta: new DeltaTick(tick, truncated) });
    const { delta } = output;
    if (delta.change !== tick) delta.change = tick;
    if (delta.truncated !== truncated) delta.truncated = truncated;
    emit(output);
  }

  #reasonOf(placement: "covered" | "gap"): StatusReason {
    if (placement === "gap") return "sequence-gap";
    return this.#position.bridged ? "sequence-repeated" : "sequence-reset";
  }

  #onStreamSnapshot(snapshot: RawBook, emit: Emit): void {
    if (this.#phase === "idle") this.#begin(emit);
    this.#requested = false;
    this.#early = undefined;
    this.#settleDoubt(snapshot, emit);
    if (this.#phase !== "live") this.counts.beforeSnapshot += this.#buffer.length;
    this.#buffer.clear();
    this.#install(snapshot, [], { updateId: snapshot.lastUpdateId, bridged: false }, emit);
  }

  #onRestSnapshot(snapshot: RawBook, emit: Emit): void {
    if (!this.#alignsRest || (this.#phase === "live" && !this.#refreshing)) {
      this.counts.ignoredSnapshots++;
    } else if (this.#refreshing) {
      this.#alignRefresh(snapshot, emit);
    } else if (this.#phase === "idle") {
      // Only a delta can prove that nothing was missed after this snapshot.
      this.#early = snapshot;
    } else {
      this.#align(snapshot, emit);
    }
  }

  /** Replaces the live book, unless that would take it back or leave a hole. */
  #alignRefresh(snapshot: RawBook, emit: Emit): void {
    const alignment = alignDeltas(snapshot, this.#buffer, this.#sync.sequencing);
    if (alignment.kind !== "aligned" || this.#isBehind(alignment.position)) {
      this.counts.staleSnapshots++;
      return;
    }
    this.#settleDoubt(snapshot, emit);
    this.#buffer.clear();
    // The live book is ahead of the snapshot: consumers see only what both come to.
    this.#install(snapshot, alignment.deltas, alignment.position, emit);
  }

  /** Puts the buffered deltas behind a REST snapshot, or asks for a better one. */
  #align(snapshot: RawBook, emit: Emit): void {
    this.#requested = false;
    const alignment = alignDeltas(snapshot, this.#buffer, this.#sync.sequencing);
    if (alignment.kind === "aligned") {
      if (this.#isBehind(alignment.position)) {
        this.counts.staleSnapshots++;
        this.#request("snapshot-too-old", emit);
        return;
      }
      this.counts.duplicates += this.#buffer.length - alignment.deltas.length;
      this.#buffer.clear();
      this.#installRest(snapshot, alignment, emit);
      return;
    }
    // What stands before the hole is of no use to the next snapshot, which must be newer.
    for (let index = 0; index < alignment.index; index++) this.#buffer.shift();
    if (alignment.kind === "snapshot-too-old") this.counts.staleSnapshots++;
    else this.#reportGap(alignment.kind, emit);
    this.#request(alignment.kind, emit);
  }

  #installRest(
    snapshot: RawBook,
    alignment: { readonly deltas: readonly RawBook[] },
    emit: Emit,
  ): void {
    this.#install(snapshot, [], { updateId: snapshot.lastUpdateId, bridged: false }, emit);
    // The book may be lost on the way; then they wait for the next snapshot.
    for (const delta of alignment.deltas) this.#onDelta(delta, emit);
  }

  /** True if consumers would see the book step back to before what it held already. */
  #isBehind(position: BookPosition): boolean {
    const isLive = this.#phase === "live";
    const floor = isLive ? this.#position.updateId : this.#floorUpdateId;
    if (floor === undefined || position.updateId === undefined) return false;
    if (position.updateId >= floor) return false;
    return isLive || ++this.#snapshotsBehind <= SNAPSHOTS_BEHIND_MAX;
  }

  #install(
    snapshot: RawBook,
    deltas: readonly RawBook[],
    position: BookPosition,
    emit: Emit,
  ): void {
    this.book.applySnapshot(snapshot);
    for (const delta of deltas) this.book.applyDelta(delta);
    this.book.truncate(this.#depth);
    this.#refreshing = false;
    this.#position = { ...position };
    this.#duplicatesInRow = 0;
    const last = deltas.at(-1) ?? snapshot;
    if (!this.#verify(last, emit) || this.#isLostToCrossing(emit)) return;
    emit({
      kind: "event",
      event: snapshotEvent({
        book: this.book,
        instrument: this.instrument,
        last,
        receivedTimeUs: snapshot.receivedTimeUs,
      }),
    });
    this.#phase = "live";
    this.#wasLive = true;
    this.#gapReported = false;
    this.#floorUpdateId = undefined;
    this.#enter("live", "synchronized", emit);
  }

  /**
   * False if the venue's checksum says that the book is wrong; the book is then on its way to a
   * resync.
   */
  #verify(raw: Pick<RawBook, "checksum">, emit: Emit, change?: BookTick): boolean {
    const sent = raw.checksum;
    this.#isSummed = sent !== undefined;
    if (sent === undefined || this.#sync.checksum === undefined) return true;
    const ok = this.#sync.checksum(this.book, this.instrument, sent, change, this.#sides) === sent;
    emit(ok ? CHECKSUM_PASSED : CHECKSUM_FAILED);
    if (!ok) this.#lose("checksum-mismatch", emit);
    return ok;
  }

  /**
   * True if the book is crossed where nothing else could show a loss; it is then resynced. Not
   * where the instrument's state lets it cross. Where that may be so and nobody knows, the book
   * goes on, and a snapshot is asked for that shows whether the venue's is crossed too.
   */
  #isLostToCrossing(emit: Emit): boolean {
    if (!this.#isUnproven || !this.isCrossed) {
      this.#isDoubted = false;
      return false;
    }
    const mayCross = !(isMatching(this.instrument) ?? this.#sync.holdsAuctions !== true);
    if (!mayCross) {
      this.#lose("crossed-book", emit);
      return true;
    }
    if (this.instrument.state === undefined && this.#phase === "live" && !this.#isDoubted) {
      this.#isDoubted = true;
      this.#refreshing = this.#sync.snapshot !== "in-band";
      emit({ kind: "doubt", reason: "crossed-book" });
    }
    return false;
  }

  /** A fresh snapshot shows that the venue's book is not crossed as ours is: something was lost. */
  #settleDoubt(snapshot: RawBook, emit: Emit): void {
    if (!this.#isDoubted || isCrossedSnapshot(snapshot)) return;
    this.#isDoubted = false;
    if (this.#phase !== "live") return;
    this.#reportGap("crossed-book", emit);
    this.#phase = "waiting";
    this.#enter("gap", "crossed-book", emit);
    this.#enter("resyncing", "crossed-book", emit);
  }

  #lose(reason: StatusReason, emit: Emit): void {
    this.#phase = "waiting";
    this.#requested = false;
    this.#refreshing = false;
    this.#isDoubted = false;
    this.#duplicatesInRow = 0;
    this.#buffer.clear();
    this.#reportGap(reason, emit);
    this.#enter("gap", reason, emit);
    this.#enter("resyncing", reason, emit);
    this.#request(reason, emit);
  }

  #begin(emit: Emit): void {
    this.#phase = "waiting";
    this.#enter(this.#wasLive ? "resyncing" : "syncing", this.#startReason, emit);
  }

  #request(reason: BookReason, emit: Emit): void {
    if (this.#requested) return;
    this.#requested = true;
    emit({ kind: "need-snapshot", reason });
  }

  #reportGap(reason: BookReason, emit: Emit): void {
    if (this.#gapReported) return;
    this.#gapReported = true;
    emit({ kind: "gap", reason });
  }

  #enter(state: TopicState, reason: StatusReason, emit: Emit): void {
    if (this.#state === state) return;
    this.#state = state;
    emit({ kind: "state", state, reason });
  }

  #keep(delta: RawBook): void {
    if (this.#buffer.pushEvicting(delta) !== undefined) this.counts.overflowed++;
  }
}
