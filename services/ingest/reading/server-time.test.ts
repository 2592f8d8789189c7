import { expect, test } from "vitest";
import type { FeedAdapter } from "../feed/feed-adapter.ts";
import { VENUES } from "../venues/registry.ts";
import type { VenueId } from "../venues/venue-ids.ts";

// Bodies as the venues document them.
const CLOCKS: readonly (readonly [VenueId, string, number])[] = [
  ["binance", '{"serverTime":1767323045010}', 1_767_323_045_010_000],
  ["binance-coinm", '{"serverTime":1767323045010}', 1_767_323_045_010_000],
  ["binance-usdm", '{"serverTime":1767323045010}', 1_767_323_045_010_000],
  ["coinbase", '{"iso":"2026-01-02T03:04:05.010Z","epoch":1767323045.01}', 1_767_323_045_010_000],
  [
    "kraken",
    '{"error":[],"result":{"unixtime":1767323045,"rfc1123":"Fri,  2 Jan 26 03:04:05 +0000"}}',
    1_767_323_045_000_000,
  ],
];

test.each(CLOCKS)("%s tells its clock by REST", (id, body, timeUs) => {
  const adapter: FeedAdapter = VENUES[id];
  expect(adapter.parseServerTimeUs?.(body)).toBe(timeUs);
  const request = adapter.serverTimeRequest?.(adapter.endpoints);
  expect(request?.url).toMatch(new RegExp(`^${adapter.endpoints.rest}/.*time$`, "i"));
});

test("what is no clock is told as none, at every venue that has one", () => {
  for (const adapter of Object.values(VENUES) as readonly FeedAdapter[]) {
    for (const body of [
      "",
      "{",
      "{}",
      "[]",
      "null",
      "5",
      '{"error":["EGeneral:Internal error"]}',
    ]) {
      expect([adapter.venue, body, adapter.parseServerTimeUs?.(body)]).toEqual([
        adapter.venue,
        body,
        undefined,
      ]);
    }
  }
});

test("a venue that is asked for its clock can read the answer", () => {
  for (const adapter of Object.values(VENUES) as readonly FeedAdapter[]) {
    const asks = adapter.serverTimeRequest !== undefined;
    expect([adapter.venue, asks]).toEqual([adapter.venue, adapter.parseServerTimeUs !== undefined]);
  }
});
