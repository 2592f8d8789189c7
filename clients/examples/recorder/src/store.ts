import {
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBAppender,
  type DuckDBConnection,
} from "@duckdb/node-api";
import type { GapEvent, Trade } from "@tickwire/client";
import { DECIMAL, decimalOf } from "./decimal.ts";

const NUMBER = `DECIMAL(${DECIMAL.width}, ${DECIMAL.scale})`;

/** Times are UTC. A trade is known by its topic, epoch and sequence. */
const TABLES = `
CREATE TABLE IF NOT EXISTS trades (
  venue VARCHAR NOT NULL, symbol VARCHAR NOT NULL,
  epoch BIGINT NOT NULL, sequence BIGINT NOT NULL,
  venue_time TIMESTAMP, received_time TIMESTAMP NOT NULL,
  price ${NUMBER} NOT NULL, size ${NUMBER} NOT NULL,
  aggressor VARCHAR NOT NULL, trade_id VARCHAR
);
CREATE TABLE IF NOT EXISTS gaps (
  time TIMESTAMP NOT NULL, topic VARCHAR NOT NULL, epoch BIGINT,
  missing_first BIGINT, missing_last BIGINT, reason VARCHAR NOT NULL
);`;

/** What the store keeps of a trade. */
export type StoredTrade = Omit<Trade, "type" | "initial" | "historical" | "publishedTimeUs">;

/** A DuckDB file with trades, and with what is missing of them. */
export class TradeStore {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #trades: DuckDBAppender;
  readonly #gaps: DuckDBAppender;
  #rows = 0;
  #unfit = 0;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    appenders: { readonly trades: DuckDBAppender; readonly gaps: DuckDBAppender },
  ) {
    this.#instance = instance;
    this.#connection = connection;
    this.#trades = appenders.trades;
    this.#gaps = appenders.gaps;
  }

  /** Opens the file, and makes it if it is not there. Rejects if another process has it. */
  static async open(path: string): Promise<TradeStore> {
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run(TABLES);
    const trades = await connection.createAppender("trades");
    const gaps = await connection.createAppender("gaps");
    return new TradeStore(instance, connection, { trades, gaps });
  }

  /** Trades that were taken. */
  get rows(): number {
    return this.#rows;
  }

  /** Trades that were left out, because a number of theirs has no room in its column. */
  get unfit(): number {
    return this.#unfit;
  }

  /** Takes a trade; it is in the file after the next `flush`. */
  addTrade(trade: StoredTrade): void {
    const price = decimalOf(trade.priceMantissa, trade.priceScale);
    const size = decimalOf(trade.sizeMantissa, trade.sizeScale);
    if (price === undefined || size === undefined) {
      this.#unfit++;
      return;
    }
    const row = this.#trades;
    row.appendVarchar(trade.venue);
    row.appendVarchar(trade.symbol);
    row.appendBigInt(BigInt(trade.epoch));
    row.appendBigInt(BigInt(trade.sequence));
    if (trade.venueTimeUs === undefined) row.appendNull();
    else row.appendTimestamp(timestampOf(trade.venueTimeUs));
    row.appendTimestamp(timestampOf(trade.receivedTimeUs));
    row.appendDecimal(price);
    row.appendDecimal(size);
    row.appendVarchar(trade.aggressorSide);
    if (trade.tradeId === undefined) row.appendNull();
    else row.appendVarchar(trade.tradeId);
    row.endRow();
    this.#rows++;
  }

  /** Takes what is missing of a topic, from a gap that the client tells. */
  addGap(gap: Omit<GapEvent, "type" | "venue" | "symbol">, timeUs: number): void {
    const { topic, epoch, missingFirst, missingLast, reason } = gap;
    this.#appendGap({ topic, epoch, missingFirst, missingLast, reason }, timeUs);
  }

  /** Notes that nothing was recorded before, or nothing will be afterwards. */
  addMark(topics: string, reason: "started" | "ended", timeUs: number): void {
    this.#appendGap({ topic: topics, reason }, timeUs);
  }

  /** Writes what was taken. Synchronous: a second of trades takes some milliseconds. */
  flush(): void {
    this.#trades.flushSync();
    this.#gaps.flushSync();
  }

  /** Writes what was taken, and gives the file back. */
  close(): void {
    this.#trades.closeSync();
    this.#gaps.closeSync();
    this.#connection.closeSync();
    this.#instance.closeSync();
  }

  #appendGap(
    gap: {
      readonly topic: string;
      readonly epoch?: number;
      readonly missingFirst?: number;
      readonly missingLast?: number | undefined;
      readonly reason: string;
    },
    timeUs: number,
  ): void {
    const row = this.#gaps;
    row.appendTimestamp(timestampOf(timeUs));
    row.appendVarchar(gap.topic);
    for (const value of [gap.epoch, gap.missingFirst, gap.missingLast]) {
      if (value === undefined) row.appendNull();
      else row.appendBigInt(BigInt(value));
    }
    row.appendVarchar(gap.reason);
    row.endRow();
  }
}

/** Answers a query, a line of JSON for each row. */
export async function queryFile(path: string, sql: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(path, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  try {
    const answer = await connection.runAndReadAll(sql);
    return answer.getRowObjectsJson().map((row) => JSON.stringify(row));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function timestampOf(timeUs: number): DuckDBTimestampValue {
  return new DuckDBTimestampValue(BigInt(timeUs));
}
