import type { JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { sideOf } from "./fields.ts";

/** What a message does to its table. */
export type LevelAction = "partial" | "insert" | "update" | "delete";

/** Levels of one book whose price is remembered. A message has to tell the price of all others. */
const LEVELS_MAX = 50_000;

/** The levels of one message as price and size, and when the venue says that it happened. */
type LevelRows = {
  readonly bids: readonly (readonly [JsonText, JsonText])[];
  readonly asks: readonly (readonly [JsonText, JsonText])[];
  readonly venueTimeUs: number | undefined;
};

/**
 * The prices of one book's levels by their id. Every message has had the price since 2023; before,
 * only those that begin a level did, and the id named it from then on.
 */
export class BitmexLevels {
  readonly #prices = new Map<string, JsonText>();
  #begun = false;

  /** The levels that a message sets, or why it cannot be used. */
  apply(action: LevelAction, rows: readonly TextRecord[]): LevelRows | RejectReason {
    if (action === "partial") {
      this.#prices.clear();
      this.#begun = true;
    }
    const bids: [JsonText, JsonText][] = [];
    const asks: [JsonText, JsonText][] = [];
    let time: string | undefined;
    for (const row of rows) {
      const { id, timestamp } = row;
      const side = sideOf(row["side"]);
      const price = this.#priceOf(action, id, row["price"]);
      const size = action === "delete" ? "0" : row["size"];
      if (side === undefined || side === "none" || size === undefined) return "missing-field";
      // What comes before the partial is of no use to anybody.
      if (price === undefined && !this.#begun) continue;
      // A level that nobody told of: its beginning was lost.
      if (price === undefined) return action === "partial" ? "missing-field" : "missing-data";
      if (typeof timestamp === "string" && (time === undefined || timestamp > time)) {
        time = timestamp;
      }
      (side === "buyer" ? bids : asks).push([price, size]);
    }
    const venueTimeUs = parseIsoTimeUs(time);
    return { bids, asks, venueTimeUs };
  }

  /** What a row tells that has its price. */
  remember(id: string, price: JsonText): void {
    if (this.#prices.get(id) === price) return;
    if (this.#hasRoomFor(id)) this.#prices.set(id, price);
  }

  /** A level is gone. */
  forget(id: string): void {
    this.#prices.delete(id);
  }

  #priceOf(
    action: LevelAction,
    id: JsonText | undefined,
    price: JsonText | undefined,
  ): JsonText | undefined {
    const isGiven = price !== undefined && price !== null;
    if (typeof id !== "string") return isGiven ? price : undefined;
    const known = isGiven ? price : this.#prices.get(id);
    if (action === "delete") this.forget(id);
    else if (known !== undefined) this.remember(id, known);
    return known;
  }

  #hasRoomFor(id: string): boolean {
    return this.#prices.size < LEVELS_MAX || this.#prices.has(id);
  }
}
