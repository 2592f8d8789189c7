import type { Channel } from "#core/instrument.ts";

/**
 * How a subscription to a channel starts.
 * - `snapshot`: with the state at a sequence and every event since.
 * - `last`: with the latest batch, because each event replaces the one before.
 * - `none`: with what comes next, because there is no state.
 */
export type StartKind = "snapshot" | "last" | "none";

const START_KINDS: Readonly<Record<Channel, StartKind>> = {
  trades: "none",
  quotes: "last",
  book: "snapshot",
  candles: "snapshot",
  ticker: "last",
  funding: "last",
  "mark-price": "last",
  "open-interest": "last",
  liquidations: "none",
  status: "snapshot",
};

/** How a subscription to `channel` starts. */
export function startKindOf(channel: Channel): StartKind {
  return START_KINDS[channel];
}
