import { sideFromWire } from "@tickwire/proto/codec";
import type { BatchRows } from "@tickwire/proto/codec";
import { decimalScale, parseMantissa } from "@tickwire/proto/model";
import type { TradeRow } from "@tickwire/proto/model";
import type { Trade as TradeMessage } from "@tickwire/proto/service";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, Status } from "#core/market-event.ts";
import type { LoggedTrades } from "../reading/logged-trades.ts";
import type { MarketReader } from "../reading/market-reader.ts";
import type { SourceQueries } from "../reading/source-queries.ts";
import type { TopicListener, TopicPosition } from "../reading/topic-reading.ts";
import { CandleBuilder } from "./candle-builder.ts";
import type { BuilderCounters } from "./candle-builder.ts";
import { CandleStatus } from "./candle-status.ts";

type CandleFeedParts = {
  readonly reader: Pick<MarketReader, "read">;
  readonly queries: Pick<SourceQueries, "trades" | "candles">;
  /** What the stream log has; undefined if there is none. */
  readonly logged: Pick<LoggedTrades, "read"> | undefined;
  readonly clock: Clock;
  readonly source: Instrument;
  /** Of the derived venue. */
  readonly instrument: Instrument;
  readonly channels: ReadonlySet<Channel>;
  /** Made of trades, and those that the venue makes itself. */
  readonly intervalsMs: { readonly built: readonly number[]; readonly native: readonly number[] };
  /** The venue's own minutes can be asked for. */
  readonly hasMinutes: boolean;
  readonly graceMs: number;
  readonly counters: BuilderCounters;
  readonly emit: (event: Candle | Status) => void;
};

/** Live trades that wait while those before them are asked for. */
export const HELD_TRADES_MAX = 20_000;
const MINUTE_MS = 60_000;
const MINUTE_US = MINUTE_MS * 1_000;
/** After the end of a minute the venue's own is there for sure. */
const MINUTE_KNOWN_MS = 15_000;
const MENDS_MAX = 3;
const MEND_RETRY_MS = 30_000;
const PAGES_MAX = 4;

/**
 * The candles of one instrument: its trades go into a builder, its own candles pass, with what is
 * said of them. What was
 * before the first trade that comes is asked for, once at every start and after every loss: first
 * the trades that its publisher keeps, before them those of the stream log, and when both do not
 * reach back to the beginning of a candle, the venue's own minutes before them.
 */
export class CandleFeed {
  readonly #parts: CandleFeedParts;
  readonly #builder: CandleBuilder;
  readonly #status: CandleStatus;
  readonly #readings: { end(): void }[] = [];
  /** Trades that came while those before them are asked for; undefined if nothing is. */
  #held: TradeRow[] | undefined;
  #isHeldBroken = false;
  /** Nothing had been counted when the stream began. */
  #isFresh = true;
  /** Since when trades may be missing; undefined while none is. */
  #lostSinceUs: number | undefined;
  /** What is said of the trades: since when they are live; undefined while they are not. */
  #liveSinceUs: number | undefined;
  /** Since when all trades are known; undefined before the start. */
  #wholeSinceUs: number | undefined;
  #cancelMend: CancelTimer | undefined;
  #starts = 0;
  /** What is counted now is of the past, and goes on. */
  #isReadingLog = false;
  #isClosed = false;

  constructor(parts: CandleFeedParts) {
    this.#parts = parts;
    const { instrument, graceMs, emit, intervalsMs, channels } = parts;
    const built = intervalsMs.built;
    const builderParts = { instrument, intervalsMs: built, graceMs, emit };
    this.#builder = new CandleBuilder(builderParts, parts.counters);
    const sources: Channel[] = [];
    if (intervalsMs.native.length > 0) sources.push("candles");
    if (built.length > 0 && channels.has("trades")) sources.push("trades");
    this.#status = new CandleStatus({ instrument, sources, emit });
    // What is said of a channel comes before it.
    this.#read("status", this.#statusListener());
    if (sources.includes("candles")) this.#read("candles", this.#candleListener());
    if (sources.includes("trades")) this.#read("trades", this.#tradeListener());
  }

  /** Closes what is over, and tells what has changed. */
  tell(withOpen: boolean): void {
    if (this.#isReadingLog) return;
    this.#builder.tell(this.#parts.clock.nowUs(), withOpen);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelMend?.();
    for (const reading of this.#readings.splice(0)) reading.end();
  }

  #read(channel: Channel, listener: TopicListener): void {
    const { reader, source } = this.#parts;
    const { venue, symbol } = source;
    this.#readings.push(reader.read({ venue, symbol, channel }, listener));
  }

  #candleListener(): TopicListener {
    const { instrument, emit, intervalsMs } = this.#parts;
    const take = (rows: BatchRows, first: number): void => {
      if (rows.kind !== "candles") return;
      for (let index = first; index < rows.rows.length; index += 1) {
        const row = rows.rows[index]!;
        if (!intervalsMs.native.includes(row.intervalMs)) continue;
        emit({ ...row, kind: "candle", instrument, built: false });
      }
    };
    return { onNews: take, onState: (rows) => take(rows, 0), onLoss: () => undefined };
  }

  #statusListener(): TopicListener {
    const take = (rows: BatchRows, first: number): void => {
      if (rows.kind !== "statuses") return;
      for (let index = first; index < rows.rows.length; index += 1) {
        const row = rows.rows[index]!;
        this.#status.take(row);
        const { channel, state, sinceTimeUs } = row;
        if (channel !== "trades") continue;
        if (state === "live") this.#onLive(sinceTimeUs);
        else this.#onTrouble(sinceTimeUs);
      }
    };
    return { onNews: take, onState: (rows) => take(rows, 0), onLoss: () => undefined };
  }

  #tradeListener(): TopicListener {
    return {
      onStart: (position) => this.#onStart(position),
      onNews: (rows, first) => {
        if (rows.kind !== "trades") return;
        for (let index = first; index < rows.rows.length; index += 1) {
          this.#onTrade(rows.rows[index]!);
        }
      },
      onState: () => undefined,
      onLoss: () => this.#onLoss(),
    };
  }

  #onTrade(row: TradeRow): void {
    // Old ones, which the venue sent on subscribing, may have been counted before.
    if (row.historical) return;
    if (this.#held !== undefined) {
      this.#held.push(row);
      if (this.#held.length > HELD_TRADES_MAX) this.#release(NOTHING);
      return;
    }
    const lostSinceUs = this.#lostSinceUs;
    if (lostSinceUs !== undefined && this.#liveSinceUs !== undefined) {
      this.#lostSinceUs = undefined;
      const timeUs = timeOf(row);
      this.#builder.lose(lostSinceUs, Math.max(lostSinceUs, timeUs) + 1);
      this.#beginMending(timeUs);
    }
    this.#builder.take(row);
  }

  #onLive(sinceTimeUs: number): void {
    if (this.#liveSinceUs !== undefined) return;
    this.#liveSinceUs = sinceTimeUs;
    // What was kept may reach further back than what its publisher answers for.
    const wholeSinceUs = this.#wholeSinceUs;
    if (wholeSinceUs === undefined || wholeSinceUs >= sinceTimeUs) return;
    if (this.#lostSinceUs !== undefined) return;
    this.#wholeSinceUs = sinceTimeUs;
    this.#builder.lose(wholeSinceUs, sinceTimeUs + 1);
    this.#beginMending(sinceTimeUs);
  }

  /** The venue's trades may be lacking since then. */
  #onTrouble(sinceTimeUs: number): void {
    this.#liveSinceUs = undefined;
    this.#noteLoss(sinceTimeUs);
  }

  #onLoss(): void {
    if (this.#held !== undefined) {
      this.#held = [];
      this.#isHeldBroken = true;
    }
    this.#noteLoss(this.#parts.clock.nowUs());
  }

  #noteLoss(sinceUs: number): void {
    const { lastTradeUs } = this.#builder;
    // Everything up to the last trade came.
    if (lastTradeUs === undefined || this.#lostSinceUs !== undefined) return;
    this.#lostSinceUs = Math.min(lastTradeUs, sinceUs);
    const nowUs = this.#builder.venueNowUs(this.#parts.clock.nowUs());
    this.#builder.lose(this.#lostSinceUs, Math.max(nowUs, this.#lostSinceUs) + 1);
  }

  /** The stream begins behind a place: what was before it is asked for. */
  #onStart(position: TopicPosition): void {
    this.#starts += 1;
    const start = this.#starts;
    this.#held = [];
    this.#isHeldBroken = false;
    this.#isReadingLog = false;
    this.#isFresh = this.#builder.lastTradeUs === undefined;
    const isCurrent = (): boolean =>
      !this.#isClosed && this.#starts === start && this.#held !== undefined;
    // A rejection is a bug of ours, and ends the process.
    void this.#readPast(position, isCurrent).then((past) => {
      if (isCurrent()) this.#release(past);
    });
  }

  /** What the publisher keeps, and before that what the stream log has. */
  async #readPast({ epoch, sequence }: TopicPosition, isCurrent: () => boolean): Promise<Past> {
    const { queries, source, logged } = this.#parts;
    const trades = await queries.trades(source);
    const kept = trades?.filter((trade) => trade.sequence <= sequence) ?? [];
    // After a stream that was broken off it is not known which of them were counted.
    if (!isCurrent() || !this.#isFresh) {
      return { rows: [], loggedSinceUs: undefined };
    }
    const rows = kept.filter(({ historical }) => !historical).map(rowOf);
    const nowUs = this.#parts.clock.nowUs();
    const fromUs = this.#builder.openSinceUs(nowUs, this.#mayMend ? MINUTE_MS : Infinity);
    const oldestUs = rows[0] === undefined ? Infinity : timeOf(rows[0]);
    if (logged === undefined || oldestUs <= fromUs) {
      return { rows, loggedSinceUs: undefined };
    }
    const until = { epoch, sequence: (kept[0]?.sequence ?? sequence + 1) - 1 };
    this.#isReadingLog = true;
    const take = (page: readonly TradeRow[]): boolean => {
      if (!isCurrent()) return false;
      for (const row of page) if (!row.historical) this.#builder.takePast(row, nowUs);
      return true;
    };
    const loggedSinceUs = await logged.read(source, { fromUs, until, take });
    if (isCurrent()) this.#isReadingLog = false;
    return { rows, loggedSinceUs };
  }

  /** The past is there, or is not to be had: what waited goes on behind it. */
  #release(past: Past): void {
    const held = this.#held ?? [];
    // What was lost meanwhile lies between the past and what waited.
    const { rows, loggedSinceUs } = this.#isHeldBroken ? NOTHING : past;
    this.#held = undefined;
    this.#isHeldBroken = false;
    this.#isReadingLog = false;
    const { lastTradeUs } = this.#builder;
    const first = rows[0] ?? held[0];
    const nowUs = this.#builder.venueNowUs(this.#parts.clock.nowUs());
    const firstUs = first === undefined ? nowUs : timeOf(first);
    // Of the log all is known from that moment on, else what is behind it.
    const oldestUs = loggedSinceUs === undefined ? firstUs : loggedSinceUs - 1;
    this.#wholeSinceUs = Math.max(oldestUs, this.#liveSinceUs ?? -Infinity);
    const lostFromUs = this.#isFresh ? -Infinity : (this.#lostSinceUs ?? lastTradeUs ?? -Infinity);
    this.#lostSinceUs = undefined;
    this.#builder.lose(lostFromUs, this.#wholeSinceUs + 1);
    this.#beginMending(this.#wholeSinceUs);
    for (const row of rows) this.#builder.take(row);
    for (const row of held) this.#onTrade(row);
  }

  /** Everything after this moment is known; before it the venue's own minutes may help. */
  #beginMending(wholeSinceUs: number): void {
    const { clock } = this.#parts;
    const minuteUs = Math.ceil((wholeSinceUs + 1) / MINUTE_US) * MINUTE_US;
    const fromUs = this.#builder.beginMending(minuteUs);
    this.#cancelMend?.();
    if (fromUs === undefined || !this.#mayMend) return;
    const waitMs = (minuteUs - this.#builder.venueNowUs(clock.nowUs())) / 1_000 + MINUTE_KNOWN_MS;
    this.#scheduleMend({ fromUs, minuteUs, attempts: 0 }, Math.max(0, waitMs));
  }

  /** Minutes count what trades count in units of the base asset alone. */
  get #mayMend(): boolean {
    const { hasMinutes, source } = this.#parts;
    return hasMinutes && (source.sizeUnit ?? "base") === "base";
  }

  #scheduleMend(mend: Mend, delayMs: number): void {
    this.#cancelMend = this.#parts.clock.after(delayMs, () => {
      // A rejection is a bug of ours, and ends the process.
      void this.#mend(mend);
    });
  }

  async #mend({ fromUs, minuteUs, attempts }: Mend): Promise<void> {
    const start = this.#starts;
    const minutes = await this.#minutesOf(fromUs, minuteUs);
    if (this.#isClosed || this.#starts !== start || this.#lostSinceUs !== undefined) return;
    if (minutes !== undefined) {
      this.#builder.mend(minuteUs, minutes);
      return;
    }
    if (attempts + 1 >= MENDS_MAX) return;
    this.#scheduleMend({ fromUs, minuteUs, attempts: attempts + 1 }, MEND_RETRY_MS);
  }

  /** The venue's own minutes of all of this time; undefined if they cannot be had. */
  async #minutesOf(fromTimeUs: number, toTimeUs: number): Promise<Candle[] | undefined> {
    const { queries, source, instrument } = this.#parts;
    const minutes: Candle[] = [];
    let pageToken = "";
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const asked = { intervalMs: MINUTE_MS, fromTimeUs, toTimeUs, pageSize: 1_000, pageToken };
      const page = await queries.candles(source, asked);
      if (page === undefined || page.keptFromTimeUs === 0) return undefined;
      // Of what is not kept nothing is known.
      if (page.keptFromTimeUs > fromTimeUs) return undefined;
      for (const candle of page.candles) {
        const times = { venueTimeUs: undefined, receivedTimeUs: candle.openTimeUs };
        minutes.push({ kind: "candle", instrument, ...times, ...candle });
      }
      if (page.nextPageToken === "") {
        return minutes.every(({ closed }) => closed) ? minutes : undefined;
      }
      pageToken = page.nextPageToken;
    }
    return undefined;
  }
}

/** What is known of before a stream began. */
type Past = {
  /** What its publisher keeps. */
  readonly rows: readonly TradeRow[];
  /** Since when what was counted of the log and these are all trades; undefined if they are not. */
  readonly loggedSinceUs: number | undefined;
};

const NOTHING: Past = { rows: [], loggedSinceUs: undefined };

type Mend = { readonly fromUs: number; readonly minuteUs: number; readonly attempts: number };

function timeOf({ venueTimeUs, receivedTimeUs }: TradeRow): number {
  return venueTimeUs ?? receivedTimeUs;
}

/** A trade of an answer as streams have it. */
function rowOf(trade: TradeMessage): TradeRow {
  const { price, size, tradeId, historical, receivedTimeUs } = trade;
  const [priceScale, sizeScale] = [decimalScale(price), decimalScale(size)];
  return {
    venueTimeUs: trade.venueTimeUs,
    receivedTimeUs,
    priceMantissa: parseMantissa(price, priceScale),
    priceScale,
    sizeMantissa: parseMantissa(size, sizeScale),
    sizeScale,
    aggressorSide: sideFromWire(trade.aggressorSide),
    tradeId,
    historical,
  };
}
