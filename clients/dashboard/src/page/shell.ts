import { STAGES, type ViewState } from "../market/view-state.ts";
import { createBorder, type Border } from "./borders.ts";
import { choice, el, setText } from "./dom.ts";

const TABS = ["markets", "chart", "depth", "book", "trades", "health", "details"] as const;
type Tab = (typeof TABS)[number];
type Change = (view: Partial<ViewState>) => void;

const THEME_WORDS = [
  ["system", "System"],
  ["dark", "Dark"],
  ["light", "Light"],
] as const;
const PALETTE_WORDS = [
  ["green-red", "Green / red"],
  ["blue-orange", "Blue / orange"],
] as const;

const STAGE_WORDS = { candles: "Candles", depth: "Depth", heatmap: "Heatmap" } as const;

/** The frame of the page: the head with its controls, the places of the panels, their borders. */
export class Shell {
  /** Says how the connection is. */
  readonly state = el("span", { class: "connection", role: "status", id: "connection" });
  readonly #root = document.documentElement;
  readonly #title = el("h1", {}, "Tickwire");
  readonly #price = el("span", { class: "last num", id: "last-price" });
  readonly #facts = el("dl", { class: "facts" });
  readonly #main = el("main", { class: "grid" });
  readonly #tabs = el("nav", { class: "tabs", "aria-label": "Panels" });
  readonly #stages: readonly HTMLButtonElement[];
  readonly #theme;
  readonly #palette;
  readonly #borders: readonly Border[];

  constructor(change: Change, tools: { openAlerts(): void; openWindow(): void }) {
    this.#stages = STAGES.map((stage) => {
      const button = el("button", { type: "button" }, STAGE_WORDS[stage]);
      button.addEventListener("click", () => change({ stage }));
      return button;
    });
    this.#theme = choice("Theme", (theme) => change({ theme: theme as ViewState["theme"] }));
    this.#palette = choice("Colours", (palette) =>
      change({ palette: palette as ViewState["palette"] }),
    );
    this.#borders = [
      createBorder("marketsWidth", 1, change),
      createBorder("lowerHeight", -1, change),
      createBorder("bookWidth", -1, change),
    ];
    const brand = el("span", { class: "brand", "aria-hidden": "true" });
    const controls = [
      this.state,
      toolButton("Alerts of this page (a)", "Alerts", () => tools.openAlerts()),
      toolButton("Open in a new window", "New window", () => tools.openWindow()),
      this.#palette.element,
      this.#theme.element,
    ];
    const head = [brand, this.#title, this.#price, this.#facts, ...controls];
    for (const tab of TABS) this.#addTab(tab);
    this.showTab("chart");
    document
      .querySelector("#app")
      ?.append(el("header", { class: "head" }, ...head), this.#main, this.#tabs, createFoot());
  }

  get isDark(): boolean {
    return getComputedStyle(this.#root).getPropertyValue("color-scheme").includes("dark");
  }

  /** Where there is room for one panel only, shows this one. */
  showTab(tab: Tab): void {
    this.#main.dataset["tab"] = tab;
    for (const button of this.#tabs.children) {
      button.setAttribute("aria-pressed", String(button.textContent === tab));
    }
  }

  place(panels: Readonly<Record<Tab, HTMLElement>>): void {
    const { markets, chart, depth, book, trades, health, details } = panels;
    const [left = markets, below = chart, right = book] = this.#borders.map(
      ({ element }) => element,
    );
    const side = el("div", { class: "side-column" }, book, trades);
    const lower = el("div", { class: "lower" }, health, details);
    const stages = el(
      "div",
      { class: "stages", role: "group", "aria-label": "Shown above" },
      ...this.#stages,
    );
    const stage = el("div", { class: "stage" }, stages, chart, depth);
    const middle = el("div", { class: "middle" }, stage, below, lower);
    this.#main.append(markets, left, middle, right, side);
  }

  apply(view: ViewState): void {
    if (view.theme === "system") delete this.#root.dataset["theme"];
    else this.#root.dataset["theme"] = view.theme;
    this.#root.dataset["palette"] = view.palette;
    this.#theme.set(THEME_WORDS, view.theme);
    this.#palette.set(PALETTE_WORDS, view.palette);
    this.#main.dataset["stage"] = view.stage;
    for (const [index, stage] of STAGES.entries()) {
      this.#stages[index]!.setAttribute("aria-pressed", String(stage === view.stage));
    }
    const { style } = this.#main;
    style.setProperty("--markets-width", `${view.marketsWidth}px`);
    style.setProperty("--book-width", `${view.bookWidth}px`);
    style.setProperty("--lower-height", `${view.lowerHeight}px`);
    for (const border of this.#borders) border.apply(view);
  }

  /** Says what is shown; `sign` is that of its change. */
  heading(
    market: { readonly symbol: string; readonly venue: string; readonly last: string },
    values: readonly (readonly [string, string])[],
    sign: number,
  ): void {
    setText(this.#title, `${market.symbol} · ${market.venue}`);
    setText(this.#price, market.last);
    this.#price.dataset["sign"] = sign > 0 ? "up" : sign < 0 ? "down" : "";
    if (this.#facts.children.length !== values.length) {
      const places = values.map(() => el("div", {}, el("dt"), el("dd", { class: "num" })));
      this.#facts.replaceChildren(...places);
    }
    for (const [index, [name, value]] of values.entries()) {
      const [dt, dd] = this.#facts.children[index]!.children;
      setText(dt!, name);
      setText(dd!, value);
    }
  }

  /** A browser may refuse it; then nothing changes, which the reader sees. */
  fullScreen(): void {
    const isFull = document.fullscreenElement !== null;
    const change = isFull ? document.exitFullscreen() : this.#root.requestFullscreen();
    change.catch(() => undefined);
  }

  #addTab(tab: Tab): void {
    const button = el("button", { type: "button" }, tab);
    button.addEventListener("click", () => this.showTab(tab));
    this.#tabs.append(button);
  }
}

function toolButton(title: string, text: string, onClick: () => void): HTMLButtonElement {
  const button = el("button", { type: "button", class: "tool", title }, text);
  button.addEventListener("click", onClick);
  return button;
}

function createFoot(): HTMLElement {
  const words = "TradingView Lightweight Charts™";
  const credit = el("a", { href: "https://www.tradingview.com/", rel: "noreferrer" }, words);
  const keys = el(
    "span",
    {},
    "/ search · ↑ ↓ market · 1 2 3 chart, depth, map · a alerts · t theme · f full screen",
  );
  return el("footer", { class: "foot" }, keys, el("span", {}, "Charts: ", credit));
}
