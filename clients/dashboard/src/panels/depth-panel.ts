import type { LiveBook, Trade } from "@tickwire/client";
import { HeatHistory } from "../market/heat-history.ts";
import type { Market } from "../market/market-rows.ts";
import { decimalsOf, durationText } from "../market/number-text.ts";
import { choice, el, panel } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";
import { DepthView } from "./depth-view.ts";
import { HeatmapView } from "./heatmap-view.ts";

/** Columns of the map, whatever time they span. */
const COLUMNS_MAX = 720;
/** Lengths of a column: 6 minutes, 36 minutes, 2.4 hours, 12 hours in all. */
const COLUMN_LENGTHS_MS = [500, 3_000, 12_000, 60_000];
/** The book is looked at so often. */
const SAMPLE_MS = 500;

/** The depth of the chosen market: now as a curve, and over time as a map. */
export class DepthPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #bookNow: () => LiveBook | undefined;
  readonly #depth = new DepthView();
  readonly #heatmap = new HeatmapView();
  readonly #span = choice("Time that the map spans", (text) => {
    this.#spanAt = Number(text);
    this.#context.redraw();
  });
  #spanAt = 0;
  #histories = createHistories();
  #market: Market | undefined;

  constructor(context: Context, bookNow: () => LiveBook | undefined) {
    this.#context = context;
    this.#bookNow = bookNow;
    const { element, body } = panel("depth", "Depth", this.#span.element);
    body.append(
      el("div", { class: "canvas-place depth-place" }, this.#depth.canvas.element),
      el("div", { class: "canvas-place heatmap-place" }, this.#heatmap.canvas.element),
    );
    this.element = element;
    context.everyMs(SAMPLE_MS, () => this.#sample());
  }

  show(market: Market): void {
    this.#market = market;
    this.#histories = createHistories();
  }

  /** Told by the tape of each trade of the chosen market as it happens. */
  onTrade(trade: Trade): void {
    const { price, size, aggressorSide } = trade;
    for (const history of this.#histories) {
      history.addTrade({ price, size, isBuyer: aggressorSide !== "seller" });
    }
  }

  /** What is not shown has no room, and is not drawn. */
  draw(): void {
    const spans = COLUMN_LENGTHS_MS.map((columnMs) => durationText(columnMs * COLUMNS_MAX));
    this.#span.set(
      spans.map((text, index) => [String(index), text] as const),
      String(this.#spanAt),
    );
    const decimals = decimalsOf(this.#market?.instrument.priceIncrementText) ?? 2;
    const pixelRatio = this.#context.pixelRatio();
    this.#depth.draw(this.#bookNow(), decimals, pixelRatio);
    const history = this.#histories[this.#spanAt];
    if (history === undefined) return;
    this.#heatmap.draw(history, decimals, pixelRatio);
    this.element.dataset["columns"] = String(history.columns.length);
  }

  /** A book that is not live is not drawn as if it were: its time stays as it was last. */
  #sample(): void {
    const book = this.#bookNow();
    if (book === undefined || book.state !== "live") return;
    const now = this.#context.nowMs();
    const sides = { bids: book.bids, asks: book.asks };
    for (const history of this.#histories) history.addBook(sides, now);
    this.#context.redraw();
  }
}

function createHistories(): readonly HeatHistory[] {
  return COLUMN_LENGTHS_MS.map(
    (columnMs) => new HeatHistory({ columnMs, columnsMax: COLUMNS_MAX }),
  );
}
