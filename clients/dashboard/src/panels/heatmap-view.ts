import {
  HEAT_BUCKETS,
  heatCeiling,
  heatStep,
  type HeatColumn,
  type HeatHistory,
} from "../market/heat-history.ts";
import { groupDigits } from "../market/number-text.ts";
import { el } from "../page/dom.ts";
import { colourOf, PanelCanvas } from "./canvas.ts";

const FOOT = 18;
const PRICE_WIDTH = 74;
const TIMES_SHOWN = 6;
const TEXT_EDGE = 10;
/** Columns that fill the map: it begins narrow, so that what there is can be read. */
const COLUMNS_SHOWN = [60, 120, 240, 480];
/** Said where the map is still empty, as long as there is room for it. */
const EMPTY_WORDS = "The map begins when a market is chosen: gateways keep no past books.";
/** Pixels between two prices at the side, at least. */
const PRICE_GAP = 44;
const TRADE_RADIUS_MAX = 7;
/** The strongest size is found anew after so many columns. */
const COLUMNS_PER_CEILING = 20;

type MapSize = {
  readonly width: number;
  readonly height: number;
  /** Columns from the left edge to the right one. */
  readonly shown: number;
};
type Shade = readonly [red: number, green: number, blue: number];

/** From nothing to full strength; dark to light, so that it reads without seeing colours. */
const SHADES: readonly Shade[] = [
  [13, 18, 38],
  [28, 52, 110],
  [32, 110, 158],
  [66, 178, 156],
  [186, 222, 98],
  [253, 240, 170],
];
const PALETTE_SIZE = 256;
const PALETTE = createPalette();

/**
 * The book over time: brighter where more stood. Each column is painted once into a picture of the
 * map's own size, of which a frame of the screen draws the part that is in view.
 */
export class HeatmapView {
  readonly canvas = new PanelCanvas("Depth of the book over time, with trades");
  readonly #picture = el("canvas");
  readonly #paint: CanvasRenderingContext2D;
  #history: HeatHistory | undefined;
  /** Price row at the bottom of the picture. */
  #bottomStep = 0;
  #ceiling = 1;
  #painted: HeatColumn | undefined;
  #columnsPainted = 0;

  constructor() {
    const paint = this.#picture.getContext("2d");
    if (paint === null) throw new Error("this browser cannot draw on a canvas");
    this.#paint = paint;
  }

  draw(history: HeatHistory, decimals: number, pixelRatio: number): void {
    const { canvas } = this;
    if (!canvas.begin(pixelRatio)) return;
    const { context, width, height, element } = canvas;
    context.font = "11px system-ui, sans-serif";
    const last = history.columns.at(-1);
    if (last === undefined || history.step === undefined) {
      context.fillStyle = colourOf(element, "--muted");
      context.textAlign = "center";
      context.fillText("The map begins with the first book.", width / 2, height / 2);
      return;
    }
    this.#catchUp(history, last);
    const shown = columnsShown(history);
    const map = { width: width - PRICE_WIDTH, height: height - FOOT, shown };
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this.#picture,
      history.columnsMax - shown,
      0,
      shown,
      HEAT_BUCKETS,
      0,
      0,
      map.width,
      map.height,
    );
    this.#drawMarket(history, map);
    this.#drawScales(history, map, decimals);
  }

  /** Paints what was not painted yet: the last column again, or everything after a change. */
  #catchUp(history: HeatHistory, last: HeatColumn): void {
    const middle = last.firstStep + HEAT_BUCKETS / 2;
    const isOther = this.#history !== history || this.#picture.width !== history.columnsMax;
    const hasLeft = Math.abs(middle - (this.#bottomStep + HEAT_BUCKETS / 2)) > HEAT_BUCKETS / 4;
    const isNew = this.#painted !== last;
    if (isNew) this.#columnsPainted += 1;
    const isOld = this.#columnsPainted > COLUMNS_PER_CEILING;
    if (isOther || hasLeft || isOld) {
      this.#history = history;
      this.#picture.width = history.columnsMax;
      this.#picture.height = HEAT_BUCKETS;
      if (isOther || hasLeft) this.#bottomStep = last.firstStep;
      this.#ceiling = heatCeiling(history.columns) ?? 1;
      this.#columnsPainted = 0;
      this.#paintColumns(history.columns, history.columnsMax);
    } else {
      if (isNew) this.#shift();
      this.#paintColumns([last], 1);
    }
    this.#painted = last;
  }

  #shift(): void {
    this.#paint.globalCompositeOperation = "copy";
    this.#paint.drawImage(this.#picture, -1, 0);
    this.#paint.globalCompositeOperation = "source-over";
  }

  /**
   * Paints columns at the right edge of the picture, over so much of its width. Hours of them are
   * 184,000 points, for which a frame has a few milliseconds: hence all in one image.
   */
  #paintColumns(columns: readonly HeatColumn[], width: number): void {
    const image = this.#paint.createImageData(width, HEAT_BUCKETS);
    const points = new Uint32Array(image.data.buffer);
    points.fill(PALETTE[0]!);
    for (const [index, { firstStep, sizes }] of columns.entries()) {
      const x = width - columns.length + index;
      for (let step = 0; step < HEAT_BUCKETS; step += 1) {
        const row = firstStep + step - this.#bottomStep;
        const size = sizes[step]!;
        if (size === 0 || row < 0 || row >= HEAT_BUCKETS) continue;
        points[(HEAT_BUCKETS - 1 - row) * width + x] = PALETTE[paletteIndex(size / this.#ceiling)]!;
      }
    }
    this.#paint.putImageData(image, this.#picture.width - width, 0);
  }

  /** Best bid and ask as lines, trades as discs whose area is their size. */
  #drawMarket(history: HeatHistory, map: MapSize): void {
    const { context, element } = this.canvas;
    const { columns, step = 1 } = history;
    const offset = map.shown - columns.length;
    const x = (index: number): number => ((offset + index + 0.5) / map.shown) * map.width;
    const y = (price: number): number =>
      map.height * (1 - (price / step - this.#bottomStep + 0.5) / HEAT_BUCKETS);
    const lines = [
      ["bid", colourOf(element, "--up")],
      ["ask", colourOf(element, "--down")],
    ] as const;
    for (const [key, colour] of lines) {
      context.beginPath();
      for (const [index, column] of columns.entries()) {
        const price = column[key];
        if (price !== undefined) context.lineTo(x(index), y(price));
      }
      context.strokeStyle = colour;
      context.lineWidth = 1.2;
      context.stroke();
    }
    const largest = columns.reduce(
      (most, { boughtSize, soldSize }) => Math.max(most, boughtSize, soldSize),
      0,
    );
    if (largest === 0) return;
    for (const [index, { boughtSize, soldSize, tradePrice }] of columns.entries()) {
      if (tradePrice === undefined) continue;
      const size = Math.max(boughtSize, soldSize);
      const radius = TRADE_RADIUS_MAX * Math.sqrt(size / largest);
      if (radius < 1) continue;
      context.beginPath();
      context.arc(x(index), y(tradePrice), radius, 0, 2 * Math.PI);
      context.fillStyle = boughtSize >= soldSize ? lines[0][1] : lines[1][1];
      context.fill();
      context.strokeStyle = "#0b0e14";
      context.stroke();
    }
  }

  #drawScales({ columns, columnMs, step = 1 }: HeatHistory, map: MapSize, decimals: number): void {
    const { context, element } = this.canvas;
    context.fillStyle = colourOf(element, "--muted");
    context.textAlign = "left";
    // At round prices, as far apart as they can be read.
    const low = (this.#bottomStep - 0.5) * step;
    const span = HEAT_BUCKETS * step;
    const apart = heatStep((span * PRICE_GAP * HEAT_BUCKETS) / (2 * map.height));
    for (let price = Math.ceil(low / apart) * apart; price < low + span; price += apart) {
      const y = map.height * (1 - (price - low) / span);
      if (y < 10 || y > map.height - 4) continue;
      context.fillText(groupDigits(price.toFixed(decimals)), map.width + 6, y + 4);
    }
    const emptyWidth = (1 - columns.length / map.shown) * map.width;
    if (context.measureText(EMPTY_WORDS).width + 2 * TEXT_EDGE < emptyWidth) {
      context.textAlign = "center";
      context.fillText(EMPTY_WORDS, emptyWidth / 2, map.height / 2);
    }
    const endMs = (columns.at(-1)?.startMs ?? 0) + columnMs;
    context.textAlign = "center";
    for (let index = 0; index < TIMES_SHOWN; index += 1) {
      const part = (index + 0.5) / TIMES_SHOWN;
      const atMs = endMs - (1 - part) * map.shown * columnMs;
      context.fillText(clockText(atMs), part * map.width, map.height + 13);
    }
  }
}

function columnsShown({ columns, columnsMax }: HeatHistory): number {
  return COLUMNS_SHOWN.find((count) => count >= columns.length) ?? columnsMax;
}

/** The colours of the map, as a canvas has them in memory. */
function createPalette(): Uint32Array {
  const bytes = new Uint8ClampedArray(PALETTE_SIZE * 4);
  for (let index = 0; index < PALETTE_SIZE; index += 1)
    bytes.set([...shadeOf(index / (PALETTE_SIZE - 1)), 255], index * 4);
  return new Uint32Array(bytes.buffer);
}

/** Sizes differ by orders of magnitude: strength grows with their root. */
function paletteIndex(strength: number): number {
  return Math.round(Math.min(1, Math.sqrt(strength)) * (PALETTE_SIZE - 1));
}

/** The colour at a part of the way through the shades. */
function shadeOf(part: number): Shade {
  const place = part * (SHADES.length - 1);
  const low = Math.min(SHADES.length - 2, Math.floor(place));
  const between = place - low;
  const [from, to] = [SHADES[low]!, SHADES[low + 1]!];
  const mix = (index: 0 | 1 | 2): number => from[index] + (to[index] - from[index]) * between;
  return [mix(0), mix(1), mix(2)];
}

function clockText(timeMs: number): string {
  const date = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
