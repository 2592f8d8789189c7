/** The parts of the client's quotes that a row shows. */
type ShownQuote = {
  readonly venue: string;
  readonly symbol: string;
  readonly bidPrice: number;
  readonly bidPriceText: string;
  readonly askPrice: number;
  readonly askPriceText: string;
};

/** The parts of the client's trades that a row shows. */
type ShownTrade = {
  readonly venue: string;
  readonly symbol: string;
  readonly priceText: string;
  readonly aggressorSide: "buyer" | "seller" | "none";
};

/** What the rows are ordered by. */
export type Order = "trades" | "spread" | "name";

type Row = {
  readonly name: string;
  quote: ShownQuote | undefined;
  trade: ShownTrade | undefined;
  trades: number;
  tradesPerSecond: number;
};

const HEADER = ["INSTRUMENT", "BID", "ASK", "SPREAD bp", "LAST", "", "TRADES/s"];
const SIGNS = { buyer: "▲", seller: "▼", none: " " };
/** A rate follows what is new by so much of it at each step. */
const RATE_WEIGHT = 0.3;

/** What is known of many instruments, as lines of text. */
export class MarketTable {
  readonly #rows = new Map<string, Row>();

  onQuote(quote: ShownQuote): void {
    this.#rowOf(quote).quote = quote;
  }

  onTrade(trade: ShownTrade): void {
    const row = this.#rowOf(trade);
    row.trade = trade;
    row.trades++;
  }

  /** Brings the rates up to date, after so many seconds. */
  step(seconds: number): void {
    for (const row of this.#rows.values()) {
      row.tradesPerSecond += RATE_WEIGHT * (row.trades / seconds - row.tradesPerSecond);
      row.trades = 0;
    }
  }

  /** A header and the first rows that fit; no line is wider than `columns`. */
  lines({
    order,
    lines,
    columns,
  }: {
    readonly order: Order;
    readonly lines: number;
    readonly columns: number;
  }): string[] {
    const rows = [...this.#rows.values()].toSorted(
      (one, other) => rankOf(one, order) - rankOf(other, order) || compare(one.name, other.name),
    );
    const cells = [HEADER, ...rows.slice(0, Math.max(lines - 1, 0)).map(cellsOf)];
    const widths = HEADER.map((_, index) => Math.max(...cells.map((row) => width(row[index]))));
    return cells.map((row) => {
      const padded = row.map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      );
      return padded.join("  ").slice(0, columns);
    });
  }

  #rowOf({ venue, symbol }: { readonly venue: string; readonly symbol: string }): Row {
    const key = `${venue}:${symbol}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      // A venue names its instruments, and no name of theirs may steer the terminal.
      const name = key.replace(/[\p{C}\p{Z}]/gu, "?");
      row = { name, quote: undefined, trade: undefined, trades: 0, tradesPerSecond: 0 };
      this.#rows.set(key, row);
    }
    return row;
  }
}

function rankOf(row: Row, order: Order): number {
  if (order === "name") return 0;
  return order === "trades" ? -row.tradesPerSecond : (spreadOf(row) ?? Number.MAX_VALUE);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** In basis points of the middle. */
function spreadOf({ quote }: Row): number | undefined {
  if (quote === undefined || quote.bidPrice === 0 || quote.askPrice === 0) return undefined;
  return ((quote.askPrice - quote.bidPrice) / (quote.askPrice + quote.bidPrice)) * 20_000;
}

function cellsOf(row: Row): string[] {
  const { name, quote, trade, tradesPerSecond } = row;
  return [
    name,
    quote?.bidPriceText ?? "",
    quote?.askPriceText ?? "",
    spreadOf(row)?.toFixed(2) ?? "",
    trade?.priceText ?? "",
    trade === undefined ? "" : SIGNS[trade.aggressorSide],
    tradesPerSecond.toFixed(1),
  ];
}

function width(text = ""): number {
  return text.length;
}
