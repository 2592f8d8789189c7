import { PRESETS } from "../layout/layout-text.ts";
import { PANEL_IDS, panelsOf, type LayoutNode, type PanelId } from "../layout/layout-tree.ts";
import { changeSign } from "../market/market-rows.ts";
import type { ViewState } from "../market/view-state.ts";
import { choice, el, setText } from "./dom.ts";
import { Grid, NARROW_TABS } from "./grid.ts";
import { menu } from "./menu.ts";

const THEME_WORDS = [
  ["system", "As the system"],
  ["dark", "Dark"],
  ["light", "Light"],
] as const;
const PALETTE_WORDS = [
  ["green-red", "Green and red"],
  ["blue-orange", "Blue and orange"],
] as const;
const PRESET_WORDS: Readonly<Record<keyof typeof PRESETS, string>> = {
  trading: "Trading",
  chart: "Large chart",
  depth: "Chart and heatmap",
  monitor: "Feed monitor",
};
const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search the markets"],
  ["↑ ↓", "in the list: next market"],
  ["s", "favourite or not"],
  ["1 2 3", "chart, depth, heatmap"],
  ["← → + −", "in the chart: scroll, zoom"],
  ["p", "hold the trades, go on"],
  ["a", "alerts"],
  ["t", "dark or light"],
  ["f", "full screen"],
  ["Esc", "leave a field, make a large panel small again"],
];

type Tools = {
  readonly change: (view: Partial<ViewState>) => void;
  readonly onLayout: (layout: LayoutNode) => void;
  readonly onPlaced: () => void;
  readonly openAlerts: () => void;
  readonly openWindow: () => void;
  readonly openAccess: () => void;
  readonly copyAddress: () => Promise<boolean>;
};

/** The frame of the page: the head with its menus, the grid of panels, the line below. */
export class Shell {
  /** Says how the connection is. */
  readonly state = el("span", { class: "connection", role: "status", id: "connection" });
  /** What the connection carries. */
  readonly traffic = el("span", { class: "num", id: "traffic" });
  /** What a person has to know or do before there is anything to see. */
  readonly banner = el("div", { class: "banner", role: "alert", hidden: "" });
  readonly grid: Grid;
  readonly #root = document.documentElement;
  readonly #title = el("h1", {}, "Tickwire");
  readonly #venue = el("span", { class: "venue-name" });
  readonly #price = el("span", { class: "last num", id: "last-price" });
  readonly #facts = el("dl", { class: "facts" });
  readonly #tabs = el("nav", { class: "tabs", "aria-label": "Panels" });
  readonly #tools: Tools;
  readonly #theme;
  readonly #palette;
  readonly #shownPanels = new Map<PanelId, HTMLInputElement>();

  constructor(panels: Readonly<Record<PanelId, HTMLElement>>, layout: LayoutNode, tools: Tools) {
    this.#tools = tools;
    this.grid = new Grid(panels, layout, {
      onChange: tools.onLayout,
      onPlaced: tools.onPlaced,
    });
    const { change } = tools;
    this.#theme = choice("Theme", (theme) => change({ theme: theme as ViewState["theme"] }));
    this.#palette = choice("Colours", (palette) =>
      change({ palette: palette as ViewState["palette"] }),
    );
    const brand = el("span", { class: "brand", "aria-hidden": "true" });
    const market = el("div", { class: "market-name" }, this.#title, this.#venue);
    const alerts = toolButton("Alerts of this page (a)", "Alerts", () => tools.openAlerts());
    const controls = el(
      "div",
      { class: "controls" },
      alerts,
      this.#layoutMenu(panels),
      this.#settingsMenu(),
    );
    for (const [name, [first]] of NARROW_TABS) this.#addTab(name, first!);
    const head = el("header", { class: "head" }, brand, market, this.#price, this.#facts, controls);
    const app = document.querySelector("#app");
    app?.append(head, this.banner, this.grid.element, this.#tabs, this.#foot());
    this.showTab("chart");
  }

  get isDark(): boolean {
    return getComputedStyle(this.#root).getPropertyValue("color-scheme").includes("dark");
  }

  /** Brings a panel to view, also where there is room for one panel only. */
  showTab(panel: PanelId): void {
    for (const [index, button] of [...this.#tabs.children].entries())
      button.setAttribute("aria-pressed", String(NARROW_TABS[index]?.[1].includes(panel)));
    if (!this.grid.isSeen(panel)) this.grid.reveal(panel);
  }

  setNarrow(isNarrow: boolean): void {
    this.grid.setNarrow(isNarrow);
  }

  apply(view: ViewState, layout: LayoutNode): void {
    if (view.theme === "system") delete this.#root.dataset["theme"];
    else this.#root.dataset["theme"] = view.theme;
    this.#root.dataset["palette"] = view.palette;
    this.#theme.set(THEME_WORDS, view.theme);
    this.#palette.set(PALETTE_WORDS, view.palette);
    const shown = new Set(panelsOf(layout));
    for (const [panel, box] of this.#shownPanels) box.checked = shown.has(panel);
    this.grid.apply(layout);
  }

  /** Says what is shown; `change` is that of the last day. */
  heading(
    market: {
      readonly symbol: string;
      readonly venue: string;
      readonly last: string;
      /** Empty while it trades. */
      readonly state: string;
    },
    values: readonly (readonly [string, string])[],
    change: number,
  ): void {
    setText(this.#title, market.symbol);
    setText(this.#venue, market.state === "" ? market.venue : market.state);
    this.#venue.classList.toggle("is-stopped", market.state !== "");
    this.#venue.title = market.venue;
    setText(this.#price, market.last);
    this.#price.dataset["sign"] = changeSign(change);
    if (this.#facts.children.length !== values.length) {
      const places = values.map(() => el("div", {}, el("dt"), el("dd", { class: "num" })));
      this.#facts.replaceChildren(...places);
    }
    for (const [index, [name, value]] of values.entries()) {
      const [dt, dd] = this.#facts.children[index]!.children;
      setText(dt!, name);
      setText(dd!, value);
    }
    const first = this.#facts.firstElementChild?.lastElementChild as HTMLElement | null | undefined;
    if (first !== null && first !== undefined) first.dataset["sign"] = changeSign(change);
  }

  /** Says something that has to be known; `onEnter` is offered where access is what is missing. */
  showBanner(text: string, onEnter: (() => void) | undefined): void {
    const parts: (Node | string)[] = [el("span", {}, text)];
    if (onEnter !== undefined)
      parts.push(toolButton("An API key or a token", "Enter a key or token", onEnter));
    this.banner.replaceChildren(...parts);
    this.banner.hidden = false;
  }

  /** A browser may refuse it; then nothing changes, which the reader sees. */
  fullScreen(): void {
    const isFull = document.fullscreenElement !== null;
    const change = isFull ? document.exitFullscreen() : this.#root.requestFullscreen();
    change.catch(() => undefined);
  }

  #layoutMenu(panels: Readonly<Record<PanelId, HTMLElement>>): HTMLElement {
    const boxes = PANEL_IDS.map((id) => {
      const box = el("input", { type: "checkbox" });
      box.addEventListener("change", () => this.grid.toggle(id));
      this.#shownPanels.set(id, box);
      return el("label", {}, box, ` ${panels[id].getAttribute("aria-label") ?? id}`);
    });
    const presets = (Object.keys(PRESETS) as (keyof typeof PRESETS)[]).map((name) =>
      toolButton("Puts the panels into this order", PRESET_WORDS[name], () =>
        this.#tools.onLayout(PRESETS[name]),
      ),
    );
    for (const preset of presets) preset.classList.add("ends-menu");
    const copy = toolButton("The address has all of it", "Copy link", () => {
      void this.#tools.copyAddress().then((isDone) => {
        setText(copy, isDone ? "Copied" : "The browser forbids it: copy the address");
      });
    });
    const another = toolButton("The same view, with a layout of its own", "New window", () =>
      this.#tools.openWindow(),
    );
    return menu(
      "layout",
      "Layout",
      "Panels, and where they are",
      el("h2", {}, "Arrange as"),
      el("div", { class: "menu-grid" }, ...presets),
      el("h2", {}, "Panels"),
      el("div", { class: "menu-grid" }, ...boxes),
      el("hr"),
      el("div", { class: "menu-grid" }, another, copy),
      el("p", { class: "muted" }, "Drag a panel by its heading; drag the border between two."),
    );
  }

  #settingsMenu(): HTMLElement {
    const keys = KEYS.map(([key, what]) =>
      el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)),
    );
    const access = toolButton("An API key or a token for this gateway", "Access key …", () =>
      this.#tools.openAccess(),
    );
    access.classList.add("ends-menu");
    return menu(
      "settings",
      "Settings",
      "Colours, access, keys",
      el("label", { class: "menu-line" }, "Theme ", this.#theme.element),
      el("label", { class: "menu-line" }, "Colours ", this.#palette.element),
      el("div", { class: "menu-line" }, "Access ", access),
      el("h2", {}, "Keys"),
      el("dl", { class: "keys" }, ...keys),
    );
  }

  #addTab(name: string, panel: PanelId): void {
    const button = el("button", { type: "button" }, name);
    button.addEventListener("click", () => this.showTab(panel));
    this.#tabs.append(button);
  }

  #foot(): HTMLElement {
    const words = "TradingView Lightweight Charts™";
    const credit = el("a", { href: "https://www.tradingview.com/", rel: "noreferrer" }, words);
    return el(
      "footer",
      { class: "foot" },
      this.state,
      this.traffic,
      el("span", {}, "Charts: ", credit),
    );
  }
}

function toolButton(title: string, text: string, onClick: () => void): HTMLButtonElement {
  const button = el("button", { type: "button", class: "tool", title }, text);
  button.addEventListener("click", onClick);
  return button;
}
