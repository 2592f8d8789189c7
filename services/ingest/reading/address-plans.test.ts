import { expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { planByAddress } from "./address-plans.ts";
import { spotPair } from "./listed-instruments.ts";

const CHANNELS: readonly Channel[] = ["trades", "book", "quotes", "funding"];
const ADDRESSES = new Map<Channel, string>([
  ["trades", "wss://a"],
  ["book", "wss://b"],
  ["quotes", "wss://a"],
]);

test("each address has connections of its own, and what has no address is left out", () => {
  const wanted = ["X", "Y", "Z"]
    .map((base) => spotPair("somewhere", base, { base, quote: "USD" }))
    .flatMap((each) => CHANNELS.map((channel) => ({ instrument: each, channel })));
  const plans = planByAddress(wanted, ({ channel }) => ADDRESSES.get(channel), 4);
  const named = plans.map(({ url, subscriptions }) => [
    url,
    subscriptions.map((each) => `${each.instrument.venueSymbol} ${each.channel}`),
  ]);
  expect(named).toEqual([
    ["wss://a", ["X trades", "X quotes", "Y trades", "Y quotes"]],
    ["wss://a", ["Z trades", "Z quotes"]],
    ["wss://b", ["X book", "Y book", "Z book"]],
  ]);
});
