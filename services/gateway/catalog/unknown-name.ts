import type { Instrument } from "@tickwire/proto/service";
import type { Channel } from "#core/instrument.ts";
import { quotedText } from "#core/visible-text.ts";
import { nearestSymbols } from "./nearest-names.ts";
import type { NamedInstruments } from "./nearest-names.ts";

/**
 * What the gateway knows of a venue: all that it lists; something or nothing, and more is to come;
 * or that nobody publishes it.
 */
export type VenueStanding = "listed" | "not-ready" | "unknown";

/** What naming things asks of the catalog. */
export type NameIndex = NamedInstruments & {
  readonly venues: readonly string[];
  standingOf(venue: string): VenueStanding;
};

/** Why a name stands for nothing here. */
export type UnknownName =
  /** The list that it may be in has not arrived yet. */
  | { readonly kind: "not-ready"; readonly venue: string }
  | { readonly kind: "unknown-venue"; readonly venue: string }
  | { readonly kind: "unknown-symbol"; readonly venue: string; readonly symbol: string }
  | {
      readonly kind: "unknown-channel";
      readonly channel: string;
      /** What has no such channel, in words. */
      readonly of: string;
      readonly channels: readonly Channel[];
    };

/** The same for people, and for programs what there is instead. */
type UnknownNameText = {
  readonly message: string;
  /** The nearest first; a few at most. */
  readonly alternatives: readonly string[];
};

/** Venues that are named to somebody who asks for one that is unknown. */
const VENUES_NAMED_MAX = 20;

/** The instrument by Tickwire's symbol or the venue's own, or why there is none. */
export function findInstrument(
  catalog: NameIndex,
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
): { readonly kind: "found"; readonly instrument: Instrument } | UnknownName {
  const instrument = catalog.find(venue, symbol);
  if (instrument !== undefined) return { kind: "found", instrument };
  const standing = catalog.standingOf(venue);
  if (standing === "listed") return { kind: "unknown-symbol", venue, symbol };
  return { kind: standing === "unknown" ? "unknown-venue" : "not-ready", venue };
}

/** `suggests` false saves the search for the nearest symbols. */
export function explainUnknown(
  catalog: NameIndex,
  unknown: UnknownName,
  { suggests }: { readonly suggests: boolean },
): UnknownNameText {
  switch (unknown.kind) {
    case "not-ready": {
      const whose = unknown.venue === "*" ? "the venues" : quotedText(unknown.venue);
      const message = `what ${whose} can stream is not known yet; try again`;
      return { message, alternatives: [] };
    }
    case "unknown-venue": {
      const alternatives = catalog.venues.slice(0, VENUES_NAMED_MAX);
      const message = `there is no venue ${quotedText(unknown.venue)} here${listed(alternatives, "there is")}`;
      return { message, alternatives };
    }
    case "unknown-symbol": {
      const { venue, symbol } = unknown;
      const alternatives = suggests ? nearestSymbols(catalog, venue, symbol) : [];
      const where = venue === "*" ? "no venue has" : `${venue} has no`;
      const message = `${where} ${quotedText(symbol)} here${listed(alternatives, "the nearest is")}`;
      return { message, alternatives };
    }
    case "unknown-channel": {
      const { of, channel, channels } = unknown;
      const message = `${of} has no channel ${quotedText(channel)}${listed(channels, "there is")}`;
      return { message, alternatives: channels };
    }
  }
}

/** `; there are A, B`; nothing without names. */
function listed(names: readonly string[], verb: "there is" | "the nearest is"): string {
  if (names.length === 0) return "";
  return `; ${names.length === 1 ? verb : verb.replace(/is$/, "are")} ${names.join(", ")}`;
}
