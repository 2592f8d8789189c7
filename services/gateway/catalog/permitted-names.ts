import { channelFromWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import type { Action } from "../access/access-file.ts";
import type { Principal } from "../access/principal.ts";
import type { NameIndex, UnknownName } from "./unknown-name.ts";

/** What somebody wants to do with what he names. */
type Asking = { readonly principal: Principal; readonly action: Action };

/**
 * The names that somebody may hear of when he asks for one that is unknown: those of what he may
 * have. Whether there are others is not to be seen.
 */
export function permittedNames(catalog: NameIndex, asking: Asking): NameIndex {
  const { principal, action } = asking;
  if (principal.overlapOf(action, { venue: "*", symbol: "*", channel: "*" }) === "all") {
    return catalog;
  }
  const mayName = (venue: string, symbol: string): boolean =>
    principal.overlapOf(action, { venue, symbol, channel: "*" }) !== "none";
  return {
    venues: catalog.venues.filter((venue) => mayName(venue, "*")),
    standingOf: (venue) => catalog.standingOf(venue),
    find: (venue, symbol) => {
      const found = catalog.find(venue, symbol);
      return found !== undefined && mayName(venue, found.symbol) ? found : undefined;
    },
    *instrumentsOf(venue) {
      for (const instrument of catalog.instrumentsOf(venue)) {
        if (mayName(venue, instrument.symbol)) yield instrument;
      }
    },
  };
}

/** The same answer without channels that he may not have. */
export function permittedAnswer(
  unknown: UnknownName,
  { principal, action }: Asking,
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
): UnknownName {
  if (unknown.kind !== "unknown-channel") return unknown;
  const channels = unknown.channels.filter(
    (channel) => principal.overlapOf(action, { venue, symbol, channel }) !== "none",
  );
  return { ...unknown, channels };
}

/** The instrument as somebody may see it: without channels that he may not have in any way. */
export function permittedInstrument(instrument: Instrument, principal: Principal): Instrument {
  const { venue, symbol } = instrument;
  const isPermitted = (channel: string): boolean =>
    principal.may("query", { venue, symbol, channel }) !== undefined ||
    principal.may("subscribe", { venue, symbol, channel }) !== undefined;
  const channels = instrument.channels.filter((name) => isPermitted(channelFromWire(name)));
  return channels.length === instrument.channels.length ? instrument : { ...instrument, channels };
}

/** Whether somebody may know of the instrument: he may have some channel of it. */
export function mayKnow(
  principal: Principal,
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
): boolean {
  const asked = { venue, symbol, channel: "*" };
  return (
    principal.overlapOf("subscribe", asked) !== "none" ||
    principal.overlapOf("query", asked) !== "none"
  );
}
