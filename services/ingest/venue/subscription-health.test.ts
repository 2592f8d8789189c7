import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { watch } from "../feed/connection/watched-subscription.ts";
import { healthOf, unservedVenues } from "./subscription-health.ts";

const expected = {
  silenceMsMax: undefined,
  isAlwaysSpoken: false,
  firstDataMsMax: undefined,
  doubtMs: undefined,
};

test.each([
  [{ state: "live" }, ""],
  [{ state: "doubted" }, ""],
  [{ state: "pending" }, "the venue has not answered the subscription yet"],
  [{ state: "pending", asks: 2 }, "the venue does not answer the subscription; asked for 3 times"],
  [{ state: "acknowledged" }, "confirmed by the venue; its first data is awaited"],
  [
    { state: "unserved", recoveries: 1 },
    "confirmed by the venue, which sends nothing of it; asked for anew once",
  ],
  [{ state: "stale", lastDataUs: 5e6 }, "silent for 60 s, asked for anew 0 times"],
  [
    { state: "stale", lastDataUs: 5e6, isProvenDead: true, recoveries: 2 },
    "silent for 60 s, though the venue's REST has news; asked for anew 2 times",
  ],
  [
    { state: "waiting", refusals: 1, refusal: "busy" },
    "refused for the moment (busy), once; it is asked for again",
  ],
  [
    { state: "refused", refusal: "60018 unknown" },
    "refused by the venue (60018 unknown); see whether it still lists the instrument",
  ],
  [{ state: "down" }, "there is no connection to the venue"],
] as const)("what is said of %j: %s", (about, trouble) => {
  const subscription = { instrument: fakeInstrument("A"), channel: "trades" } as const;
  const watched = Object.assign(watch(subscription, expected), about);
  expect(healthOf(watched, 65e6)).toEqual({
    symbol: "A",
    channel: "trades",
    state: about.state,
    trouble,
  });
});

test.each([
  [0, 0, []],
  [2, 2, []],
  [1, 2, []],
  [0, 1, ["kraken: 0 of 1 subscriptions served"]],
  [1, 3, ["kraken: 1 of 3 subscriptions served"]],
])("%i of %i subscriptions served", (served, count, reasons) => {
  const subscriptions = Array.from({ length: count }, (_, index) => ({
    symbol: "A",
    channel: "trades" as const,
    state: "live",
    trouble: index < served ? "" : "refused",
  }));
  expect(unservedVenues([{ venue: "kraken", subscriptions }])).toEqual(reasons);
});
