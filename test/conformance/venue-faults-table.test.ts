import { afterEach, describe, expect, test } from "vitest";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { ExchangeStand } from "#test/support/scripted-exchange-stand.ts";
import {
  refusalsOf,
  VENUE_FAULTS,
  type FaultOutcome,
  type VenueFault,
} from "./venue-faults-list.ts";
import { venueFaultsDocument } from "./venue-faults-document.ts";

const stands: ExchangeStand[] = [];

afterEach(async () => {
  for (const stand of stands.splice(0)) await stand.close();
});

/** By the fault's name and the venue. */
const outcomes = new Map<VenueFault, Map<ScriptedVenueId, FaultOutcome>>();

/** Lets a fault happen to BTC of a venue, and says what its clients were told. */
async function outcomeOf(fault: VenueFault, venue: ScriptedVenueId): Promise<FaultOutcome> {
  const stand = new ExchangeStand({ venue });
  stands.push(stand);
  const [target = "", other = ""] = stand.exchange.symbols;
  fault.prepare({ stand, target });
  await stand.start();
  await stand.pass(fault, () => {
    stand.exchange.sendDelta(other);
    stand.exchange.sendTrade(other);
    if (fault.isBookQuiet?.(stand.seconds) !== true) stand.exchange.sendDelta(target);
    stand.exchange.sendTrade(target);
  });
  const told = (symbol: string) => ({
    book: stand.told(symbol, "book"),
    trades: stand.told(symbol, "trades"),
  });
  return {
    target: told(target),
    other: told(other),
    isServed: {
      book: stand.exchange.isServed(target, "book"),
      trades: stand.exchange.isServed(target, "trades"),
    },
  };
}

describe.each(VENUE_FAULTS)("$name", (fault) => {
  const venues = SCRIPTED_VENUE_IDS.filter((venue) => fault.isPossible(venue));

  test.each(venues)(
    "at %s: clients are told what is so, and the others notice nothing",
    async (venue) => {
      const outcome = await outcomeOf(fault, venue);
      const ofFault = outcomes.get(fault) ?? new Map<ScriptedVenueId, FaultOutcome>();
      outcomes.set(fault, ofFault.set(venue, outcome));
      for (const channel of ["book", "trades"] as const) {
        const last = outcome.target[channel].at(-1);
        expect([channel, last?.state]).toEqual([channel, fault.ends]);
        // Nothing is told to be live that is not served.
        expect(last?.state !== "live" || outcome.isServed[channel]).toBe(true);
        // A lost message may cost every book of a connection its proof, but no subscription.
        const ofOther = outcome.other[channel].map(({ state }) => state);
        expect(ofOther.at(-1)).toBe("live");
        expect(ofOther.filter((state) => state === "down" || state === "stale")).toEqual([]);
      }
    },
  );
});

test("every venue words its refusals, but for those that have no answer to a request", () => {
  const wordless = SCRIPTED_VENUE_IDS.filter((venue) => refusalsOf(venue).length === 0);
  expect([...wordless].toSorted()).toEqual(["bithumb", "gemini-v2", "upbit"]);
});

test("docs/venue-faults.md says what came of it", async () => {
  await expect(venueFaultsDocument(outcomes)).toMatchFileSnapshot("../../docs/venue-faults.md");
});
