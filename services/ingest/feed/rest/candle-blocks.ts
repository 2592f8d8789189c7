import { CandlePastError } from "#core/candle-past.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { CandleHistory, CandleRange } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import type { VenueRest } from "./venue-rest.ts";
import type { RestAnswer } from "./rest-client.ts";

/** Counts that the archive keeps up to date; shared with the metrics. */
export type ArchiveCounters = {
  /** Requests for candles of the past. */
  candleRequests: number;
  candleRequestsFailed: number;
  /** Candles that are kept of their answers. */
  candlesKept: number;
};

type CandleBlocksOptions = VenueContext & {
  readonly history: CandleHistory;
  readonly rest: VenueRest;
  readonly counters: ArchiveCounters;
  readonly venueNowUs: () => number;
};

/** Closed candles that one request gave. */
export type CandleBlock = {
  /** In the order of their starts. */
  readonly candles: readonly Candle[];
  /** All that begin before this moment are there. */
  readonly untilMs: number;
};

/** Which block of an instrument's candles: by its start, or those that move with the time. */
type BlockPlace = number | "latest" | "recent";

type Asking = { readonly untilMs: number; readonly block: Promise<CandleBlock> };

/**
 * Blocks of candles of one venue, each asked for once: whoever wants one that is on its way waits
 * for it. The least lately used go when more than `candlesKeptMax` candles are kept, or more
 * than `candleBlocksKeptMax` blocks.
 */
export class CandleBlocks {
  readonly #options: CandleBlocksOptions;
  /** The least lately used first. */
  readonly #kept = new Map<string, CandleBlock>();
  readonly #asking = new Map<string, Asking>();
  #isClosed = false;

  constructor(options: CandleBlocksOptions) {
    this.#options = options;
  }

  /**
   * The block with all candles of a range that end before `untilMs`. Rejects with CandlePastError
   * if it is not there within `candleAnswerMsMax`; it is asked for and kept all the same.
   */
  get(
    instrument: Instrument,
    range: CandleRange,
    { untilMs, place }: { readonly untilMs: number; readonly place: BlockPlace },
  ): Promise<CandleBlock> {
    const { venueMarket = "", venueSymbol } = instrument;
    const key = `${range.intervalMs} ${place} ${venueMarket} ${venueSymbol}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.untilMs >= untilMs) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      return Promise.resolve(kept);
    }
    const asking = this.#asking.get(key);
    if (asking !== undefined && asking.untilMs >= untilMs) return this.#inTime(asking.block);
    const block = this.#ask(key, instrument, { ...range, untilMs });
    return this.#inTime(block);
  }

  close(): void {
    this.#isClosed = true;
    this.#kept.clear();
    this.#options.counters.candlesKept = 0;
  }

  #ask(
    key: string,
    instrument: Instrument,
    { untilMs, ...range }: CandleRange & { readonly untilMs: number },
  ): Promise<CandleBlock> {
    const { history, rest, counters, policy, adapter } = this.#options;
    const { venue } = adapter;
    if (this.#isClosed || this.#asking.size >= policy.candleRequestsWaitingMax) {
      const message = `too many wait for candles of ${venue}; ask again`;
      return Promise.reject(new CandlePastError("busy", message));
    }
    const request = history.request(instrument, range, rest.endpoints);
    if (request === undefined) {
      const message = `${venue} has no such candles of ${instrument.symbol}`;
      return Promise.reject(new CandlePastError("unknown-instrument", message));
    }
    counters.candleRequests += 1;
    const block = new Promise<CandleBlock>((resolve, reject) => {
      const fail = (reason: string): void => {
        counters.candleRequestsFailed += 1;
        reject(new CandlePastError("unavailable", `${venue} gives no candles now: ${reason}`));
      };
      const onAnswer = (answer: RestAnswer): void => {
        const candles = this.#read(answer, instrument, range);
        if (candles === undefined) return fail("its answer cannot be read");
        resolve(this.#keep(key, { candles, untilMs }));
      };
      rest.ask(request, { onAnswer, onFailure: fail }, "background");
    }).finally(() => {
      if (this.#asking.get(key)?.block === block) this.#asking.delete(key);
    });
    this.#asking.set(key, { untilMs, block });
    // Who waits hears of it; nobody may wait any more.
    block.catch(() => undefined);
    return block;
  }

  #read(
    { body }: RestAnswer,
    instrument: Instrument,
    { intervalMs, toMs }: CandleRange,
  ): readonly Candle[] | undefined {
    const { history, logger, adapter, venueNowUs } = this.#options;
    try {
      const read = history.parse(body, { instrument, intervalMs, receivedTimeUs: venueNowUs() });
      return read?.candles.filter(({ closed, openTimeUs }) => closed && openTimeUs < toMs * 1_000);
    } catch (error) {
      const fields = { venue: adapter.venue, where: "candleHistory", err: error };
      logger.error(fields, "a venue's message broke its decoder");
      return undefined;
    }
  }

  #keep(key: string, block: CandleBlock): CandleBlock {
    if (this.#isClosed) return block;
    const { counters, policy } = this.#options;
    const known = this.#kept.get(key);
    counters.candlesKept += block.candles.length - (known?.candles.length ?? 0);
    this.#kept.delete(key);
    this.#kept.set(key, block);
    for (const [oldest, { candles }] of this.#kept) {
      const isWithin = counters.candlesKept <= policy.candlesKeptMax;
      if (isWithin && this.#kept.size <= policy.candleBlocksKeptMax) break;
      this.#kept.delete(oldest);
      counters.candlesKept -= candles.length;
    }
    return block;
  }

  #inTime(block: Promise<CandleBlock>): Promise<CandleBlock> {
    const { clock, policy, adapter } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(policy.candleAnswerMsMax, () => {
        const message = `${adapter.venue} has not answered yet; ask again`;
        reject(new CandlePastError("unavailable", message));
      });
      block.then(resolve, reject).finally(cancel);
    });
  }
}
