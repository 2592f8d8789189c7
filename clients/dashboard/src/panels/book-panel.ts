import type { LiveBook, Subscription } from "@tickwire/client";
import { refusalText } from "../market/access-words.ts";
import { bidShare, ladderRows, priceSteps, type LadderRow } from "../market/ladder.ts";
import type { Market } from "../market/market-rows.ts";
import { compactText, groupDigits, padDecimal, ShownDecimals } from "../market/number-text.ts";
import { choice, el, panel, setText, watchSize } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

const ROWS_MAX = 40;
const ROW_HEIGHT = 20;
const BOOK_INTERVAL_MS = 100;

type Row = ReturnType<typeof createRow>;

/** The ladder: both sides with cumulative depth, the spread between them, and what proves it. */
export class BookPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #step = choice("Price step", (step) => this.#context.change({ step }));
  readonly #badge = el("span", { class: "badge", id: "book-badge", role: "status" });
  readonly #asks = el("div", { class: "side asks" });
  readonly #bids = el("div", { class: "side bids" });
  readonly #mid = el("div", { class: "mid", id: "book-mid" });
  readonly #share = el("div", { class: "share" }, el("i"));
  readonly #shareText = el("span", { class: "muted num" });
  readonly #size: { readonly height: number };
  readonly #rows = { asks: [] as Row[], bids: [] as Row[] };
  #decimals = { price: new ShownDecimals(), size: new ShownDecimals() };
  #market: Market | undefined;
  #book: LiveBook | undefined;
  #subscription: Subscription | undefined;
  #refused = "";

  constructor(context: Context) {
    this.#context = context;
    const { element, body } = panel("book", "Order book", this.#badge, this.#step.element);
    const names = el(
      "div",
      { class: "row names" },
      el("span", {}, "Price"),
      el("span", {}, "Size"),
      el("span", {}, "Total"),
    );
    body.append(
      names,
      this.#asks,
      this.#mid,
      this.#bids,
      el("div", { class: "share-line" }, this.#share, this.#shareText),
    );
    this.element = element;
    this.#size = watchSize(this.#asks, () => context.redraw(true));
  }

  /** The book as it is now; undefined before it came. */
  get book(): LiveBook | undefined {
    return this.#book;
  }

  show(market: Market): void {
    this.#subscription?.close();
    this.#market = market;
    this.#book = undefined;
    this.#decimals = { price: new ShownDecimals(), size: new ShownDecimals() };
    this.#refused = market.instrument.channels.includes("book") ? "" : "this market has no book";
    if (this.#refused !== "") return;
    const { client, meterOf, ageMs, redraw } = this.#context;
    const meter = meterOf(market.instrument.venue);
    this.#subscription = client.onBook(
      market.topic,
      (book) => {
        this.#book = book;
        meter.observe(ageMs(book));
        redraw();
      },
      {
        conflationIntervalMs: BOOK_INTERVAL_MS,
        onNotice: (notice) => {
          if (notice.type === "gap") meter.gaps += 1;
          redraw();
        },
        onError: (error) => {
          this.#refused = refusalText(error);
          redraw();
        },
      },
    );
  }

  draw(): void {
    const { step } = this.#context.view();
    const best = this.#book?.bbo;
    const increment = this.#seeDecimals();
    const steps = priceSteps(increment, best?.bid?.price ?? 1);
    const chosen = steps.includes(step) ? step : (steps[0] ?? "");
    this.#step.set(
      steps.map((text) => [text, text] as const),
      chosen,
    );
    // The finest step is the book itself.
    const grouping = { step: chosen === steps[0] ? 0 : Number(chosen), stepText: chosen };
    const fit = Math.max(3, Math.min(ROWS_MAX, Math.floor(this.#size.height / ROW_HEIGHT)));
    // Ungrouped, a row is a level, and the others need not be looked at.
    const depth = grouping.step === 0 ? fit : undefined;
    const bidLevels = this.#book?.topBids(depth) ?? [];
    const askLevels = this.#book?.topAsks(depth) ?? [];
    const shownBids = ladderRows(bidLevels, { ...grouping, side: "bid" }, fit);
    const shownAsks = ladderRows(askLevels, { ...grouping, side: "ask" }, fit);
    const scale = Math.max(shownBids.at(-1)?.total ?? 0, shownAsks.at(-1)?.total ?? 0);
    this.#fill(this.#asks, this.#rows.asks, shownAsks, scale);
    this.#fill(this.#bids, this.#rows.bids, shownBids, scale);
    this.#drawMiddle(shownBids, shownAsks);
    this.#drawBadge();
  }

  /** Looks at the best levels; gives the price increment, or what stands in its place. */
  #seeDecimals(): string {
    for (const levels of [this.#book?.topBids(ROWS_MAX), this.#book?.topAsks(ROWS_MAX)])
      for (const { priceText, sizeText } of levels ?? []) {
        this.#decimals.price.see(priceText);
        this.#decimals.size.see(sizeText);
      }
    return this.#decimals.price.incrementText(this.#market?.instrument.priceIncrementText);
  }

  #drawMiddle(bids: readonly LadderRow[], asks: readonly LadderRow[]): void {
    const { bid, ask } = this.#book?.bbo ?? {};
    const decimals = this.#decimals.price.of(this.#market?.instrument.priceIncrementText);
    if (bid === undefined || ask === undefined) setText(this.#mid, "–");
    else {
      const spread = ask.price - bid.price;
      const middle = (ask.price + bid.price) / 2;
      const bps = ((spread / middle) * 10_000).toFixed(2);
      setText(
        this.#mid,
        `${groupDigits(middleText(middle, decimals))}   spread ${groupDigits(spread.toFixed(decimals))} · ${bps} bp`,
      );
    }
    const share = bidShare(bids, asks);
    const bar = this.#share.firstElementChild as HTMLElement;
    bar.style.width = `${(share ?? 0.5) * 100}%`;
    const percent = share === undefined ? "–" : `${Math.round(share * 100)} %`;
    setText(this.#shareText, `bids ${percent} of the size shown`);
  }

  #drawBadge(): void {
    const book = this.#book;
    const state = this.#refused !== "" ? "refused" : (book?.state ?? "syncing");
    this.#badge.dataset["state"] = state;
    if (this.#refused !== "") setText(this.#badge, this.#refused);
    else setText(this.#badge, state === "live" ? `live #${book?.sequence ?? 0}` : state);
    this.element.dataset["sequence"] = String(book?.sequence ?? 0);
    this.element.classList.toggle("is-old", state !== "live");
    const words =
      "Every change continued the one before, by sequence; the venue's own proof is checked before it gets here.";
    this.#badge.title =
      state === "live" ? words : "The book is not shown as current until it is proven again.";
  }

  #fill(side: HTMLElement, rows: Row[], levels: readonly LadderRow[], scale: number): void {
    const { priceIncrementText, sizeIncrementText } = this.#market?.instrument ?? {};
    const decimals = this.#decimals.price.of(priceIncrementText);
    const sizeDecimals = this.#decimals.size.of(sizeIncrementText);
    const largest = Math.max(0, ...levels.map(({ size }) => size));
    while (rows.length < levels.length) {
      const row = createRow();
      rows.push(row);
      side.append(row.element);
    }
    for (const [index, row] of rows.entries()) {
      const level = levels[index];
      row.element.hidden = level === undefined;
      if (level === undefined) continue;
      setText(
        row.price,
        groupDigits(padDecimal(level.priceText, level.sizeText === undefined ? 0 : decimals)),
      );
      const size = level.sizeText ?? level.size.toFixed(Math.min(sizeDecimals, 8));
      setText(row.size, padDecimal(size, sizeDecimals));
      setText(row.total, totalText(level.total, sizeDecimals));
      row.bar.style.transform = `scaleX(${scale > 0 ? level.total / scale : 0})`;
      row.element.classList.toggle("is-large", level.size >= largest * 0.75);
    }
  }
}

/** Sums as long as sizes are, so that they stand below each other; large ones are short. */
function totalText(total: number, sizeDecimals: number): string {
  if (total >= 10_000) return compactText(total);
  return total.toFixed(total < 1 ? sizeDecimals : Math.min(sizeDecimals, 5));
}

/** The middle may lie between two prices: then it has a digit more than they have. */
function middleText(middle: number, decimals: number): string {
  const text = middle.toFixed(decimals + 1);
  return text.endsWith("0") ? middle.toFixed(decimals) : text;
}

function createRow() {
  const bar = el("i", { class: "depth", "aria-hidden": "true" });
  const price = el("span", { class: "num price" });
  const size = el("span", { class: "num" });
  const total = el("span", { class: "num muted" });
  return { element: el("div", { class: "row" }, bar, price, size, total), bar, price, size, total };
}
