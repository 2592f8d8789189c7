import type { Funding, Liquidation, MarkPrice, OpenInterest, Subscription } from "@tickwire/client";
import { bestQuotes } from "../market/best-quotes.ts";
import { isDerivedVenue } from "../market/derived-venues.ts";
import type { Market } from "../market/market-rows.ts";
import { VenueQuotes, type BestPrices } from "../market/venue-quotes.ts";
import {
  compactText,
  decimalsOf,
  durationText,
  groupDigits,
  padDecimal,
  percentText,
} from "../market/number-text.ts";
import { el, panel, setText } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

const VENUES_MAX = 40;
/** At the limit the oldest go. */
const LIQUIDATIONS_MAX = 8;

/** What a derivative has besides, and who else trades the same pair, the best prices marked. */
export class VenuesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #fee = el("input", {
    type: "number",
    min: "0",
    max: "5",
    step: "0.01",
    "aria-label": "Fee of a trade in percent",
  });
  readonly #facts = el("dl", { class: "facts" });
  readonly #quotes = el("tbody");
  readonly #best = el("p", { class: "muted" });
  readonly #forced = el("ul", { class: "forced", "aria-label": "Liquidations" });
  readonly #liquidations: Liquidation[] = [];
  readonly drawIntervalMs = 250;
  /** Who trades the same pair, of so many markets. */
  #same: readonly Market[] = [];
  #sameOf = "";
  readonly #prices = new VenueQuotes(() => this.#context.redraw());
  readonly #total = createRow();
  readonly #rows: ReturnType<typeof createRow>[] = [];
  #market: Market | undefined;
  #subscriptions: Subscription[] = [];
  #funding: Funding | undefined;
  #mark: MarkPrice | undefined;
  #openInterest: OpenInterest | undefined;
  #hasForced = true;

  constructor(context: Context) {
    this.#context = context;
    this.#fee.addEventListener("change", () => {
      const feePercent = this.#fee.valueAsNumber;
      if (feePercent >= 0 && feePercent <= 5) context.change({ feePercent });
    });
    const fee = el("label", { class: "fee" }, "fee ", this.#fee, " %");
    const { element, body } = panel("venues", "Other venues", fee);
    const names = ["Venue", "Bid", "Ask"].map((text, index) =>
      el("th", { scope: "col", class: index === 0 ? "" : "num" }, text),
    );
    body.append(
      this.#facts,
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...names)),
        this.#quotes,
        el("tfoot", {}, this.#total.element),
      ),
      this.#best,
      this.#forced,
    );
    body.tabIndex = 0;
    this.element = element;
  }

  show(market: Market): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#market = market;
    this.#funding = undefined;
    this.#mark = undefined;
    this.#openInterest = undefined;
    this.#liquidations.length = 0;
    this.#hasForced = true;
    this.#facts.classList.toggle("is-long", market.instrument.kind !== "spot");
    const { client, redraw } = this.#context;
    const { topic, instrument } = market;
    const has = new Set(instrument.channels);
    const options = { conflationIntervalMs: 500, onError: () => redraw() };
    this.#subscriptions = [
      ...(has.has("funding")
        ? [
            client.onFunding(
              topic,
              (event) => {
                this.#funding = event;
                redraw();
              },
              options,
            ),
          ]
        : []),
      ...(has.has("mark-price")
        ? [
            client.onMarkPrice(
              topic,
              (event) => {
                this.#mark = event;
                redraw();
              },
              options,
            ),
          ]
        : []),
      ...(has.has("open-interest")
        ? [
            client.onOpenInterest(
              topic,
              (event) => {
                this.#openInterest = event;
                redraw();
              },
              options,
            ),
          ]
        : []),
      ...(has.has("liquidations")
        ? [
            client.onLiquidations(topic, (event) => this.#onLiquidation(event), {
              onError: () => redraw(),
            }),
          ]
        : []),
    ];
  }

  draw(): void {
    const fee = String(this.#context.view().feePercent);
    // While somebody types, what is typed stands.
    if (!this.#fee.matches(":focus") && this.#fee.value !== fee) this.#fee.value = fee;
    if (this.#market === undefined) return;
    this.#drawFacts(this.#market);
    this.#drawLiquidations(this.#market);
    this.#drawQuotes(this.#market);
  }

  #onLiquidation(event: Liquidation): void {
    this.#liquidations.unshift(event);
    this.#liquidations.length = Math.min(this.#liquidations.length, LIQUIDATIONS_MAX);
    this.#hasForced = true;
    this.#context.redraw();
  }

  /** Who was closed out lately: sold if the position was a long one. */
  #drawLiquidations({ instrument }: Market): void {
    if (this.#hasForced) {
      this.#hasForced = false;
      const decimals = decimalsOf(instrument.priceIncrementText);
      const rows = this.#liquidations.map(({ aggressorSide, sizeText, priceText }) => {
        const isSale = aggressorSide === "seller";
        const price = groupDigits(padDecimal(priceText, decimals));
        const what = `${isSale ? "▼ long closed" : "▲ short closed"}: ${sizeText} at ${price}`;
        const words = el("span", { "data-sign": isSale ? "down" : "up" }, what);
        return el("li", { class: "num" }, words, el("small"));
      });
      this.#forced.replaceChildren(...rows);
    }
    // How long ago it was changes by itself.
    for (const [index, { receivedTimeUs }] of this.#liquidations.entries()) {
      const ago = durationText(this.#context.nowMs() - receivedTimeUs / 1_000);
      const place = this.#forced.children[index]?.lastElementChild;
      if (place) setText(place, `${ago} ago`);
    }
  }

  #drawFacts({ instrument }: Market): void {
    const decimals = decimalsOf(instrument.priceIncrementText);
    const price = (text: string): string => groupDigits(padDecimal(text, decimals));
    const facts: [string, string][] = [];
    if (this.#funding !== undefined) {
      const { rate, nextFundingTimeUs } = this.#funding;
      const next =
        nextFundingTimeUs === undefined
          ? ""
          : ` in ${durationText(nextFundingTimeUs / 1_000 - this.#context.nowMs())}`;
      facts.push(["Funding", `${percentText(rate, 4)}${next}`]);
    }
    if (this.#mark !== undefined) {
      facts.push(["Mark", price(this.#mark.markPriceText)]);
      if (this.#mark.indexPriceText !== undefined)
        facts.push(["Index", price(this.#mark.indexPriceText)]);
    }
    if (this.#openInterest !== undefined)
      facts.push(["Open interest", compactText(this.#openInterest.openInterest)]);
    if (facts.length === 0)
      facts.push(
        ["Kind", instrument.kind ?? "unknown"],
        ["Price step", instrument.priceIncrementText ?? "–"],
        ["Size step", instrument.sizeIncrementText ?? "–"],
      );
    const shown = this.#facts.children;
    if (shown.length !== facts.length)
      this.#facts.replaceChildren(
        ...facts.map(() => el("div", {}, el("dt"), el("dd", { class: "num" }))),
      );
    for (const [index, [name, value]] of facts.entries()) {
      const [dt, dd] = shown[index]!.children;
      setText(dt!, name);
      setText(dd!, value);
    }
  }

  /** The same base and quote asset and kind only: a dollar and a token of it are not the same. */
  #findSame({ topic, instrument }: Market): void {
    const { markets } = this.#context;
    const key = `${topic} ${markets.size}`;
    if (key === this.#sameOf) return;
    this.#sameOf = key;
    const { base, quote, kind } = instrument;
    this.#same = [...markets.values()]
      .filter(({ topic: other, instrument: one }) => {
        const isSame = one.base === base && one.quote === quote && one.kind === kind;
        const hasPrices = one.channels.includes("quotes") || one.channels.includes("ticker");
        // What is made of other venues has no prices of its own.
        return isSame && (other === topic || (hasPrices && !isDerivedVenue(one.venue)));
      })
      .slice(0, VENUES_MAX);
  }

  #drawQuotes(market: Market): void {
    this.#findSame(market);
    const { markets } = this.#context;
    const same = this.#same.map((one) => markets.get(one.topic) ?? one);
    this.#prices.follow(this.#context.client, same);
    const quotes = same.map((one) => ({ topic: one.topic, ...this.#prices.pricesOf(one) }));
    const feeShare = this.#context.view().feePercent / 100;
    // A crossed quote is wrong, and one of a feed that is not live may be old: neither is offered.
    const asides = same.map((one) => this.#prices.asideReasonOf(one));
    const usable = quotes.filter((_, index) => asides[index] === undefined);
    const best = bestQuotes(usable, feeShare);
    while (this.#rows.length < same.length) {
      const row = createRow();
      this.#rows.push(row);
      this.#quotes.append(row.element);
    }
    for (const [index, row] of this.#rows.entries()) {
      const one = same[index];
      row.element.hidden = one === undefined;
      if (one === undefined) continue;
      const aside = asides[index];
      setText(
        row.name,
        aside === undefined ? one.instrument.venue : `${one.instrument.venue} (${aside})`,
      );
      row.name.className = aside === undefined ? "" : "muted";
      const { topic } = one;
      const decimals = decimalsOf(one.instrument.priceIncrementText);
      setText(row.bid, priceText(quotes[index]!.bidPriceText, decimals));
      setText(row.ask, priceText(quotes[index]!.askPriceText, decimals));
      const hasOthers = same.length > 1;
      row.bid.className = hasOthers && best.bidTopics.has(topic) ? "num best" : "num";
      row.ask.className = hasOthers && best.askTopics.has(topic) ? "num best" : "num";
    }
    this.#drawTotal(best, usable, same.length);
    this.#drawBest(best.profitShare, feeShare, same.length);
  }

  /** The best bid and offer over all, as one market would have them. */
  #drawTotal(
    { bidTopics, askTopics }: ReturnType<typeof bestQuotes>,
    quotes: readonly (BestPrices & { readonly topic: string })[],
    count: number,
  ): void {
    const { name, bid, ask, element } = this.#total;
    element.hidden = count < 2;
    const decimals = decimalsOf(this.#market?.instrument.priceIncrementText);
    const bidText = quotes.find(({ topic }) => bidTopics.has(topic))?.bidPriceText;
    const askText = quotes.find(({ topic }) => askTopics.has(topic))?.askPriceText;
    setText(name, "best of all");
    setText(bid, priceText(bidText, decimals));
    setText(ask, priceText(askText, decimals));
  }

  #drawBest(profitShare: number | undefined, feeShare: number, count: number): void {
    const fees = `fees of ${percentText(feeShare).replace("+", "")} each`;
    const isProfit = profitShare !== undefined && profitShare > 0 && count > 1;
    const text = isProfit
      ? `Bought at the best ask and sold at the best bid: ${percentText(profitShare, 3)} after ${fees}.`
      : `No profit between venues after ${fees}.`;
    this.#best.className = isProfit ? "profit" : "muted";
    setText(this.#best, count > 1 ? text : "No other venue here has this pair.");
  }
}

function priceText(price: string | undefined, decimals: number | undefined): string {
  return price === undefined ? "–" : groupDigits(padDecimal(price, decimals));
}

function createRow() {
  const [name, bid, ask] = [el("td"), el("td", { class: "num" }), el("td", { class: "num" })];
  return { element: el("tr", {}, name, bid, ask), name, bid, ask };
}
