import type { BatchRows } from "@tickwire/proto/codec";
import type { Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";
import type { MarketReader } from "../reading/market-reader.ts";
import type { TopicListener } from "../reading/topic-reading.ts";
import type { ConsolidatedInstrument } from "./consolidated-instrument.ts";
import type { SharedChannel, Source } from "./source.ts";

type SourceFeedParts = {
  readonly reader: Pick<MarketReader, "read">;
  readonly clock: Pick<Clock, "nowUs">;
  readonly consolidated: ConsolidatedInstrument;
  readonly source: Source;
  /** That the source's venue streams of it. */
  readonly channels: ReadonlySet<Channel>;
  readonly wanted: readonly SharedChannel[];
};

/** Brings what a source's venue publishes of it into a consolidated instrument. */
export class SourceFeed {
  readonly source: Source;
  readonly #parts: SourceFeedParts;
  readonly #readings: { end(): void }[] = [];

  constructor(parts: SourceFeedParts) {
    this.source = parts.source;
    this.#parts = parts;
    const { channels, wanted } = parts;
    const hasBook = channels.has("book");
    const hasQuotes = !parts.source.isBookOnly;
    // What is said of a channel comes before it, so that a stale quote is never used.
    this.#read("status", this.#statusListener());
    if (hasQuotes) this.#read("quotes", this.#quoteListener());
    if (hasBook && (wanted.includes("book") || !hasQuotes)) {
      this.#read("book", this.#bookListener(!hasQuotes));
    }
    if (channels.has("trades")) this.#read("trades", this.#tradeListener());
  }

  /** Idempotent. */
  close(): void {
    for (const reading of this.#readings.splice(0)) reading.end();
  }

  #read(channel: Channel, listener: TopicListener): void {
    const { venue, symbol } = this.source.instrument;
    this.#readings.push(this.#parts.reader.read({ venue, symbol, channel }, listener));
  }

  #statusListener(): TopicListener {
    const { consolidated, source } = this.#parts;
    const take = (rows: BatchRows, first: number): void => {
      if (rows.kind !== "statuses") return;
      for (let index = first; index < rows.rows.length; index += 1) {
        consolidated.onStatus(source, rows.rows[index]!);
      }
    };
    return { onNews: take, onState: (rows) => take(rows, 0), onLoss: () => this.#lose("status") };
  }

  #quoteListener(): TopicListener {
    const { consolidated, source } = this.#parts;
    const take = (rows: BatchRows, first: number): void => {
      if (rows.kind !== "quotes") return;
      for (let index = first; index < rows.rows.length; index += 1) {
        consolidated.onQuote(source, rows.rows[index]!);
      }
    };
    return { onNews: take, onState: (rows) => take(rows, 0), onLoss: () => this.#lose("quotes") };
  }

  #bookListener(isQuotesToo: boolean): TopicListener {
    const { consolidated, source } = this.#parts;
    const take = (rows: BatchRows, first: number): void => {
      if (rows.kind !== "books") return;
      for (let index = first; index < rows.rows.length; index += 1) {
        const row = rows.rows[index]!;
        consolidated.onBook(source, row);
        if (isQuotesToo) consolidated.onTopOfBook(source, row.receivedTimeUs);
      }
    };
    const onLoss = (): void => {
      this.#lose("book");
      if (isQuotesToo) this.#lose("quotes");
    };
    return { onNews: take, onState: (rows) => take(rows, 0), onLoss };
  }

  #tradeListener(): TopicListener {
    const { consolidated, source } = this.#parts;
    return {
      onNews: (rows, first) => {
        if (rows.kind !== "trades") return;
        for (let index = first; index < rows.rows.length; index += 1) {
          consolidated.onTrade(source, rows.rows[index]!);
        }
      },
      onState: () => undefined,
      // A mean price over what came is all that it promises.
      onLoss: () => undefined,
    };
  }

  #lose(channel: SharedChannel | "status"): void {
    const { consolidated, source, clock } = this.#parts;
    consolidated.onLoss(source, channel, clock.nowUs());
  }
}
