import type { Mantissa } from "../../model/decimal.ts";
import type { TradeRow } from "../types.ts";
import { addWrapped } from "../wide-integers.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";

/** An id as a number behind a prefix. */
type NumberedId = {
  readonly prefix: string;
  readonly digits: number;
  readonly number: Mantissa;
};

/** Digits of the number where a prefix stands before it: what a double holds whatever they are. */
const TAIL_DIGITS_MAX = 15;
const DIGIT_0 = 48;
const ID_MAX = 2n ** 63n;
const CANONICAL_ID = /^(?:0|[1-9][0-9]{0,18})$/;
const TAIL = /[0-9]{1,15}$/;
/** Trades that a prefix has to last, to be worth the base that tells of it. */
const PREFIX_TRADES_MIN = 64;
const PREFIX_LENGTH_MAX = 64;

/**
 * The id as a number: a canonical integer below 2^63 without a prefix, anything else that ends in
 * digits with one. Undefined if it has to travel as text.
 */
export function splitTradeId(id: string): NumberedId | undefined {
  if (CANONICAL_ID.test(id)) {
    const number = Number(id);
    if (Number.isSafeInteger(number)) return { prefix: "", digits: 0, number };
    const wide = BigInt(id);
    if (wide < ID_MAX) return { prefix: "", digits: 0, number: wide };
  }
  const tail = TAIL.exec(id)?.[0];
  if (tail === undefined || id.length - tail.length > PREFIX_LENGTH_MAX) return undefined;
  const prefix = id.slice(0, -tail.length);
  const isPadded = tail.length === TAIL_DIGITS_MAX || (tail.length > 1 && tail.startsWith("0"));
  return { prefix, digits: isPadded ? tail.length : 0, number: Number(tail) };
}

/** The text of an id of form NUMBER. */
export function joinTradeId(prefix: string, digits: number, number: Mantissa): string {
  return prefix + String(number).padStart(digits, "0");
}

/** -1 if the text is not a canonical integer, or not a small one. */
export function smallId(text: string): number {
  const { length } = text;
  if (length === 0 || length > TAIL_DIGITS_MAX) return -1;
  let id = 0;
  for (let index = 0; index < length; index += 1) {
    const digit = text.charCodeAt(index) - DIGIT_0;
    if (!(digit >= 0 && digit <= 9)) return -1;
    id = id * 10 + digit;
  }
  return length > 1 && text.charCodeAt(0) === DIGIT_0 ? -1 : id;
}

/**
 * The number of the id in the state's form; undefined if the state's form does not give the text.
 */
function numberIn(state: ChainState, id: string): Mantissa | undefined {
  const { tradeIdPrefix, tradeIdDigits } = state;
  if (tradeIdPrefix === "" && tradeIdDigits === 0) {
    const small = smallId(id);
    if (small >= 0) return small;
    const split = splitTradeId(id);
    return split?.prefix === "" && split.digits === 0 ? split.number : undefined;
  }
  const tail = id.slice(tradeIdPrefix.length);
  if (!id.startsWith(tradeIdPrefix) || !/^[0-9]{1,15}$/.test(tail)) return undefined;
  const number = Number(tail);
  return joinTradeId(tradeIdPrefix, tradeIdDigits, number) === id ? number : undefined;
}

/**
 * Decides how the ids of a topic's trades travel. A topic goes from none over numbers to texts and
 * not back within an epoch, for a change costs a base.
 */
export class TradeIdPlan {
  /** Of the last call of `plan`, if the form is NUMBER: one for each of its rows, then old ones. */
  readonly numbers: Mantissa[] = [];
  #tradesOfForm = 0;

  /** Sets the form in the state; true if that is a change. Rows of the next batch are given. */
  plan(state: ChainState, rows: readonly TradeRow[]): boolean {
    const isChange = this.#fit(state, rows);
    this.#tradesOfForm = isChange ? rows.length : this.#tradesOfForm + rows.length;
    return isChange;
  }

  /** So many trades were written without a call of `plan`, in the form that the state has. */
  passed(trades: number): void {
    this.#tradesOfForm += trades;
  }

  #fit(state: ChainState, rows: readonly TradeRow[]): boolean {
    const first = rows[0];
    if (first === undefined || state.tradeIdForm === TradeIdForm.Text) return false;
    if (state.tradeIdForm === TradeIdForm.Number && this.#collect(state, rows)) return false;
    if (state.tradeIdForm === TradeIdForm.None && rows.every((row) => row.tradeId === "")) {
      return false;
    }
    const isEarly =
      state.tradeIdForm === TradeIdForm.Number && this.#tradesOfForm < PREFIX_TRADES_MIN;
    const split = isEarly ? undefined : splitTradeId(first.tradeId);
    if (split !== undefined) {
      state.tradeIdForm = TradeIdForm.Number;
      state.tradeIdPrefix = split.prefix;
      state.tradeIdDigits = split.digits;
      if (this.#collect(state, rows)) {
        state.tradeId = addWrapped(split.number, -1n);
        return true;
      }
    }
    state.tradeIdForm = TradeIdForm.Text;
    state.tradeIdPrefix = "";
    state.tradeIdDigits = 0;
    state.tradeId = 0;
    return true;
  }

  #collect(state: ChainState, rows: readonly TradeRow[]): boolean {
    const { numbers } = this;
    for (let index = 0; index < rows.length; index += 1) {
      const number = numberIn(state, (rows[index] as TradeRow).tradeId);
      if (number === undefined) return false;
      numbers[index] = number;
    }
    return true;
  }
}
