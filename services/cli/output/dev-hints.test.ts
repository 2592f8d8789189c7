import { expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { ingestConfig } from "#ingest/config.ts";
import { exampleOfCaptures, exampleOfVenue, hints } from "./dev-hints.ts";

const AT = { url: "http://127.0.0.1:8080/", adminUrl: "http://127.0.0.1:9092/" };

type Venue = {
  readonly id: "simulated" | "binance" | "kraken";
  readonly instruments?: string[];
  readonly channels?: Exclude<Channel, "status">[];
};

function commandsOf(venue: Venue): string[] {
  const [config] = ingestConfig({ venues: [venue] }).venues;
  return hints(AT, exampleOfVenue(config)).filter((line) => line.startsWith("  npx"));
}

test.each<[string, Venue, string[]]>([
  [
    "the simulated venue",
    { id: "simulated" },
    [
      "subscribe 'simulated:BTC-USD/trades' --count 5",
      "subscribe 'simulated:*/quotes' --json --count 5",
      `call GetSnapshot '{"venue":"simulated","symbol":"BTC-USD","depth":5}'`,
    ],
  ],
  [
    "a venue's own symbol",
    { id: "binance", instruments: ["BTCUSDT"] },
    [
      "subscribe 'binance:BTC-USDT/trades' --count 5",
      "subscribe 'binance:*/quotes' --json --count 5",
      `call GetSnapshot '{"venue":"binance","symbol":"BTC-USDT","depth":5}'`,
    ],
  ],
  [
    "a symbol that nobody can read",
    { id: "kraken", instruments: ["it's"] },
    [
      "subscribe 'kraken:*/trades' --count 5",
      "subscribe 'kraken:*/quotes' --json --count 5",
      `call ListInstruments '{"venue":"kraken"}'`,
    ],
  ],
  [
    "channels without trades and books",
    { id: "simulated", instruments: ["ETH-USD"], channels: ["candles"] },
    [
      "subscribe 'simulated:ETH-USD/candles' --count 5",
      "subscribe 'simulated:*/candles' --json --count 5",
      `call GetInstrument '{"venue":"simulated","symbol":"ETH-USD"}'`,
    ],
  ],
])("the hints ask only for what is streamed: %s", (_, venue, commands) => {
  expect(commandsOf(venue)).toEqual(commands.map((command) => `  npx tickwire ${command}`));
});

test("the hints name the gateway's address where it is not the usual one", () => {
  const at = { ...AT, url: "https://127.0.0.1:9000/market/" };
  const commands = hints(at, exampleOfVenue(undefined)).filter((line) => line.startsWith("  npx"));
  expect(commands).toHaveLength(3);
  for (const command of commands) expect(command).toContain(" --url https://127.0.0.1:9000/market");
});

test("of captures, a stream with trades is the example", () => {
  const stream = (venue: string, symbol: string, channels: readonly Channel[]) => ({
    venue,
    streams: [{ instrument: { venue, symbol } as Instrument, channels, candleIntervalsMs: [] }],
  });
  const captures = [stream("kraken", "ADA-USD", ["book"]), stream("okx", "BTC-USDT", ["trades"])];
  expect(exampleOfCaptures(captures)).toEqual({
    venue: "okx",
    symbol: "BTC-USDT",
    channels: ["trades"],
  });
  const nothing = hints(AT, exampleOfCaptures([{ venue: "okx", streams: [] }])).join("\n");
  expect(nothing).not.toContain("subscribe");
  expect(nothing).toContain(`call ListInstruments '{"venue":"okx"}'`);
});
