import type { Channel, Instrument } from "#core/instrument.ts";

/** One channel of one instrument. */
type StreamedTopic = { readonly instrument: Instrument; readonly channel: Channel };

/**
 * What a publisher streams of one venue: its instruments, each with its channels. `status` is
 * always among them.
 */
export class StreamedInstruments {
  readonly #channels = new Map<Instrument, Set<Channel>>();
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

  add(topics: readonly StreamedTopic[]): void {
    const before = this.#version;
    for (const { instrument, channel } of topics) {
      let channels = this.#channels.get(instrument);
      if (channels === undefined) {
        channels = new Set<Channel>(["status"]);
        this.#channels.set(instrument, channels);
        this.#bySymbol.set(instrument.symbol, instrument);
      }
      if (channels.has(channel)) continue;
      channels.add(channel);
      this.#version += 1;
    }
    if (this.#version !== before) this.#onChange();
  }

  bySymbol(symbol: string): Instrument | undefined {
    return this.#bySymbol.get(symbol);
  }

  has(instrument: Instrument, channel: Channel): boolean {
    return this.#channels.get(instrument)?.has(channel) ?? false;
  }

  /** The next `countMax` by symbol whose symbol comes after `symbol`, and whether more do. */
  page(symbol: string, countMax: number): { instruments: readonly Instrument[]; more: boolean } {
    if (this.#sortedVersion !== this.#version) {
      this.#sorted = [...this.#channels.keys()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
      this.#sortedVersion = this.#version;
    }
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.symbol ?? "") <= symbol) low = middle + 1;
      else high = middle;
    }
    const instruments = this.#sorted.slice(low, low + countMax);
    return { instruments, more: low + instruments.length < this.#sorted.length };
  }

  /** What is streamed of an instrument. */
  channelsOf(instrument: Instrument): readonly Channel[] {
    return [...(this.#channels.get(instrument) ?? [])];
  }

  /** In the order of addition. */
  all(): readonly { readonly instrument: Instrument; readonly channels: readonly Channel[] }[] {
    return [...this.#channels].map(([instrument, channels]) => ({
      instrument,
      channels: [...channels],
    }));
  }
}
