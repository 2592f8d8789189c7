import type { OrderBook } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import { BookBuilder } from "#core/book-builder.ts";
import type { BookOutput } from "#core/book-output.ts";
import type { Instrument } from "#core/instrument.ts";
import type { BookEvent, TopicState } from "#core/market-event.ts";
import type { BookTick, DeltaTick } from "#core/market-tick.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { BookSync, RawBook } from "../feed/feed-adapter.ts";

/** Bids at or above asks, and the venue means it: what is delivered is what it has. */
export const CROSSED = "crossed";
/** It was, and is not any more. */
export const UNCROSSED = "uncrossed";

/** What a book's state has become. */
type BookStateChange = {
  readonly instrument: Instrument;
  readonly state: TopicState;
  readonly reason: StatusReason;
};

type BookStageOptions = {
  readonly syncOf: (instrument: Instrument) => BookSync;
  /** Deltas kept per instrument while its snapshot is awaited. */
  readonly bufferedDeltasMax: number;
  readonly counters: BookCounters;
  readonly onEvent: (event: BookEvent) => void;
  /** In its place for a change that came as a tick. */
  readonly onDelta: (delta: DeltaTick) => void;
  readonly onState: (change: BookStateChange, nowUs: number) => void;
  /** The book cannot go on without a new snapshot. Said once until one arrives. */
  readonly onNeedSnapshot: (instrument: Instrument, reason: string) => void;
};

/** Counts that the stage keeps up to date; shared with the metrics. */
type BookCounters = {
  gaps: number;
  resyncs: number;
  checksumsPassed: number;
  checksumsFailed: number;
};

type Entry = {
  readonly builder: BookBuilder;
  /** The venue's numbers would show that something was lost. */
  readonly isNumbered: boolean;
  readonly emit: (output: BookOutput) => void;
  /** What consumers were told last. */
  isLive: boolean;
  isCrossed: boolean;
  wasLive: boolean;
  /** Consumers have a book to apply deltas to: a snapshot was published, and nothing lost since. */
  isStarted: boolean;
};

/**
 * Keeps the books of one venue, each on its own: what breaks one does not touch another. Pure: the
 * time comes with each call. Invariants, asserted on what leaves:
 * 1. an event is about the book that it comes from;
 * 2. a delta is only published of a book that began with a snapshot and was not lost since;
 * 3. a book that was told to be live needs no snapshot before it was told to be lost; it may want
 *    one that settles a doubt.
 */
export class BookStage {
  readonly #options: BookStageOptions;
  readonly #counters: BookCounters;
  readonly #onDelta: BookStageOptions["onDelta"];
  readonly #entries = new Map<Instrument, Entry>();
  /** Most messages are about the instrument of the message before. */
  #last: Entry | undefined;
  /** The time of the call that is under way. */
  #nowUs = 0;

  constructor(options: BookStageOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#onDelta = options.onDelta;
  }

  /** Takes the next message of a book, in order of arrival. */
  handle(raw: RawBook, nowUs: number): void {
    this.#nowUs = nowUs;
    let entry = this.#last;
    if (entry === undefined || entry.builder.instrument !== raw.instrument) {
      entry = this.#entries.get(raw.instrument) ?? this.#add(raw.instrument, raw.depth);
      this.#last = entry;
    }
    entry.builder.handle(raw, entry.emit);
  }

  /** The same for a change that is a tick, which is the caller's again afterwards. */
  handleTick(tick: BookTick, nowUs: number): void {
    this.#nowUs = nowUs;
    const { instrument, depth } = tick;
    let entry = this.#last;
    if (entry === undefined || entry.builder.instrument !== instrument) {
      entry = this.#entries.get(instrument) ?? this.#add(instrument, depth);
      this.#last = entry;
    }
    entry.builder.handleTick(tick, entry.emit);
  }

  /** The changes of a book come from now on. Does nothing for one that has begun. */
  begin(instrument: Instrument, nowUs: number): void {
    this.#nowUs = nowUs;
    const entry = this.#entries.get(instrument) ?? this.#add(instrument, undefined);
    entry.builder.begin(entry.emit);
  }

  /** No change of a book comes: a snapshot that waits for the first one is taken without it. */
  beginQuiet(instrument: Instrument, nowUs: number): void {
    if (this.#entries.get(instrument)?.builder.hasEarlySnapshot === true) {
      this.begin(instrument, nowUs);
    }
  }

  /**
   * Something of this book was lost that its numbers cannot show. Does nothing for a book never
   * seen.
   */
  resync(instrument: Instrument, reason: StatusReason, nowUs: number): void {
    this.#nowUs = nowUs;
    const entry = this.#entries.get(instrument);
    entry?.builder.resync(reason, entry.emit);
  }

  /** The same for every live book that the venue does not number. */
  resyncUnnumbered(reason: StatusReason, nowUs: number): void {
    this.#nowUs = nowUs;
    for (const { builder, emit, isNumbered } of this.#entries.values()) {
      if (builder.isLive && !isNumbered) builder.resync(reason, emit);
    }
  }

  /** The connection of this book is gone. */
  reset(instrument: Instrument, reason: StatusReason, nowUs: number): void {
    this.#nowUs = nowUs;
    const entry = this.#entries.get(instrument);
    entry?.builder.reset(reason, entry.emit);
  }

  /** True once a message of this book has arrived. */
  has(instrument: Instrument): boolean {
    return this.#entries.has(instrument);
  }

  isLive(instrument: Instrument): boolean {
    return this.#entries.get(instrument)?.builder.isLive ?? false;
  }

  /**
   * From now on a REST snapshot replaces the live book without a break. False if the book is not
   * live.
   */
  beginRefresh(instrument: Instrument): boolean {
    return this.#entries.get(instrument)?.builder.beginRefresh() ?? false;
  }

  /** True from `beginRefresh` until a snapshot was taken or the refresh ended otherwise. */
  isRefreshing(instrument: Instrument): boolean {
    return this.#entries.get(instrument)?.builder.isRefreshing ?? false;
  }

  /** No snapshot came: the live book goes on as it is. */
  endRefresh(instrument: Instrument): void {
    this.#entries.get(instrument)?.builder.endRefresh();
  }

  /** Nothing more comes of this instrument. */
  forget(instrument: Instrument): void {
    this.#entries.delete(instrument);
    this.#last = undefined;
  }

  /** The book as it stands after the last event; undefined unless it is known to be right. */
  liveBookOf(instrument: Instrument): OrderBook | undefined {
    const builder = this.#entries.get(instrument)?.builder;
    return builder?.isLive === true ? builder.book : undefined;
  }

  #add(instrument: Instrument, depth: number | undefined): Entry {
    const { syncOf, bufferedDeltasMax } = this.#options;
    const sync = syncOf(instrument);
    const builder = new BookBuilder({ sync, instrument, bufferedDeltasMax, depth });
    const entry: Entry = {
      builder,
      isNumbered: sync.sequencing !== undefined && sync.sequencing.showsGaps !== false,
      emit: (output) => this.#onOutput(entry, output),
      isLive: false,
      isCrossed: false,
      wasLive: false,
      isStarted: false,
    };
    this.#entries.set(instrument, entry);
    return entry;
  }

  #onOutput(entry: Entry, output: BookOutput): void {
    const counters = this.#counters;
    switch (output.kind) {
      case "delta":
        assert(entry.isStarted, "a delta follows a snapshot without a loss between");
        this.#onDelta(output.delta);
        this.#judgeCrossing(entry);
        return;
      case "checksum":
        if (output.ok) counters.checksumsPassed += 1;
        else counters.checksumsFailed += 1;
        return;
      case "event":
        this.#begin(entry, output.event);
        this.#options.onEvent(output.event);
        this.#judgeCrossing(entry);
        return;
      case "gap":
        counters.gaps += 1;
        return;
      case "doubt":
        this.#options.onNeedSnapshot(entry.builder.instrument, output.reason);
        return;
      case "need-snapshot":
        assert(!entry.isLive, "a live book needs no snapshot");
        this.#options.onNeedSnapshot(entry.builder.instrument, output.reason);
        return;
      case "state":
        this.#enter(entry, output.state, output.reason);
    }
  }

  #begin(entry: Entry, event: BookEvent): void {
    assert(event.instrument === entry.builder.instrument, "a book's event is about its instrument");
    assert(event.snapshot || entry.isStarted, "a delta follows a snapshot without a loss between");
    entry.isStarted = true;
  }

  #judgeCrossing(entry: Entry): void {
    const isCrossed = entry.builder.isCrossed;
    if (isCrossed === entry.isCrossed) return;
    entry.isCrossed = isCrossed;
    if (entry.isLive) this.#tell(entry, "live", isCrossed ? CROSSED : UNCROSSED);
  }

  #enter(entry: Entry, state: TopicState, reason: StatusReason): void {
    const isLive = state === "live";
    if (isLive) {
      assert(entry.isStarted, "a book is live once its snapshot was published");
      if (entry.wasLive) this.#options.counters.resyncs += 1;
      entry.wasLive = true;
    } else {
      entry.isStarted = false;
    }
    entry.isLive = isLive;
    this.#tell(entry, state, isLive && entry.isCrossed ? CROSSED : reason);
  }

  #tell({ builder }: Entry, state: TopicState, reason: StatusReason): void {
    this.#options.onState({ instrument: builder.instrument, state, reason }, this.#nowUs);
  }
}
