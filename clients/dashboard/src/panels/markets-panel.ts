import { formatPrice, type Instrument } from "@tickwire/client";
import type { FeedState } from "../market/feed-health.ts";
import {
  changeOf,
  changeSign,
  MarketOrder,
  SORTS,
  spreadOf,
  turnoverOf,
  visibleRange,
  type Market,
  type Sort,
} from "../market/market-rows.ts";
import { compactText, groupDigits, percentText } from "../market/number-text.ts";
import { choice, el, panel, setText, watchSize } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

const ROW_HEIGHT = 40;
/** While prices move, the order changes at most so often, or nobody could click a row. */
const SORT_INTERVAL_MS = 2_000;

type Row = ReturnType<typeof createRow>;

/** Every instrument of every venue, with search, favourites and sort. */
export class MarketsPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #favourites: Set<string>;
  readonly #onFavourites: () => void;
  readonly #venues: () => readonly string[];
  readonly #stateOf: (instrument: Instrument) => FeedState | undefined;
  readonly #search = el("input", {
    type: "search",
    placeholder: "Search  ( / )",
    "aria-label": "Search markets",
  });
  readonly #list = el("div", {
    class: "market-list",
    role: "listbox",
    tabindex: "0",
    "aria-label": "Markets",
  });
  readonly #space = el("div", { class: "market-space", role: "presentation" });
  readonly #count = el("span", { class: "muted", id: "market-count" });
  readonly #rows: Row[] = [];
  readonly #venue = choice("Venue", () => this.#rebuild());
  readonly #sort = choice("Sort by", (sort) => this.#context.change({ sort: sort as Sort }));
  readonly #only = el(
    "button",
    { type: "button", "aria-pressed": "false", title: "Favourites only" },
    "★",
  );
  readonly #order = new MarketOrder();
  readonly #size: { readonly width: number; readonly height: number };
  readonly drawIntervalMs = 250;
  #scrollTop = 0;
  #drawnHeight = -1;
  #sortedAtMs = 0;
  #needsFind = true;

  constructor(
    context: Context,
    parts: {
      readonly favourites: Set<string>;
      readonly onFavourites: () => void;
      readonly venues: () => readonly string[];
      readonly stateOf: (instrument: Instrument) => FeedState | undefined;
    },
  ) {
    this.#context = context;
    this.#favourites = parts.favourites;
    this.#onFavourites = parts.onFavourites;
    this.#venues = parts.venues;
    this.#stateOf = parts.stateOf;
    const { element, body } = panel("markets", "Markets", this.#count);
    const tools = el(
      "div",
      { class: "tools" },
      this.#search,
      this.#only,
      this.#venue.element,
      this.#sort.element,
    );
    this.#list.append(this.#space);
    body.append(tools, this.#list);
    this.element = element;
    this.#search.addEventListener("input", () => this.#rebuild());
    this.#size = watchSize(this.#list, () => context.redraw(true));
    const onScroll = (): void => {
      this.#scrollTop = this.#list.scrollTop;
      context.redraw(true);
    };
    this.#list.addEventListener("scroll", onScroll, { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#only.addEventListener("click", () => {
      const pressed = this.#only.getAttribute("aria-pressed") !== "true";
      this.#only.setAttribute("aria-pressed", String(pressed));
      this.#rebuild();
    });
  }

  focusSearch(): void {
    this.#search.focus();
    this.#search.select();
  }

  draw(): void {
    const { view, steadyMs } = this.#context;
    this.#venue.set(
      [["", "All venues"], ...this.#venues().map((venue) => [venue, venue] as const)],
      this.#venue.element.value,
    );
    this.#sort.set(
      SORTS.map((sort) => [sort, `by ${sort}`] as const),
      view().sort,
    );
    if (this.#needsFind) this.#find();
    else if (steadyMs() - this.#sortedAtMs > SORT_INTERVAL_MS) {
      this.#order.sort();
      this.#sortedAtMs = steadyMs();
    }
    const count = this.#order.markets.length;
    const { first, end } = visibleRange({
      scrollTop: this.#scrollTop,
      height: this.#size.height,
      rowHeight: ROW_HEIGHT,
      count,
    });
    if (this.#drawnHeight !== count * ROW_HEIGHT) {
      this.#drawnHeight = count * ROW_HEIGHT;
      this.#space.style.height = `${this.#drawnHeight}px`;
    }
    while (this.#rows.length < end - first) this.#addRow();
    for (const [offset, row] of this.#rows.entries()) {
      this.#fill(row, first + offset < end ? first + offset : undefined);
    }
    setText(
      this.#count,
      `${groupDigits(String(count))} of ${groupDigits(String(this.#order.total))}`,
    );
  }

  changed(): void {
    this.#needsFind = true;
    this.#context.redraw(true);
  }

  #rebuild(): void {
    this.#list.scrollTop = 0;
    this.changed();
  }

  #find(): void {
    this.#order.find(this.#context.markets, {
      search: this.#search.value,
      sort: this.#context.view().sort,
      venue: this.#venue.element.value,
      favourites: this.#favourites,
      onlyFavourites: this.#only.getAttribute("aria-pressed") === "true",
    });
    this.#sortedAtMs = this.#context.steadyMs();
    this.#needsFind = false;
  }

  #addRow(): void {
    const row = createRow();
    row.element.id = `market-row-${this.#rows.length}`;
    row.element.addEventListener("click", (event) => {
      if (event.target === row.star) this.toggleFavourite(row.topic);
      else this.#context.change({ topic: row.topic });
    });
    this.#rows.push(row);
    this.#space.append(row.element);
  }

  #fill(row: Row, index: number | undefined): void {
    const market = index === undefined ? undefined : this.#order.markets[index];
    row.element.hidden = market === undefined;
    if (market === undefined || index === undefined) return;
    const { topic, instrument, ticker } = market;
    this.#place(row, market, index);
    // Prices are written only where they are other ones.
    const { sort } = this.#context.view();
    if (row.ticker === ticker && row.sort === sort) return;
    row.ticker = ticker;
    row.sort = sort;
    const change = changeOf(ticker);
    const spread = spreadOf(ticker);
    const turnover = turnoverOf(ticker);
    const last = ticker?.lastPriceText;
    setText(
      row.price,
      last === undefined ? "–" : groupDigits(formatPrice(last, instrument) ?? last),
    );
    setText(row.change, change === undefined ? "–" : percentText(change));
    row.change.dataset["sign"] = changeSign(change);
    const volumeText = turnover === undefined ? "–" : compactText(turnover);
    const spreadText = spread === undefined ? "–" : `${(spread * 10_000).toFixed(1)} bp`;
    setText(row.more, sort === "spread" ? spreadText : volumeText);
    row.element.title = topic;
  }

  #place(row: Row, { topic, instrument }: Market, index: number): void {
    if (row.index !== index) {
      row.index = index;
      row.element.style.transform = `translateY(${index * ROW_HEIGHT}px)`;
    }
    if (row.topic !== topic) {
      row.topic = topic;
      row.sort = undefined;
      setText(row.symbol, instrument.symbol);
      setText(row.venue, instrument.venue);
    }
    const marks = [
      topic === this.#context.view().topic,
      this.#favourites.has(topic),
      this.#stateOf(instrument) ?? "none",
    ] as const;
    const key = marks.join(" ");
    if (row.marks === key) return;
    row.marks = key;
    if (marks[0]) this.#list.setAttribute("aria-activedescendant", row.element.id);
    row.element.setAttribute("aria-selected", String(marks[0]));
    row.star.classList.toggle("on", marks[1]);
    row.dot.dataset["state"] = marks[2];
  }

  /** Another window has changed them. */
  takeFavourites(favourites: ReadonlySet<string>): void {
    this.#favourites.clear();
    for (const topic of favourites) this.#favourites.add(topic);
    this.changed();
  }

  /** Marks a market as a favourite, or takes that back. */
  toggleFavourite(topic: string): void {
    if (!this.#favourites.delete(topic)) this.#favourites.add(topic);
    this.#onFavourites();
    this.changed();
  }

  #onKey(event: KeyboardEvent): void {
    const { topic } = this.#context.view();
    if (event.key === " ") {
      event.preventDefault();
      this.toggleFavourite(topic);
      return;
    }
    const page = Math.max(1, Math.floor(this.#size.height / ROW_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      End: Infinity,
      Home: -Infinity,
    };
    const step = Object.hasOwn(steps, event.key) ? steps[event.key]! : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = this.#order.markets.findIndex((market) => market.topic === topic);
    const next = Math.max(0, Math.min(this.#order.markets.length - 1, at + step));
    const market = this.#order.markets[next];
    if (market === undefined) return;
    this.#context.change({ topic: market.topic });
    const top = next * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.#list;
    if (top < scrollTop) this.#list.scrollTop = top;
    if (top + ROW_HEIGHT > scrollTop + clientHeight)
      this.#list.scrollTop = top + ROW_HEIGHT - clientHeight;
  }
}

function createRow() {
  const star = el("span", { class: "star", "aria-hidden": "true", title: "Favourite" }, "★");
  const dot = el("span", { class: "dot", "aria-hidden": "true" });
  const symbol = el("b");
  const venue = el("small");
  const price = el("span", { class: "num" });
  const change = el("span", { class: "num signed" });
  const more = el("small", { class: "num" });
  const left = el("span", { class: "cell" }, symbol, el("span", { class: "cell-sub" }, dot, venue));
  const right = el(
    "span",
    { class: "cell end" },
    price,
    el("span", { class: "cell-sub" }, more, change),
  );
  const element = el("div", { class: "market-row", role: "option" }, star, left, right);
  const shown = {
    topic: "",
    index: -1,
    marks: "",
    ticker: undefined as Market["ticker"],
    sort: undefined as Sort | undefined,
  };
  return { element, star, dot, symbol, venue, price, change, more, ...shown };
}
