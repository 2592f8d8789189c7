import type { LiveBook } from "@tickwire/client";
import { depthCurve, type DepthCurve, type DepthPoint } from "../market/depth-curve.ts";
import { compactText, groupDigits } from "../market/number-text.ts";
import { colourOf, PanelCanvas } from "./canvas.ts";

const FOOT = 18;
const HEAD = 8;
const PRICES_SHOWN = 5;
/** Part of the price on each side of the middle. */
const SHARE = 0.005;

type Scale = { readonly x: (price: number) => number; readonly y: (total: number) => number };

/** What stands in the book up to each price, both sides beside each other. */
export class DepthView {
  readonly canvas = new PanelCanvas("Cumulative depth of the book");

  draw(book: LiveBook | undefined, decimals: number, pixelRatio: number): void {
    const { canvas } = this;
    if (!canvas.begin(pixelRatio)) return;
    const curve = book === undefined ? undefined : depthCurve(book.bids, book.asks, SHARE);
    const { context, width, height, element } = canvas;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colourOf(element, "--muted");
    if (curve === undefined || curve.total === 0) {
      context.textAlign = "center";
      context.fillText("The book is awaited.", width / 2, height / 2);
      return;
    }
    const scale: Scale = {
      x: (price) => width / 2 + ((price - curve.middle) / curve.reach) * (width / 2),
      y: (total) => height - FOOT - (total / curve.total) * (height - FOOT - HEAD),
    };
    this.#area(curve.bids, scale, "--up", "--up-soft", 0);
    this.#area(curve.asks, scale, "--down", "--down-soft", width);
    this.#scales(curve, scale, decimals);
  }

  #area(
    points: readonly DepthPoint[],
    scale: Scale,
    line: string,
    fill: string,
    end: number,
  ): void {
    const { context, height, element } = this.canvas;
    const first = points[0];
    if (first === undefined) return;
    const bottom = height - FOOT;
    context.beginPath();
    context.moveTo(scale.x(first.price), bottom);
    let before = 0;
    for (const { price, total } of points) {
      context.lineTo(scale.x(price), scale.y(before));
      context.lineTo(scale.x(price), scale.y(total));
      before = total;
    }
    context.lineTo(end, scale.y(before));
    context.strokeStyle = colourOf(element, line);
    context.lineWidth = 1.5;
    context.stroke();
    context.lineTo(end, bottom);
    context.closePath();
    context.fillStyle = colourOf(element, fill);
    context.fill();
  }

  #scales({ middle, reach, total }: DepthCurve, scale: Scale, decimals: number): void {
    const { context, width, height, element } = this.canvas;
    context.fillStyle = colourOf(element, "--muted");
    for (let index = 0; index < PRICES_SHOWN; index += 1) {
      const price = middle + reach * ((2 * (index + 0.5)) / PRICES_SHOWN - 1);
      context.textAlign = "center";
      context.fillText(groupDigits(price.toFixed(decimals)), scale.x(price), height - 5);
    }
    for (const part of [0.25, 0.5, 0.75, 1]) {
      context.textAlign = "right";
      context.fillText(compactText(total * part), width - 4, scale.y(total * part) + 9);
    }
    context.strokeStyle = colourOf(element, "--line");
    context.lineWidth = 1;
    context.strokeRect(scale.x(middle), HEAD, 0, height - FOOT - HEAD);
  }
}
