import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import type { TradeTick } from "#core/market-tick.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { RestPurpose } from "../feed-adapter.ts";
import type { FeedSink } from "../feed-sink.ts";
import { TradeGapFiller } from "../rest/trade-gap-filler.ts";
import type {
  TradeFillCounters,
  TradeGapReason,
  TradeRemainder,
} from "../rest/trade-gap-filler.ts";
import type { VenueRest } from "../rest/venue-rest.ts";
import type { VenueContext } from "../venue-context.ts";
import type { FeedLink } from "./feed-link.ts";
import type { RestAnswer } from "../rest/rest-client.ts";

type SessionTradesOptions = VenueContext & {
  readonly rest: VenueRest | undefined;
  /** Whether trades of the instrument are expected, and not late. */
  readonly isLive: (instrument: Instrument) => boolean;
  readonly counters: TradeFillCounters;
  readonly sink: FeedSink;
  /** The connection that leads now. */
  readonly link: () => FeedLink | undefined;
};

/**
 * The trades of one session, whose holes are filled by REST where the venue can be asked for what
 * is missing. Where it cannot, everything passes and no hole is taken on.
 */
export class SessionTrades {
  readonly #options: SessionTradesOptions;
  readonly #filler: TradeGapFiller | undefined;

  constructor(options: SessionTradesOptions) {
    this.#options = options;
    const { adapter, rest, sink } = options;
    if (rest === undefined || adapter.tradesRequest === undefined) return;
    this.#filler = new TradeGapFiller({
      ...options,
      rest,
      decode: (answer, instrument) => this.#decode(answer, instrument),
      publish: (trade) => sink.onData(trade),
      onDone: (instrument, { reason, remainder }) => this.#onFilled(instrument, reason, remainder),
    });
  }

  /** Takes the next trade of the stream. True if it is held until the hole before it is closed. */
  take(trade: Trade): boolean {
    return this.#filler?.take(trade) === true;
  }

  /** The same for one that is a tick. */
  takeTick(tick: TradeTick): boolean {
    return this.#filler?.takeTick(tick) === true;
  }

  /** Trades may be missing. True if they are being fetched. */
  fill(instrument: Instrument, reason: TradeGapReason): boolean {
    return this.#filler?.start(instrument, reason) === true;
  }

  /** The connection that led is gone. */
  onDisconnected(): void {
    this.#filler?.interrupt();
  }

  /** Idempotent. */
  close(): void {
    this.#filler?.close();
  }

  #decode(answer: RestAnswer, instrument: Instrument): Trade[] {
    const { clock, sink, link } = this.#options;
    const purpose: RestPurpose = { kind: "trades", channel: "trades", instrument };
    const trades: Trade[] = [];
    link()?.decoder.decodeRest({ purpose, body: answer.body }, clock.nowUs(), (event) => {
      if (event.kind === "rejected") sink.onRejected(event.reason);
      else if (event.kind === "trade" && event.instrument === instrument && event.tradeId !== "") {
        trades.push(event);
      }
    });
    return trades;
  }

  #onFilled(
    instrument: Instrument,
    reason: TradeGapReason,
    remainder: TradeRemainder | undefined,
  ): void {
    const { sink, isLive, logger } = this.#options;
    const proven = remainder === undefined;
    const { venue, venueSymbol } = instrument;
    if (!proven) logger.warn({ venue, venueSymbol, reason, ...remainder }, "trades are missing");
    if (reason === "missing-data") {
      if (proven) sink.onRejected(reason);
      else sink.onRejected(reason, instrument, "trades");
      return;
    }
    if (!proven) sink.onChannelState(instrument, "trades", "gap", gapText(reason, remainder));
    if (!isLive(instrument)) return;
    sink.onChannelState(instrument, "trades", "live", proven ? "filled" : "data");
  }
}

/** With what exactly is missing: the venue's own ids on both sides of it. */
function gapText(
  reason: TradeGapReason,
  { afterTradeId, beforeTradeId }: TradeRemainder,
): StatusReason {
  const upTo = beforeTradeId === undefined ? "" : ` and before ${beforeTradeId}`;
  return `${reason}; missing after trade ${afterTradeId}${upTo}`;
}
