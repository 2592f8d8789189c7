import { MarketData } from "@tickwire/proto/service";
import type { Candle as CandleMessage, Trade as TradeMessage } from "@tickwire/proto/service";
import { WireError } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import { decodeQueryReply } from "#wire/bus-codec.ts";

type SourceQueriesParts = {
  readonly bus: Bus;
  readonly queryTimeoutMs: number;
  /** Who publishes the instrument now; undefined if nobody does. */
  readonly publisherOf: (venue: string, symbol: string) => string | undefined;
};

type Named = { readonly venue: string; readonly symbol: string };

/** A page of a source's candles, as its publisher gives it. */
export type SourceCandles = {
  readonly candles: readonly CandleMessage[];
  readonly nextPageToken: string;
  readonly keptFromTimeUs: number;
};

type CandlesAsked = {
  readonly intervalMs: number;
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly pageSize: number;
  readonly pageToken: string;
};

const { getTrades, getCandles } = MarketData.methods;
const TRADES_MAX = 1_000;

/** Asks the publishers of sources for what was before. What cannot be had is undefined. */
export class SourceQueries {
  readonly #parts: SourceQueriesParts;

  constructor(parts: SourceQueriesParts) {
    this.#parts = parts;
  }

  /** The latest trades that are kept, oldest first. */
  async trades({ venue, symbol }: Named): Promise<readonly TradeMessage[] | undefined> {
    const payload = getTrades.request.encode({ venue, symbol, pageSize: TRADES_MAX });
    const answer = await this.#ask({ venue, symbol }, "trades", payload);
    return answer && this.#read(() => getTrades.response.decode(answer).trades);
  }

  async candles({ venue, symbol }: Named, asked: CandlesAsked): Promise<SourceCandles | undefined> {
    const payload = getCandles.request.encode({ venue, symbol, ...asked });
    const answer = await this.#ask({ venue, symbol }, "candles", payload);
    return answer && this.#read(() => getCandles.response.decode(answer));
  }

  async #ask(
    { venue, symbol }: Named,
    query: "trades" | "candles",
    payload: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const { bus, queryTimeoutMs: timeoutMs, publisherOf } = this.#parts;
    const publisherId = publisherOf(venue, symbol);
    if (publisherId === undefined) return undefined;
    try {
      const subject = querySubject({ venue, publisherId, query, symbol });
      const bytes = await bus.request(subject, payload, { timeoutMs });
      const reply = this.#read(() => decodeQueryReply(bytes));
      return reply === undefined || reply.error !== undefined ? undefined : reply.payload;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return undefined;
    }
  }

  #read<Value>(read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return undefined;
    }
  }
}
