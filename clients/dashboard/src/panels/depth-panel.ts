import type { LiveBook } from "@tickwire/client";
import type { Market } from "../market/market-rows.ts";
import { scaleDecimals } from "../market/number-text.ts";
import { el, panel } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";
import { DepthView } from "./depth-view.ts";

/** What stands in the book of the chosen market up to each price. */
export class DepthPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #bookNow: () => LiveBook | undefined;
  readonly #view = new DepthView();
  #market: Market | undefined;

  constructor(context: Context, bookNow: () => LiveBook | undefined) {
    this.#context = context;
    this.#bookNow = bookNow;
    const { element, body } = panel("depth", "Depth");
    body.append(el("div", { class: "canvas-place" }, this.#view.canvas.element));
    this.element = element;
  }

  show(market: Market): void {
    this.#market = market;
  }

  draw(): void {
    const book = this.#bookNow();
    const price = (book?.bbo.bid ?? book?.bbo.ask)?.price;
    const decimals = scaleDecimals(this.#market?.instrument.priceIncrementText, price);
    this.#view.draw(book, decimals, this.#context.pixelRatio());
  }
}
