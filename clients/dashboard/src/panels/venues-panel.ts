import type { Funding, Liquidation, MarkPrice, OpenInterest, Subscription } from "@tickwire/client";
import { bestQuotes } from "../market/best-quotes.ts";
import type { FeedState } from "../market/feed-health.ts";
import type { Market } from "../market/market-rows.ts";
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
const LIQUIDATIONS_MAX = 20;

/** What a derivative has besides, and who else trades the same pair, the best prices marked. */
export class VenuesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #stateOf: (venue: string) => FeedState | undefined;
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
  readonly #liquidations: Liquidation[] = [];
  #market: Market | undefined;
  #subscriptions: Subscription[] = [];
  #funding: Funding | undefined;
  #mark: MarkPrice | undefined;
  #openInterest: OpenInterest | undefined;

  /** `stateOf` tells the worst state of a venue's topics, as far as it is known. */
  constructor(context: Context, stateOf: (venue: string) => FeedState | undefined) {
    this.#context = context;
    this.#stateOf = stateOf;
    this.#fee.addEventListener("change", () => {
      const feePercent = this.#fee.valueAsNumber;
      if (feePercent >= 0 && feePercent <= 5) context.change({ feePercent });
    });
    const fee = el("label", { class: "fee" }, "fee ", this.#fee, " %");
    const { element, body } = panel("venues", "Other venues", fee);
    const names = ["Market", "Bid", "Ask"].map((text) => el("th", { scope: "col" }, text));
    body.append(
      this.#facts,
      el("table", {}, el("thead", {}, el("tr", {}, ...names)), this.#quotes),
      this.#best,
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
    const { client, redraw } = this.#context;
    const { topic, instrument } = market;
    const has = new Set(instrument.channels);
    const options = { conflationIntervalMs: 500, onError: redraw };
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
        ? [client.onLiquidations(topic, (event) => this.#onLiquidation(event), { onError: redraw })]
        : []),
    ];
  }

  draw(): void {
    const fee = String(this.#context.view().feePercent);
    // While somebody types, what is typed stands.
    if (!this.#fee.matches(":focus") && this.#fee.value !== fee) this.#fee.value = fee;
    if (this.#market === undefined) return;
    this.#drawFacts(this.#market);
    this.#drawQuotes(this.#market);
  }

  /** Why a venue's quote is not compared with the others. */
  #asideReason(quote: {
    readonly topic: string;
    readonly bidPrice: number | undefined;
    readonly askPrice: number | undefined;
  }): string | undefined {
    const { topic, bidPrice, askPrice } = quote;
    const state = this.#stateOf(topic.slice(0, topic.indexOf(":")));
    if (state !== undefined && state !== "live" && state !== "syncing") return state;
    const isCrossed = bidPrice !== undefined && askPrice !== undefined && bidPrice > askPrice;
    return isCrossed ? "crossed" : undefined;
  }

  #onLiquidation(event: Liquidation): void {
    this.#liquidations.unshift(event);
    this.#liquidations.length = Math.min(this.#liquidations.length, LIQUIDATIONS_MAX);
    this.#context.redraw();
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
    const last = this.#liquidations[0];
    if (last !== undefined)
      facts.push(["Last liquidation", `${last.sizeText} @ ${price(last.priceText)}`]);
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
  #drawQuotes({ instrument }: Market): void {
    const { base, quote, kind } = instrument;
    const same = [...this.#context.markets.values()]
      .filter(
        (one) =>
          one.instrument.base === base &&
          one.instrument.quote === quote &&
          one.instrument.kind === kind,
      )
      .slice(0, VENUES_MAX);
    const quotes = same.map(({ topic, ticker }) => ({
      topic,
      bidPrice: ticker?.bidPrice,
      askPrice: ticker?.askPrice,
    }));
    const feeShare = this.#context.view().feePercent / 100;
    // A crossed quote is wrong, and one of a feed that is not live may be old: neither is offered.
    const usable = quotes.filter((quote) => this.#asideReason(quote) === undefined);
    const { bidTopics, askTopics, profitShare } = bestQuotes(usable, feeShare);
    const aside = new Map(quotes.map((quote) => [quote.topic, this.#asideReason(quote)]));
    this.#quotes.replaceChildren(
      ...same.map(({ topic, ticker, instrument: one }) => {
        const decimals = decimalsOf(one.priceIncrementText);
        const cell = (text: string | undefined, isBest: boolean) =>
          el(
            "td",
            { class: isBest && same.length > 1 ? "num best" : "num" },
            text === undefined ? "–" : groupDigits(padDecimal(text, decimals)),
          );
        return el(
          "tr",
          {},
          aside.get(topic) === undefined
            ? el("td", {}, topic)
            : el("td", { class: "muted", title: "not compared" }, `${topic} (${aside.get(topic)})`),
          cell(ticker?.bidPriceText, bidTopics.has(topic)),
          cell(ticker?.askPriceText, askTopics.has(topic)),
        );
      }),
    );
    const fees = `fees of ${percentText(feeShare).replace("+", "")} each`;
    const text =
      profitShare !== undefined && profitShare > 0 && same.length > 1
        ? `Bought at the best ask and sold at the best bid: ${percentText(profitShare, 3)} after ${fees}.`
        : `No profit between venues after ${fees}.`;
    setText(this.#best, same.length > 1 ? text : "No other venue here has this pair.");
  }
}
