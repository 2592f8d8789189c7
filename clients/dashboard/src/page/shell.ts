import type { ViewState } from "../market/view-state.ts";
import { choice, el, setText } from "./dom.ts";

const TABS = ["markets", "chart", "book", "trades", "health", "details"] as const;
type Tab = (typeof TABS)[number];
type Size = "marketsWidth" | "bookWidth" | "lowerHeight";
const BOUNDS: Readonly<Record<Size, readonly [number, number]>> = {
  marketsWidth: [180, 600],
  bookWidth: [220, 700],
  lowerHeight: [120, 700],
};
const KEY_STEP = 20;

/** The frame of the page: the head with its controls, the places of the panels, their borders. */
export function createShell(first: ViewState, change: (view: Partial<ViewState>) => void) {
  let view = first;
  const root = document.documentElement;
  const state = el("span", { class: "connection", role: "status", id: "connection" });
  const title = el("h1", {}, "Tickwire");
  const price = el("span", { class: "last num", id: "last-price" });
  const facts = el("dl", { class: "facts" });
  const theme = choice("Theme", (value) => change({ theme: value as ViewState["theme"] }));
  const palette = choice("Colours", (value) => change({ palette: value as ViewState["palette"] }));
  const brand = el("span", { class: "brand", "aria-hidden": "true" });
  const head = el(
    "header",
    { class: "head" },
    brand,
    title,
    price,
    facts,
    state,
    palette.element,
    theme.element,
  );
  const main = el("main", { class: "grid" });
  const tabs = el("nav", { class: "tabs", "aria-label": "Panels" });
  const credit = el(
    "a",
    { href: "https://www.tradingview.com/", rel: "noreferrer" },
    "TradingView Lightweight Charts™",
  );
  const keys = el("span", {}, "/ search · ↑ ↓ market · t theme · f full screen");
  const foot = el("footer", { class: "foot" }, keys, el("span", {}, "Charts: ", credit));
  document.querySelector("#app")?.append(head, main, tabs, foot);

  const showTab = (tab: Tab): void => {
    main.dataset["tab"] = tab;
    for (const button of tabs.children)
      button.setAttribute("aria-pressed", String(button.textContent === tab));
  };
  for (const tab of TABS) {
    const button = el("button", { type: "button" }, tab);
    button.addEventListener("click", () => showTab(tab));
    tabs.append(button);
  }
  showTab("chart");

  const border = (size: Size, direction: 1 | -1): HTMLElement => {
    const isRow = size === "lowerHeight";
    const element = el("div", {
      class: `border border-${size}`,
      role: "separator",
      tabindex: "0",
      "aria-orientation": isRow ? "horizontal" : "vertical",
      "aria-label": `Resize ${size}`,
    });
    const set = (value: number): void => {
      const [low, high] = BOUNDS[size];
      change({ [size]: Math.round(Math.min(high, Math.max(low, value))) });
    };
    element.addEventListener("pointerdown", (event) => {
      const start = { at: isRow ? event.clientY : event.clientX, size: view[size] };
      element.setPointerCapture(event.pointerId);
      element.onpointermove = (move) =>
        set(start.size + direction * ((isRow ? move.clientY : move.clientX) - start.at));
      element.onpointerup = () => {
        element.onpointermove = null;
      };
    });
    element.addEventListener("keydown", ({ key }) => {
      const steps: Readonly<Record<string, number>> = {
        ArrowLeft: -1,
        ArrowUp: -1,
        ArrowRight: 1,
        ArrowDown: 1,
      };
      const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
      if (step !== undefined) set(view[size] + direction * step * KEY_STEP);
    });
    return element;
  };

  return {
    state,
    showTab,
    isDark: () => getComputedStyle(root).getPropertyValue("color-scheme").includes("dark"),
    place(panels: Readonly<Record<Tab, HTMLElement>>): void {
      const { markets, chart, book, trades, health, details } = panels;
      const side = el("div", { class: "side-column" }, book, trades);
      const lower = el("div", { class: "lower" }, health, details);
      const middle = el("div", { class: "middle" }, chart, border("lowerHeight", -1), lower);
      main.append(markets, border("marketsWidth", 1), middle, border("bookWidth", -1), side);
    },
    apply(next: ViewState): void {
      view = next;
      if (view.theme === "system") delete root.dataset["theme"];
      else root.dataset["theme"] = view.theme;
      root.dataset["palette"] = view.palette;
      theme.set(
        [
          ["system", "System"],
          ["dark", "Dark"],
          ["light", "Light"],
        ],
        view.theme,
      );
      palette.set(
        [
          ["green-red", "Green / red"],
          ["blue-orange", "Blue / orange"],
        ],
        view.palette,
      );
      main.style.setProperty("--markets-width", `${view.marketsWidth}px`);
      main.style.setProperty("--book-width", `${view.bookWidth}px`);
      main.style.setProperty("--lower-height", `${view.lowerHeight}px`);
      for (const separator of main.querySelectorAll<HTMLElement>(".border")) {
        const size = (Object.keys(BOUNDS) as Size[]).find((key) =>
          separator.classList.contains(`border-${key}`),
        );
        if (size === undefined) continue;
        separator.setAttribute("aria-valuenow", String(view[size]));
        separator.setAttribute("aria-valuemin", String(BOUNDS[size][0]));
        separator.setAttribute("aria-valuemax", String(BOUNDS[size][1]));
      }
    },
    heading(
      market: { readonly symbol: string; readonly venue: string; readonly last: string },
      values: readonly (readonly [string, string])[],
      sign: number,
    ): void {
      setText(title, `${market.symbol} · ${market.venue}`);
      setText(price, market.last);
      price.dataset["sign"] = sign > 0 ? "up" : sign < 0 ? "down" : "";
      if (facts.children.length !== values.length)
        facts.replaceChildren(
          ...values.map(() => el("div", {}, el("dt"), el("dd", { class: "num" }))),
        );
      for (const [index, [name, value]] of values.entries()) {
        const [dt, dd] = facts.children[index]!.children;
        setText(dt!, name);
        setText(dd!, value);
      }
    },
    /** A browser may refuse it; then nothing changes, which the reader sees. */
    fullScreen(): void {
      const change =
        document.fullscreenElement === null ? root.requestFullscreen() : document.exitFullscreen();
      change.catch(() => undefined);
    },
  };
}
