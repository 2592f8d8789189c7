import { visibleText } from "#core/visible-text.ts";
import type { ScreenLine, ScreenPart, ScreenStyle } from "./full-screen.ts";

/** One instrument in the list, as far as it is known. Prices and sizes are texts. */
export type WatchedRow = {
  /** `VENUE:SYMBOL` */
  readonly name: string;
  readonly last: string;
  /** Of 24 hours; undefined if the venue does not say. */
  readonly changePercent: number | undefined;
  readonly bid: string;
  readonly ask: string;
  /** What a trader should know first: the state of its stream, or what may be done with it. */
  readonly state: string;
  readonly isBad: boolean;
};

/** A level of a book; the share is its size compared with the largest that is shown. */
export type WatchedLevel = {
  readonly price: string;
  readonly size: string;
  readonly share: number;
};

export type WatchedTrade = {
  readonly time: string;
  readonly price: string;
  readonly size: string;
  readonly isBuy: boolean;
};

/** All that `tickwire watch` shows. */
export type WatchState = {
  readonly address: string;
  readonly connection: string;
  readonly eventsPerSecond: number;
  readonly rows: readonly WatchedRow[];
  readonly selected: number;
  /** Best first. */
  readonly bids: readonly WatchedLevel[];
  readonly asks: readonly WatchedLevel[];
  readonly bookState: string;
  readonly spread: string;
  /** The latest first. */
  readonly trades: readonly WatchedTrade[];
  /** What was lost, refused or delayed last; empty if nothing was. */
  readonly notice: string;
  readonly isPaused: boolean;
};

export const WATCH_PANELS = ["markets", "book", "trades"] as const;
export type WatchPanel = (typeof WATCH_PANELS)[number];

const KEYS = "q quit   ↑ ↓ choose   PgUp PgDn page   Tab next panel   + - depth   Space stop";
/** How wide each panel is at least, with the space behind it. */
const WIDTHS: Readonly<Record<WatchPanel, number>> = { markets: 54, book: 32, trades: 36 };
const HEAD_LINES = 2;
const FOOT_LINES = 2;
const BAR_CELLS_MAX = 20;

/** Rows of the list, and levels of a side, that a terminal of so many lines has room for. */
export function roomOf(lines: number): { readonly rows: number; readonly levels: number } {
  const rows = Math.max(1, lines - HEAD_LINES - FOOT_LINES - 1);
  return { rows, levels: Math.max(1, Math.floor((rows - 1) / 2)) };
}

/**
 * The screen, as lines no wider than the terminal and no more than it has. What has no room beside
 * the panel in front is left out.
 */
export function watchScreen(
  state: WatchState,
  front: WatchPanel,
  size: { readonly columns: number; readonly lines: number },
): ScreenLine[] {
  const room = roomOf(size.lines);
  const panels = panelsThatFit(front, size.columns);
  const spare = size.columns - panels.reduce((sum, panel) => sum + WIDTHS[panel], 0);
  const widths = panels.map((panel, index) =>
    Math.min(size.columns, WIDTHS[panel] + (index === panels.length - 1 ? spare : 0)),
  );
  const columns = panels.map((panel, index) => panelLines(panel, state, room, widths[index] ?? 0));
  const body = Array.from({ length: room.rows + 1 }, (_, line) =>
    joined(
      columns.map((lines) => lines[line] ?? []),
      widths,
    ),
  );
  const foot: ScreenPart =
    state.notice === ""
      ? { text: "", style: "plain" }
      : { text: fitted(state.notice, size.columns), style: "warn" };
  const lines: ScreenLine[] = [
    { parts: [{ text: fitted(headText(state), size.columns), style: "title" }] },
    { parts: [] },
    ...body,
    { parts: [foot] },
    { parts: [{ text: fitted(KEYS, size.columns), style: "dim" }] },
  ];
  return lines.slice(0, size.lines);
}

function headText({ address, connection, eventsPerSecond, isPaused, rows }: WatchState): string {
  const count = rows.length === 1 ? "1 instrument" : `${rows.length} instruments`;
  const rate = isPaused ? "stopped; Space goes on" : `${Math.round(eventsPerSecond)} events/s`;
  return `tickwire watch   ${address}   ${connection}   ${count}   ${rate}`;
}

/** The panel in front, and the others in their order for as long as they fit. */
function panelsThatFit(front: WatchPanel, columns: number): readonly WatchPanel[] {
  const wanted = [front, ...WATCH_PANELS.filter((panel) => panel !== front)];
  const chosen = new Set<WatchPanel>([front]);
  let left = columns - WIDTHS[front];
  for (const panel of wanted.slice(1)) {
    if (WIDTHS[panel] > left) continue;
    chosen.add(panel);
    left -= WIDTHS[panel];
  }
  return WATCH_PANELS.filter((panel) => chosen.has(panel));
}

function panelLines(
  panel: WatchPanel,
  state: WatchState,
  room: { readonly rows: number; readonly levels: number },
  width: number,
): readonly (readonly ScreenPart[])[] {
  if (panel === "markets") return marketLines(state, room.rows, width);
  return panel === "book" ? bookLines(state, room.levels, width) : tradeLines(state, room.rows);
}

function marketLines(
  { rows, selected }: WatchState,
  count: number,
  width: number,
): readonly (readonly ScreenPart[])[] {
  const first = Math.max(0, Math.min(selected - Math.floor(count / 2), rows.length - count));
  const nameWidth = Math.max(12, width - 30);
  const head = `${"MARKET".padEnd(nameWidth)}${"LAST".padStart(13)}${"24 H".padStart(9)}  STATE`;
  const lines = rows.slice(first, first + count).map((row, index): readonly ScreenPart[] => {
    const isChosen = first + index === selected;
    const name = fitted(row.name, nameWidth - 1).padEnd(nameWidth);
    const { changePercent: change } = row;
    const changeText = change === undefined ? "-" : `${change < 0 ? "" : "+"}${change.toFixed(2)}%`;
    const changeStyle = change === undefined || change === 0 ? "dim" : change < 0 ? "bad" : "good";
    return [
      { text: name, style: isChosen ? "header" : "plain" },
      { text: row.last.padStart(13), style: "plain" },
      { text: changeText.padStart(9), style: changeStyle },
      { text: `  ${row.state}`, style: row.isBad ? "bad" : "dim" },
    ];
  });
  return [[{ text: head, style: "dim" }], ...lines];
}

function bookLines(
  { bids, asks, bookState, spread }: WatchState,
  levels: number,
  width: number,
): readonly (readonly ScreenPart[])[] {
  const cells = Math.max(0, Math.min(BAR_CELLS_MAX, width - 30));
  const line = (level: WatchedLevel, style: ScreenStyle): readonly ScreenPart[] => [
    { text: level.price.padStart(14), style },
    { text: `${level.size.padStart(14)} `, style: "plain" },
    { text: "▇".repeat(Math.round(level.share * cells)), style },
  ];
  const best = asks.slice(0, levels).toReversed();
  const above = Array.from({ length: levels - best.length }, (): readonly ScreenPart[] => []);
  return [
    [{ text: `${"PRICE".padStart(14)}${"SIZE".padStart(14)}`, style: "dim" }],
    ...above,
    ...best.map((level) => line(level, "bad")),
    [{ text: `${`spread ${spread}`.padStart(14)}   ${bookState}`, style: "dim" }],
    ...bids.slice(0, levels).map((level) => line(level, "good")),
  ];
}

function tradeLines({ trades }: WatchState, count: number): readonly (readonly ScreenPart[])[] {
  const lines = trades
    .slice(0, count)
    .map(({ time, price, size, isBuy }): readonly ScreenPart[] => [
      { text: `${time} `, style: "dim" },
      { text: price.padStart(12), style: isBuy ? "good" : "bad" },
      { text: size.padStart(13), style: "plain" },
    ]);
  const head = `${"TIME".padEnd(9)}${"TRADE".padStart(12)}${"SIZE".padStart(13)}`;
  return [[{ text: head, style: "dim" }], ...lines];
}

/** Panels side by side, each exactly as wide as it is to be. */
function joined(panels: readonly (readonly ScreenPart[])[], widths: readonly number[]): ScreenLine {
  const parts: ScreenPart[] = [];
  for (const [index, panel] of panels.entries()) {
    let left = widths[index] ?? 0;
    for (const { text, style } of panel) {
      const shown = visibleText(text).slice(0, left);
      parts.push({ text: shown, style });
      left -= shown.length;
    }
    if (left > 0 && index < panels.length - 1)
      parts.push({ text: " ".repeat(left), style: "plain" });
  }
  return { parts };
}

function fitted(text: string, width: number): string {
  const visible = visibleText(text);
  return visible.length > width ? `${visible.slice(0, Math.max(0, width - 1))}…` : visible;
}
