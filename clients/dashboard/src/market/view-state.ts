import { PRESETS, readLayout, writeLayout } from "../layout/layout-text.ts";
import { SORTS, type Sort } from "./market-rows.ts";

const THEMES = ["dark", "light"] as const;
const PALETTES = ["green-red", "blue-orange"] as const;

/** What is on the page and how: saved in the browser, and shared as an address. */
export type ViewState = {
  /** `VENUE:SYMBOL`, or empty before anything is chosen. */
  readonly topic: string;
  readonly intervalMs: number;
  readonly sort: Sort;
  /** Empty means the finest. */
  readonly step: string;
  /** Trades worth less, in the quote asset, are not shown. */
  readonly tradeValueMin: number;
  /** What each of two trades costs where venues are compared, in percent. */
  readonly feePercent: number;
  readonly theme: (typeof THEMES)[number] | "system";
  readonly palette: (typeof PALETTES)[number];
  /** Where the panels are, as `writeLayout` says it. */
  readonly layout: string;
};

export const DEFAULT_VIEW: ViewState = {
  topic: "",
  intervalMs: 60_000,
  sort: "volume",
  step: "",
  tradeValueMin: 0,
  feePercent: 0.1,
  theme: "system",
  palette: "green-red",
  layout: writeLayout(PRESETS.trading),
};

type Reader<T> = (text: string) => T | undefined;

const oneOf =
  <T extends string>(words: readonly T[]): Reader<T> =>
  (text) =>
    words.find((word) => word === text);

const within =
  (low: number, high: number): Reader<number> =>
  (text) => {
    const value = Number(text);
    return text !== "" && value >= low && value <= high ? value : undefined;
  };

const READERS: { readonly [Key in keyof ViewState]: Reader<ViewState[Key]> } = {
  topic: (text) => (/^[\w-]+:[^\s/*]+$/.test(text) ? text : undefined),
  intervalMs: within(1_000, 2_678_400_000),
  sort: oneOf(SORTS),
  step: (text) => (/^\d+(\.\d+)?$/.test(text) ? text : undefined),
  tradeValueMin: within(0, 1e12),
  feePercent: within(0, 5),
  theme: oneOf([...THEMES, "system"]),
  palette: oneOf(PALETTES),
  layout: (text) => (readLayout(text) === undefined ? undefined : text),
};

/** The address's part behind `#`, with what differs from the defaults. */
export function encodeView(view: ViewState): string {
  const parameters = new URLSearchParams();
  for (const key of viewKeys()) {
    if (view[key] !== DEFAULT_VIEW[key]) parameters.set(key, String(view[key]));
  }
  return parameters.toString();
}

/** Reads what `encodeView` wrote. What is missing or makes no sense is as in `base`. */
export function decodeView(text: string, base: ViewState = DEFAULT_VIEW): ViewState {
  const parameters = new URLSearchParams(text.replace(/^#/, ""));
  const entries = viewKeys().map((key) => {
    const given = parameters.get(key);
    return [key, given === null ? base[key] : (READERS[key](given) ?? base[key])] as const;
  });
  return Object.fromEntries(entries) as ViewState;
}

function viewKeys(): (keyof ViewState)[] {
  return Object.keys(DEFAULT_VIEW) as (keyof ViewState)[];
}
