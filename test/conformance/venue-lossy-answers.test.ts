import { expect, test } from "vitest";
import { hasSummaries } from "#test/support/dialects/summaries.ts";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { createPrng } from "#test/support/prng.ts";
import { ExchangeStand } from "#test/support/scripted-exchange-stand.ts";
import { refusalsOf } from "./venue-faults-list.ts";

// 240 subscriptions at each venue, of which a twentieth of all requests to subscribe goes wrong
// for ever: four channels of 60 markets, or, where only books and trades are written for a venue,
// these of 120 markets.

const SUBSCRIPTIONS = 240;
const SEEDS = [3];
/** By then everything must be live, in manual time. */
const SECONDS_MAX = 420;
const STEP_SECONDS = 10;

/** Frames a second that venues take from one address, where their documents say so. */
const MESSAGES_PER_SECOND: Partial<Record<ScriptedVenueId, number>> = {
  coinbase: 100,
  "coinbase-advanced": 8,
  deribit: 10,
  hyperliquid: 33,
};

/** Connections at once that venues take from one address. */
const CONNECTIONS: Partial<Record<ScriptedVenueId, number>> = {
  deribit: 32,
  hyperliquid: 10,
  kucoin: 50,
};

/** Without those that begin the name of a quote asset. */
const LETTERS = "ACDEFHIJKLMNOPQRSVWY";

/** `QAA`, `QAC`, and so on: names that no venue spells in its own way. */
function basesOf(venue: ScriptedVenueId): readonly string[] {
  const letter = (value: number): string => LETTERS[value] ?? "";
  return Array.from(
    { length: SUBSCRIPTIONS / (hasSummaries(venue) ? 4 : 2) },
    (_, index) => `Q${letter(Math.floor(index / 20))}${letter(index % 20)}`,
  );
}

/** A stand whose answers go wrong as the seed says. */
function startLossy(venue: ScriptedVenueId, seed: number): ExchangeStand {
  const prng = createPrng(seed);
  const stand = new ExchangeStand({
    venue,
    bases: basesOf(venue),
    seed,
    withSummaries: true,
    random: () => prng.next(),
  });
  const { exchange } = stand;
  const canRefuse = refusalsOf(venue).length > 0;
  exchange.messagesPerSecondMax = MESSAGES_PER_SECOND[venue] ?? Infinity;
  exchange.connectionsMax = CONNECTIONS[venue] ?? Infinity;
  exchange.fateOf = () => {
    if (prng.chance(0.02)) return "request-lost";
    if (prng.chance(0.015)) return "answer-lost";
    return canRefuse && prng.chance(0.015) ? "refused-passing" : "answered";
  };
  return stand;
}

test.each(SEEDS.flatMap((seed) => SCRIPTED_VENUE_IDS.map((venue) => [venue, seed] as const)))(
  "at %s, seed %i: all are live in time, and none is that is not served",
  async (venue, seed) => {
    const stand = startLossy(venue, seed);
    const { exchange } = stand;
    await stand.start();
    const notLive = (): readonly string[] =>
      exchange.symbols.flatMap((symbol) =>
        stand.channels
          .filter(
            (channel) =>
              stand.told(stand.exchange.tickwireSymbolOf(symbol), channel).at(-1)?.state !== "live",
          )
          .map((channel) => `${channel} ${symbol}`),
      );
    const notServed = (): readonly string[] =>
      exchange.symbols.flatMap((symbol) =>
        stand.channels
          .filter((channel) => !exchange.isServed(symbol, channel))
          .map((channel) => `${channel} ${symbol}`),
      );
    while (stand.seconds < SECONDS_MAX && notLive().length + notServed().length > 0) {
      await stand.pass({ seconds: STEP_SECONDS, stepSeconds: STEP_SECONDS }, () => {
        for (const symbol of exchange.symbols) {
          exchange.sendDelta(symbol);
          exchange.sendTrade(symbol);
          exchange.sendSummaries(symbol);
        }
      });
    }
    expect([notLive(), notServed()]).toEqual([[], []]);
    expect(exchange.cuts).toBe(0);
    await stand.close();
  },
);
