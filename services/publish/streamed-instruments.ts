import type { ListingChange } from "@tickwire/proto/model";
import type { Channel, Instrument } from "#core/instrument.ts";

/** One channel of one instrument. */
type StreamedTopic = { readonly instrument: Instrument; readonly channel: Channel };

/** What is streamed of one instrument. */
export type StreamedInstrument = {
  readonly instrument: Instrument;
  /** In the order of addition. */
  readonly channels: readonly Channel[];
  /** Lengths of its candles, rising. */
  readonly candleIntervalsMs: readonly number[];
};

/** What became of an instrument, and why. */
export type StreamedChange = {
  readonly instrument: Instrument;
  readonly change: ListingChange;
  /** A stable kebab-case word. */
  readonly reason: string;
};

/** What changed since a version, by symbol. */
type StreamedDifference = {
  readonly instruments: readonly StreamedInstrument[];
  readonly removedSymbols: readonly string[];
  readonly more: boolean;
};

/** Who hears of changes. */
type StreamedListener = {
  /** Called once after each call that changed something. */
  readonly onChange?: () => void;
  /** Called for each instrument that came, changed or went, before `onChange`. */
  readonly onListing?: (change: StreamedChange) => void;
};

type Streamed = { readonly channels: Set<Channel>; candleIntervalsMs: readonly number[] };

/** Changed instruments that are remembered with the version; of more, the oldest are forgotten. */
export const CHANGES_KEPT_MAX = 4_096;

/**
 * What a publisher streams of one venue: its instruments, each with its channels. `status` is
 * always among them.
 */
export class StreamedInstruments {
  readonly #streamed = new Map<Instrument, Streamed>();
  readonly #bySymbol = new Map<string, Instrument>();
  readonly #listener: StreamedListener;
  #version = 0;
  #complete = true;
  /** Symbols with the version of their last change, in the order of those. */
  readonly #changedAt = new Map<string, number>();
  /** All changes after this version are in `#changedAt`. */
  #rememberedSince = 0;
  /** By symbol, as of `#sortedVersion`. */
  #sorted: readonly string[] = [];
  #sortedVersion = 0;

  constructor(listener: StreamedListener = {}) {
    this.#listener = listener;
  }

  /** Rises with each change. */
  get version(): number {
    return this.#version;
  }

  /** False while the venue has not listed all that will be streamed. */
  get complete(): boolean {
    return this.#complete;
  }

  /** More is to come: what is not here yet may still be. To be called before anything is added. */
  expectMore(): void {
    this.#complete = false;
  }

  /** Nothing more is to come. */
  completed(): void {
    if (this.#complete) return;
    this.#complete = true;
    this.#version += 1;
    this.#listener.onChange?.();
  }

  /** `candleIntervalsMs` are the lengths of the candles, where candles are among the channels. */
  add(topics: readonly StreamedTopic[], candleIntervalsMs: readonly number[] = []): void {
    const before = this.#version;
    const changes = new Map<Instrument, ListingChange>();
    for (const { instrument, channel } of topics) {
      const known = this.#streamed.get(instrument);
      const streamed = known ?? this.#begin(instrument);
      const isNews =
        (channel === "candles" && addIntervals(streamed, candleIntervalsMs)) ||
        !streamed.channels.has(channel);
      streamed.channels.add(channel);
      if (!isNews) continue;
      if (!changes.has(instrument)) changes.set(instrument, known ? "changed" : "added");
      this.#touch(instrument.symbol);
    }
    for (const [instrument, change] of changes) {
      const reason = change === "added" ? "listed" : "channels";
      this.#listener.onListing?.({ instrument, change, reason });
    }
    if (this.#version !== before) this.#listener.onChange?.();
  }

  /** The details of these have changed. Does nothing for those that are not streamed. */
  update(instruments: readonly Instrument[], reason: string): void {
    this.#forEach(instruments, (instrument) => {
      this.#touch(instrument.symbol);
      this.#listener.onListing?.({ instrument, change: "changed", reason });
    });
  }

  /** Nothing of these comes any more. Does nothing for those that are not streamed. */
  remove(instruments: readonly Instrument[], reason: string): void {
    this.#forEach(instruments, (instrument) => {
      this.#streamed.delete(instrument);
      this.#bySymbol.delete(instrument.symbol);
      this.#touch(instrument.symbol);
      this.#listener.onListing?.({ instrument, change: "removed", reason });
    });
  }

  /** Instruments of which something is streamed. */
  get size(): number {
    return this.#streamed.size;
  }

  bySymbol(symbol: string): Instrument | undefined {
    return this.#bySymbol.get(symbol);
  }

  has(instrument: Instrument, channel: Channel): boolean {
    return this.#streamed.get(instrument)?.channels.has(channel) ?? false;
  }

  /** Whether candles of this length are streamed. */
  hasCandles(instrument: Instrument, intervalMs: number): boolean {
    return this.#streamed.get(instrument)?.candleIntervalsMs.includes(intervalMs) ?? false;
  }

  /** The next `countMax` by symbol whose symbol comes after `symbol`, and whether more do. */
  page(
    symbol: string,
    countMax: number,
  ): { instruments: readonly StreamedInstrument[]; more: boolean } {
    if (this.#sortedVersion !== this.#version) {
      this.#sorted = [...this.#bySymbol.keys()].sort();
      this.#sortedVersion = this.#version;
    }
    const from = firstAfter(this.#sorted, symbol);
    const symbols = this.#sorted.slice(from, from + countMax);
    const instruments = symbols.flatMap((each) => this.#of(each) ?? []);
    return { instruments, more: from + symbols.length < this.#sorted.length };
  }

  /**
   * The same of what changed since a version; undefined if that is not remembered, or is no version
   * of this publisher's.
   */
  differenceSince(
    version: number,
    symbol: string,
    countMax: number,
  ): StreamedDifference | undefined {
    if (version < this.#rememberedSince || version > this.#version) return undefined;
    const changed: string[] = [];
    for (const [each, changedAt] of this.#changedAt) if (changedAt > version) changed.push(each);
    changed.sort();
    const from = firstAfter(changed, symbol);
    const symbols = changed.slice(from, from + countMax);
    const isStreamed = (each: string): boolean => this.#bySymbol.has(each);
    return {
      instruments: symbols.flatMap((each) => this.#of(each) ?? []),
      removedSymbols: symbols.filter((each) => !isStreamed(each)),
      more: from + symbols.length < changed.length,
    };
  }

  #forEach(instruments: readonly Instrument[], change: (instrument: Instrument) => void): void {
    const before = this.#version;
    for (const instrument of instruments) if (this.#streamed.has(instrument)) change(instrument);
    if (this.#version !== before) this.#listener.onChange?.();
  }

  #touch(symbol: string): void {
    this.#version += 1;
    this.#changedAt.delete(symbol);
    this.#changedAt.set(symbol, this.#version);
    if (this.#changedAt.size <= CHANGES_KEPT_MAX) return;
    for (const [oldest, changedAt] of this.#changedAt) {
      this.#changedAt.delete(oldest);
      this.#rememberedSince = changedAt;
      return;
    }
  }

  #of(symbol: string): StreamedInstrument | undefined {
    const instrument = this.#bySymbol.get(symbol);
    const streamed = instrument === undefined ? undefined : this.#streamed.get(instrument);
    if (instrument === undefined || streamed === undefined) return undefined;
    const { channels, candleIntervalsMs } = streamed;
    return { instrument, channels: [...channels], candleIntervalsMs };
  }

  #begin(instrument: Instrument): Streamed {
    const streamed = { channels: new Set<Channel>(["status"]), candleIntervalsMs: [] };
    this.#streamed.set(instrument, streamed);
    this.#bySymbol.set(instrument.symbol, instrument);
    return streamed;
  }
}

/** True if one of them is new. */
function addIntervals(streamed: Streamed, added: readonly number[]): boolean {
  const known = streamed.candleIntervalsMs;
  const news = added.filter((intervalMs) => !known.includes(intervalMs));
  if (news.length === 0) return false;
  streamed.candleIntervalsMs = [...known, ...news].toSorted((one, other) => one - other);
  return true;
}

/** Index of the first text in a sorted list that comes after `text`. */
function firstAfter(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? "") <= text) low = middle + 1;
    else high = middle;
  }
  return low;
}
