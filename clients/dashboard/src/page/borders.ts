import type { ViewState } from "../market/view-state.ts";
import { el } from "./dom.ts";

type Size = "marketsWidth" | "bookWidth" | "lowerHeight";
const BOUNDS: Readonly<Record<Size, readonly [number, number]>> = {
  marketsWidth: [180, 600],
  bookWidth: [220, 700],
  lowerHeight: [120, 700],
};
const WORDS: Readonly<Record<Size, string>> = {
  marketsWidth: "Width of the markets",
  bookWidth: "Width of the order book",
  lowerHeight: "Height of the lower panels",
};
const KEY_STEPS: ReadonlyMap<string, number> = new Map([
  ["ArrowLeft", -20],
  ["ArrowUp", -20],
  ["ArrowRight", 20],
  ["ArrowDown", 20],
]);

/** A border that resizes what is beside it, by pointer or keys. */
export type Border = { readonly element: HTMLElement; apply(view: ViewState): void };

/** `direction` says whether moving it right or down makes the panel larger (1) or smaller (-1). */
export function createBorder(
  size: Size,
  direction: 1 | -1,
  change: (view: Partial<ViewState>) => void,
): Border {
  const isRow = size === "lowerHeight";
  const [low, high] = BOUNDS[size];
  let now = low;
  const element = el("div", {
    class: `border border-${size}`,
    role: "separator",
    tabindex: "0",
    "aria-orientation": isRow ? "horizontal" : "vertical",
    "aria-label": WORDS[size],
    "aria-valuemin": String(low),
    "aria-valuemax": String(high),
  });
  const set = (value: number): void =>
    change({ [size]: Math.round(Math.min(high, Math.max(low, value))) });
  element.addEventListener("pointerdown", (event) => {
    const start = { at: isRow ? event.clientY : event.clientX, size: now };
    element.setPointerCapture(event.pointerId);
    element.onpointermove = (move) => {
      const at = isRow ? move.clientY : move.clientX;
      set(start.size + direction * (at - start.at));
    };
    element.onlostpointercapture = () => {
      element.onpointermove = null;
    };
  });
  element.addEventListener("keydown", ({ key }) => {
    const step = KEY_STEPS.get(key);
    if (step !== undefined) set(now + direction * step);
  });
  return {
    element,
    apply(view) {
      now = view[size];
      element.setAttribute("aria-valuenow", String(now));
    },
  };
}
