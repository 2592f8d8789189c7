import { Command } from "commander";
import { expect, test } from "vitest";
import { UsageError } from "./errors.ts";
import { addUrlOption, httpAddress, webSocketAddress } from "./gateway-address.ts";
import { parseVenue } from "./venue-options.ts";

test.each([
  ["ws://a:1", "http://a:1", "ws://a:1"],
  ["http://a:1/", "http://a:1", "ws://a:1"],
  ["wss://a", "https://a", "wss://a"],
  ["https://a/v1/ws", "https://a", "wss://a/v1/ws"],
  ["https://a/md", "https://a/md", "wss://a/md"],
  ["https://a/md/", "https://a/md", "wss://a/md/"],
  ["wss://a/md/v1/ws", "https://a/md", "wss://a/md/v1/ws"],
  ["https://a/md/?x=1#y", "https://a/md", "wss://a/md/"],
  ["ws://[::1]:1", "http://[::1]:1", "ws://[::1]:1"],
])("%s is %s for calls and %s for streams", (text, http, webSocket) => {
  expect([httpAddress(text), webSocketAddress(text)]).toEqual([http, webSocket]);
});

test.each(["", "default", "a:1", "ftp://a", "ws://", "localhost:8080"])(
  "%j is no gateway",
  (text) => {
    expect(() => httpAddress(text)).toThrow(UsageError);
  },
);

test("--url is the local gateway unless it is given", () => {
  const command = addUrlOption(new Command());
  expect(command.opts()).toEqual({ url: "http://127.0.0.1:8080" });
  expect(command.parse(["--url", "wss://a"], { from: "user" }).opts()).toEqual({ url: "wss://a" });
});

test.each([
  ["binance", { id: "binance" }],
  ["binance:BTC-USDT", { id: "binance", instruments: ["BTC-USDT"] }],
  ["kraken:BTC/USD,ETH/USD,", { id: "kraken", instruments: ["BTC/USD", "ETH/USD"] }],
])("the venue %s", (text, expected) => {
  expect(parseVenue(text)).toEqual(expected);
});

test.each(["", ":", ":X", "binance:", "binance:,"])("%j is no venue", (text) => {
  expect(() => parseVenue(text)).toThrow(UsageError);
});
