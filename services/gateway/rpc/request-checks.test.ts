import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { ANYBODY } from "#test/support/principals.ts";
import type { Catalog } from "../catalog/catalog.ts";
import {
  requireAtMost,
  requireChannel,
  requireInstrument,
  requireVenue,
} from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";

const KNOWN = { venue: "fake", symbol: "A-USD", venueSymbol: "AUSD", base: "A" } as Instrument;
const catalog = {
  find: (venue: string, symbol: string) =>
    venue === "fake" && [KNOWN.symbol, KNOWN.venueSymbol].includes(symbol) ? KNOWN : undefined,
  venues: ["fake"],
  instrumentsOf: () => [KNOWN],
  standingOf: (venue: string) =>
    venue === "fake" ? "listed" : venue === "late" ? "not-ready" : "unknown",
} as unknown as Catalog;

describe("the instrument of a request", () => {
  test.each(["A-USD", "AUSD"])("is found by our symbol or the venue's: %s", (symbol) => {
    expect(requireInstrument(catalog, { venue: "fake", symbol }, ANYBODY)).toBe(KNOWN);
  });

  test.each([
    ["", "A-USD", "invalid_argument", "venue is empty"],
    ["fake", "", "invalid_argument", "symbol is empty"],
    ["fake", "C-EUR", "not_found", "fake has no C-EUR here"],
    ["other", "A-USD", "not_found", "there is no venue other here; there is fake"],
    ["late", "A-USD", "unavailable", "what late can stream is not known yet; try again"],
  ])("%j %j is %s: %s", (venue, symbol, code, message) => {
    expect(() => requireInstrument(catalog, { venue, symbol }, ANYBODY)).toThrow(
      expect.objectContaining({ code, message }),
    );
  });
});

test.each([
  ["B-USD", "UNKNOWN_SYMBOL", { alternatives: "A-USD" }],
  ["C-EUR", "UNKNOWN_SYMBOL", { alternatives: "" }],
])("the error of %s has the nearest symbols", (symbol, reason, metadata) => {
  const error = thrownBy(() => requireInstrument(catalog, { venue: "fake", symbol }, ANYBODY));
  expect(error.detail).toEqual({ reason, metadata });
});

test("a venue whose list has not arrived may be asked for again", () => {
  const error = thrownBy(() => requireVenue(catalog, "late", ANYBODY));
  expect(error).toMatchObject({ code: "unavailable" });
  expect(error.detail).toEqual({ reason: "NOT_READY", retryAfterMs: 1_000 });
  expect(thrownBy(() => requireVenue(catalog, "other", ANYBODY)).detail).toEqual({
    reason: "UNKNOWN_VENUE",
    metadata: { alternatives: "fake" },
  });
});

function thrownBy(act: () => unknown): RpcError {
  try {
    act();
  } catch (error) {
    if (error instanceof RpcError) return error;
  }
  throw new Error("nothing was thrown");
}

test("a number above its limit is refused with both", () => {
  expect(() => requireAtMost("limit", 10, 10)).not.toThrow();
  expect(() => requireAtMost("limit", 11, 10)).toThrow("limit 11 exceeds 10");
});

test("a channel that the instrument does not have is not found, and those that it has are named", () => {
  const instrument = { ...KNOWN, channels: ["CHANNEL_TRADES"] } as Instrument;
  expect(() => requireChannel(instrument, "trades", ANYBODY)).not.toThrow();
  expect(thrownBy(() => requireChannel(instrument, "candles", ANYBODY))).toMatchObject({
    code: "not_found",
    message: "fake:A-USD has no channel candles; there are trades, status",
    detail: { reason: "UNKNOWN_CHANNEL", metadata: { alternatives: "trades status" } },
  });
});
