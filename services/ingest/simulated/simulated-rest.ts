import type { Clock } from "#core/clock.ts";
import type { RestRequest } from "../feed/feed-adapter.ts";
import type { RestAnswer, RestClient } from "../feed/rest/rest-client.ts";
import type { MinuteCandle } from "./market-statistics.ts";
import type { ListedMarkets } from "./listed-markets.ts";
import { candlesAsked, SimulatedCandles } from "./simulated-candles.ts";

type SimulatedRestOptions = {
  readonly clock: Clock;
  readonly markets: Pick<ListedMarkets, "get" | "instruments">;
  /** The candle of a minute since 1970; undefined if nothing traded in it. */
  readonly minuteOf: (symbol: string, minute: number) => MinuteCandle | undefined;
};

type Pending = {
  readonly onResponse: (answer: RestAnswer) => void;
  readonly onError: (reason: string) => void;
};

/** The list of instruments and candles of the past, by the way that other venues' come. */
export function createSimulatedRest(options: SimulatedRestOptions): RestClient {
  return new SimulatedRest(options);
}

class SimulatedRest implements RestClient {
  readonly #options: SimulatedRestOptions;
  readonly #pending = new Set<Pending>();
  #closed = false;

  constructor(options: SimulatedRestOptions) {
    this.#options = options;
  }

  get({ url }: RestRequest, onResponse: Pending["onResponse"], onError: Pending["onError"]): void {
    const pending = { onResponse, onError };
    this.#pending.add(pending);
    if (url.endsWith("/instruments")) {
      const body = JSON.stringify({ instruments: this.#options.markets.instruments });
      this.#later(pending, () => this.#answer(pending, { url, status: 200, body }));
      return;
    }
    const asked = candlesAsked(url);
    const instrument = this.#options.markets.get(asked?.symbol ?? "")?.market.instrument;
    if (asked === undefined || instrument === undefined) {
      this.#later(pending, () => this.#answer(pending, { url, status: 404, body: "" }));
      return;
    }
    const { clock, minuteOf } = this.#options;
    const candles = new SimulatedCandles(asked, instrument, {
      nowMs: Math.floor(clock.nowUs() / 1_000),
      minuteOf: (minute) => minuteOf(instrument.symbol, minute),
    });
    this.#later(pending, () => this.#compute(pending, url, candles));
  }

  close(): void {
    this.#closed = true;
    for (const { onError } of this.#pending) onError("closed");
    this.#pending.clear();
  }

  #compute(pending: Pending, url: string, candles: SimulatedCandles): void {
    if (candles.step()) this.#answer(pending, { url, status: 200, body: candles.body });
    else this.#later(pending, () => this.#compute(pending, url, candles));
  }

  #answer(pending: Pending, answer: RestAnswer): void {
    this.#pending.delete(pending);
    pending.onResponse(answer);
  }

  #later(pending: Pending, run: () => void): void {
    this.#options.clock.after(0, () => {
      if (!this.#pending.has(pending)) return;
      if (!this.#closed) return run();
      this.#pending.delete(pending);
      pending.onError("closed");
    });
  }
}
