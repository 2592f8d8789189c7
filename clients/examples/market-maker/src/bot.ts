import { Account } from "./account.ts";
import { PaperExchange, type Side } from "./paper-exchange.ts";
import { Strategy, type StrategyOptions } from "./strategy.ts";
import type { Tick } from "./tick.ts";
import { formatTime, formatUnits, type Scales, type Units } from "./units.ts";

export type BotOptions = {
  readonly scales: Scales;
  readonly strategy: StrategyOptions;
  readonly orderSize: Units;
  readonly feeBasisPoints: number;
  /** The bot ends trading for good when it has lost so much, in whole units of the quote asset. */
  readonly lossMax: number;
  /** It does not quote on news that is older than this compared with the news before. */
  readonly pauseUsMax: number;
  /** Ticks from here on, and before that, count. */
  readonly startUs: number;
  readonly stopUs: number;
  /** Gets each decision as a line. */
  readonly log: (line: string) => void;
};

const SIDES: readonly Side[] = ["bid", "ask"];

/** Trades on paper: ticks in, decisions out. The same ticks give the same lines. */
export class Bot {
  readonly #options: BotOptions;
  readonly #strategy: Strategy;
  readonly #exchange = new PaperExchange();
  readonly #account: Account;
  #lastTimeUs: number | undefined;
  #halted = false;
  #over = false;

  constructor(options: BotOptions) {
    this.#options = options;
    this.#strategy = new Strategy(options.strategy);
    this.#account = new Account(options.feeBasisPoints);
  }

  /** Whether the time to trade is over. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Takes the next tick. */
  onTick(tick: Tick): void {
    const { startUs, stopUs, pauseUsMax } = this.#options;
    if (tick.timeUs < startUs || this.#over) return;
    if (tick.timeUs >= stopUs) {
      this.finish();
      return;
    }
    const lastUs = this.#lastTimeUs ?? tick.timeUs;
    this.#lastTimeUs = tick.timeUs;
    if (tick.timeUs - lastUs > pauseUsMax) this.onBreak("no news for too long");
    for (const fill of this.#exchange.onTick(tick)) {
      this.#account.onFill(fill);
      const size = formatUnits(fill.size, this.#options.scales.size);
      this.#say(tick.timeUs, `fill ${fill.side} ${size} @ ${this.#price(fill.price)}`);
    }
    this.#checkLoss(tick.timeUs);
    const wanted = this.#strategy.onTick(tick, this.#account.position);
    if (!this.#halted) for (const side of SIDES) this.#quote(side, wanted[side], tick.timeUs);
  }

  /** Events are missing: nothing is quoted before the market is known again. */
  onBreak(reason: string): void {
    const timeUs = this.#lastTimeUs;
    if (timeUs === undefined || this.#over) return;
    this.#strategy.onBreak();
    this.#say(timeUs, `break ${reason}`);
    for (const side of SIDES) this.#quote(side, undefined, timeUs);
  }

  /** Ends trading and says what came of it. Idempotent. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    const { stopUs, scales } = this.#options;
    const { position, fills, fees } = this.#account;
    const held = formatUnits(position, scales.size);
    const result = `${fills} fills, position ${held}, fees ${this.#cash(fees)}`;
    this.#say(stopUs, `end ${result}, profit ${this.#cash(this.#profit())}`);
  }

  #quote(side: Side, wanted: Units | undefined, timeUs: number): void {
    const now = this.#exchange.priceOf(side);
    if (wanted === undefined) {
      if (now === undefined) return;
      this.#exchange.cancel(side);
      this.#say(timeUs, `cancel ${side}`);
      return;
    }
    const price = this.#exchange.passivePrice(side, wanted);
    if (price === now) return;
    const { orderSize, scales } = this.#options;
    this.#exchange.place(side, price, orderSize);
    const size = formatUnits(orderSize, scales.size);
    this.#say(timeUs, `place ${side} ${size} @ ${this.#price(price)}`);
  }

  /** Who has lost too much sells what it has, at once and for good. */
  #checkLoss(timeUs: number): void {
    if (this.#halted) return;
    const { lossMax, scales } = this.#options;
    const limit = BigInt(Math.round(lossMax)) * 10n ** BigInt(scales.price + scales.size);
    const profit = this.#profit();
    if (profit > -limit) return;
    this.#halted = true;
    this.#say(timeUs, `halt after a loss of ${this.#cash(-profit)}`);
    for (const side of SIDES) this.#quote(side, undefined, timeUs);
    const { position } = this.#account;
    const mid = Math.floor((this.#exchange.doubleMid ?? 0) / 2);
    if (position === 0) return;
    const side = position > 0 ? "ask" : "bid";
    const size = Math.abs(position);
    this.#account.onFill({ side, price: mid, size });
    this.#say(timeUs, `close ${formatUnits(size, scales.size)} @ ${this.#price(mid)}`);
  }

  #profit(): bigint {
    return this.#account.profit(this.#exchange.doubleMid ?? 0);
  }

  #price(units: Units): string {
    return formatUnits(units, this.#options.scales.price);
  }

  #cash(units: bigint): string {
    const { price, size } = this.#options.scales;
    return formatUnits(units, price + size);
  }

  #say(timeUs: number, text: string): void {
    this.#options.log(`${formatTime(timeUs)} ${text}`);
  }
}
