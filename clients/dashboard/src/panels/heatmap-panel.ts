import type { LiveBook, Trade } from "@tickwire/client";
import { HeatHistory } from "../market/heat-history.ts";
import type { Market } from "../market/market-rows.ts";
import { durationText, scaleDecimals } from "../market/number-text.ts";
import { choice, el, panel } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";
import { HeatmapView } from "./heatmap-view.ts";

/** Columns of the map, whatever time they span. */
const COLUMNS_MAX = 720;
/** Lengths of a column: 6 minutes, 36 minutes, 2.4 hours, 12 hours in all. */
const COLUMN_LENGTHS_MS = [500, 3_000, 12_000, 60_000];
/** The book is looked at so often. */
const SAMPLE_MS = 500;

/** The book of the chosen market over time, with its trades. */
export class HeatmapPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #bookNow: () => LiveBook | undefined;
  readonly #view = new HeatmapView();
  readonly #span = choice("Time that the map spans", (text) => {
    this.#spanAt = Number(text);
    this.#hasChanged = true;
    this.#context.redraw(true);
  });
  #spanAt = 0;
  #histories = createHistories();
  #market: Market | undefined;
  #hasChanged = true;
  #drawnSize = "";

  constructor(context: Context, bookNow: () => LiveBook | undefined) {
    this.#context = context;
    this.#bookNow = bookNow;
    const { element, body } = panel("heatmap", "Heatmap", this.#span.element);
    body.append(el("div", { class: "canvas-place" }, this.#view.canvas.element));
    this.element = element;
    const spans = COLUMN_LENGTHS_MS.map((columnMs, index) => {
      const text = `last ${durationText(columnMs * COLUMNS_MAX)}`;
      return [String(index), text] as const;
    });
    this.#span.set(spans, "0");
    context.everyMs(SAMPLE_MS, () => this.#sample());
  }

  show(market: Market): void {
    this.#market = market;
    this.#histories = createHistories();
    this.#hasChanged = true;
  }

  /** The colours are other ones. */
  recolour(): void {
    this.#hasChanged = true;
  }

  /** Told by the tape of each trade of the chosen market as it happens. */
  onTrade(trade: Trade): void {
    const { price, size, aggressorSide } = trade;
    const isBuyer = aggressorSide !== "seller";
    for (const history of this.#histories) history.addTrade({ price, size, isBuyer });
  }

  /** A map changes with each look at the book, and not in between. */
  draw(): void {
    const { clientWidth, clientHeight } = this.element;
    const size = `${clientWidth} ${clientHeight} ${this.#context.pixelRatio()}`;
    if (!this.#hasChanged && size === this.#drawnSize) return;
    this.#hasChanged = false;
    this.#drawnSize = size;
    const history = this.#histories[this.#spanAt];
    if (history === undefined) return;
    const last = history.columns.at(-1);
    const price = last?.bid ?? last?.ask;
    const decimals = scaleDecimals(this.#market?.instrument.priceIncrementText, price);
    this.#view.draw(history, decimals, this.#context.pixelRatio());
    this.element.dataset["columns"] = String(history.columns.length);
  }

  /** A book that is not live is not drawn as if it were: its time stays as it was last. */
  #sample(): void {
    const book = this.#bookNow();
    if (book === undefined || book.state !== "live") return;
    const now = this.#context.nowMs();
    const sides = { bids: book.bids, asks: book.asks };
    for (const history of this.#histories) history.addBook(sides, now);
    this.#hasChanged = true;
    this.#context.redraw();
  }
}

function createHistories(): readonly HeatHistory[] {
  return COLUMN_LENGTHS_MS.map(
    (columnMs) => new HeatHistory({ columnMs, columnsMax: COLUMNS_MAX }),
  );
}
