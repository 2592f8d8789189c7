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

type Streamed = { readonly channels: Set<Channel>; candleIntervalsMs: readonly number[] };

/**
 * What a publisher streams of one venue: its instruments, each with its channels. `status` is
 * always among them.
 */
export class StreamedInstruments {
  readonly #streamed = new Map<Instrument, Streamed>();
  readonly #bySymbol = new Map<string, Instrument>();
  readonly #onChange: () => void;
  #version = 0;
  #complete = true;
  /** By symbol, as of `#sortedVersion`. */
  #sorted: readonly Instrument[] = [];
  #sortedVersion = 0;

  /** `onChange` is called after each addition of something new. */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
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
    this.#onChange();
  }

  /** `candleIntervalsMs` are the lengths of the candles, where candles are among the channels. */
  add(topics: readonly StreamedTopic[], candleIntervalsMs: readonly number[] = []): void {
    const before = this.#version;
    for (const { instrument, channel } of topics) {
      const streamed = this.#streamed.get(instrument) ?? this.#begin(instrument);
      if (channel === "candles") this.#addIntervals(streamed, candleIntervalsMs);
      if (streamed.channels.has(channel)) continue;
      streamed.channels.add(channel);
      this.#version += 1;
    }
    if (this.#version !== before) this.#onChange();
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
      this.#sorted = [...this.#streamed.keys()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
      this.#sortedVersion = this.#version;
    }
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.symbol ?? "") <= symbol) low = middle + 1;
      else high = middle;
    }
    const instruments = this.#sorted.slice(low, low + countMax).flatMap((each) => this.#of(each));
    return { instruments, more: low + instruments.length < this.#sorted.length };
  }

  #of(instrument: Instrument): StreamedInstrument[] {
    const streamed = this.#streamed.get(instrument);
    if (streamed === undefined) return [];
    const { channels, candleIntervalsMs } = streamed;
    return [{ instrument, channels: [...channels], candleIntervalsMs }];
  }

  #begin(instrument: Instrument): Streamed {
    const streamed = { channels: new Set<Channel>(["status"]), candleIntervalsMs: [] };
    this.#streamed.set(instrument, streamed);
    this.#bySymbol.set(instrument.symbol, instrument);
    return streamed;
  }

  #addIntervals(streamed: Streamed, added: readonly number[]): void {
    const known = streamed.candleIntervalsMs;
    const news = added.filter((intervalMs) => !known.includes(intervalMs));
    if (news.length === 0) return;
    streamed.candleIntervalsMs = [...known, ...news].toSorted((one, other) => one - other);
    this.#version += 1;
  }
}
