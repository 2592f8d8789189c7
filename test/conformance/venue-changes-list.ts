import { FEED_POLICY_DEFAULTS } from "#ingest/feed/feed-policy.ts";
import { DIALECTS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import type { ScriptedState } from "#test/support/dialects/dialect.ts";
import type { ScriptedExchange } from "#test/support/scripted-exchange.ts";
import type { Told } from "./venue-faults-list.ts";

type ToldText = { readonly text: string; readonly second: number };

/** What clients were told of a market that changed. */
export type ChangeOutcome = {
  readonly target: Told;
  /** Of the instrument, in the venue's topic `listings`. */
  readonly listings: readonly ToldText[];
  /** What one can do with the instrument, without a state that was told before. */
  readonly instrument: readonly ToldText[];
  /** A market that stays as it is. */
  readonly other: Told;
};

/** What a venue does with an instrument, which is no fault. */
export type VenueChange = {
  readonly name: string;
  /** For the document. */
  readonly description: string;
  readonly seconds: number;
  /** The base asset of the instrument that it is about. */
  readonly base: "BTC" | "XRP";
  /** What book and trades are told to be in the end. */
  readonly ends: "live" | "down";
  /** What is told of the instrument from the change on is one of these, in order. */
  readonly instrument: readonly RegExp[];
  /** The last of what `listings` says of it; undefined if it need not say anything. */
  readonly listing: string | undefined;
  isPossible(venue: ScriptedVenueId): boolean;
  begin(exchange: ScriptedExchange): void;
  end?(exchange: ScriptedExchange): void;
};

export const CHANGE_BEGINS_SECONDS = 30;
export const CHANGE_ENDS_SECONDS = 120;

/** The lists are read again after this, with what the test's seed adds to it. */
const LISTED_AGAIN_SECONDS = 700;
const DOUBT_SECONDS = FEED_POLICY_DEFAULTS.listDoubtMs / 1e3;

function targetOf(exchange: ScriptedExchange): string {
  return exchange.symbols[0] ?? "";
}

/** The venue says by itself that one instrument is in a state, for a while. */
function stateChange(state: "halted" | "auction", told: RegExp): VenueChange {
  return {
    name: state === "halted" ? "a halt" : "an auction",
    description: `The venue says by itself that the instrument is ${state === "halted" ? "halted" : "in an auction"}, from second ${CHANGE_BEGINS_SECONDS} to ${CHANGE_ENDS_SECONDS}. Venues that tell it in their lists only, or never, are not in this table.`,
    seconds: 200,
    base: "BTC",
    ends: "live",
    instrument: [told, /^trading$/],
    listing: "changed (state)",
    isPossible: (venue) => hasWordFor(venue, state),
    begin: (exchange) => exchange.sayState(targetOf(exchange), state),
    end: (exchange) => exchange.sayState(targetOf(exchange), "trading"),
  };
}

function hasWordFor(venue: ScriptedVenueId, state: ScriptedState): boolean {
  return DIALECTS[venue].market?.stateFrame("BTC-USD", state) !== undefined;
}

/** In the order of the document. */
export const VENUE_CHANGES: readonly VenueChange[] = [
  {
    name: "a listing",
    description: `An instrument is listed in second ${CHANGE_BEGINS_SECONDS}. Venues that have a channel for it say so by themselves; the lists of the others are read again every ten minutes.`,
    seconds: LISTED_AGAIN_SECONDS,
    base: "XRP",
    ends: "live",
    instrument: [],
    listing: "added (listed)",
    isPossible: () => true,
    begin: (exchange) => exchange.sayState(exchange.list("XRP"), "listed"),
  },
  {
    name: "a delisting",
    description: `The instrument goes from the venue's list in second ${CHANGE_BEGINS_SECONDS}, and nothing more is sent of it. What is missing from a list must be missing twice, unless the venue says by itself that it ended.`,
    seconds: LISTED_AGAIN_SECONDS + 2 * DOUBT_SECONDS,
    base: "BTC",
    ends: "down",
    instrument: [],
    listing: "removed (delisted)",
    isPossible: () => true,
    begin: (exchange) => {
      const target = targetOf(exchange);
      exchange.delist(target);
      exchange.sayState(target, "delisted");
    },
  },
  stateChange("halted", /^(halted|cancel-only|settling)$/),
  stateChange("auction", /^auction$/),
  {
    name: "maintenance",
    description: `The venue says that it works on its systems, from second ${CHANGE_BEGINS_SECONDS} to ${CHANGE_ENDS_SECONDS}. It concerns every instrument.`,
    seconds: 200,
    base: "BTC",
    ends: "live",
    instrument: [/^maintenance$/, /^trading$/],
    listing: "changed (state)",
    isPossible: (venue) => DIALECTS[venue].market?.maintenanceFrame !== undefined,
    begin: (exchange) => exchange.sayMaintenance(false),
    end: (exchange) => exchange.sayMaintenance(true),
  },
];
