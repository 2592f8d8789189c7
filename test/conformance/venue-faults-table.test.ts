import { afterEach, describe, expect, test } from "vitest";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { ExchangeStand } from "#test/support/scripted-exchange-stand.ts";
import {
  refusalsOf,
  VENUE_FAULTS,
  type FaultOutcome,
  type VenueFault,
} from "./venue-faults-list.ts";
import {
  CHANGE_BEGINS_SECONDS,
  CHANGE_ENDS_SECONDS,
  VENUE_CHANGES,
  type ChangeOutcome,
  type VenueChange,
} from "./venue-changes-list.ts";
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
  const told = (symbol: string) => {
    const name = stand.exchange.tickwireSymbolOf(symbol);
    return { book: stand.told(name, "book"), trades: stand.told(name, "trades") };
  };
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

const changes = new Map<VenueChange, Map<ScriptedVenueId, ChangeOutcome>>();

const STEP_SECONDS = 10;

/** Lets a venue change its list, and says what its clients were told. */
async function outcomeOfChange(
  change: VenueChange,
  venue: ScriptedVenueId,
): Promise<ChangeOutcome> {
  const stand = new ExchangeStand({ venue });
  stands.push(stand);
  const { exchange } = stand;
  const names = new Map(exchange.symbols.map((each) => [each, exchange.tickwireSymbolOf(each)]));
  const [first = "", other = ""] = exchange.symbols;
  await stand.start();
  await stand.pass({ seconds: change.seconds, stepSeconds: STEP_SECONDS }, () => {
    if (stand.seconds === CHANGE_BEGINS_SECONDS) change.begin(exchange);
    if (stand.seconds === CHANGE_ENDS_SECONDS) change.end?.(exchange);
    for (const symbol of exchange.symbols) {
      exchange.sendDelta(symbol);
      exchange.sendTrade(symbol);
    }
  });
  const target = change.base === "BTC" ? first : (exchange.symbols.at(-1) ?? "");
  const tickwireSymbol = names.get(target) ?? exchange.tickwireSymbolOf(target);
  const told = (symbol: string) => ({
    book: stand.told(symbol, "book"),
    trades: stand.told(symbol, "trades"),
  });
  return {
    target: told(tickwireSymbol),
    listings: stand.toldListings(tickwireSymbol),
    instrument: stand.toldInstrumentStates(tickwireSymbol),
    other: told(names.get(other) ?? ""),
  };
}

describe.each(VENUE_CHANGES)("$name", (change) => {
  const venues = SCRIPTED_VENUE_IDS.filter((venue) => change.isPossible(venue));

  test.each(venues)("at %s: clients are told of it", async (venue) => {
    const outcome = await outcomeOfChange(change, venue);
    const ofChange = changes.get(change) ?? new Map<ScriptedVenueId, ChangeOutcome>();
    changes.set(change, ofChange.set(venue, outcome));
    for (const channel of ["book", "trades"] as const) {
      expect([channel, outcome.target[channel].at(-1)?.state]).toEqual([channel, change.ends]);
      expect([channel, outcome.other[channel].at(-1)?.state]).toEqual([channel, "live"]);
    }
    const isSince = ({ second }: { readonly second: number }) => second >= CHANGE_BEGINS_SECONDS;
    expect(outcome.listings.findLast(isSince)?.text).toBe(change.listing);
    if (change.instrument.length === 0) return;
    const states = outcome.instrument.filter(isSince).map(({ text }) => text);
    expect(states).toEqual(change.instrument.map((each) => expect.stringMatching(each)));
  });
});

test("every venue words its refusals, but for those that have no answer to a request", () => {
  const wordless = SCRIPTED_VENUE_IDS.filter((venue) => refusalsOf(venue).length === 0);
  expect([...wordless].toSorted()).toEqual(["bithumb", "gemini-v2", "upbit"]);
});

test("docs/venue-faults.md says what came of it", async () => {
  await expect(venueFaultsDocument(outcomes, changes)).toMatchFileSnapshot(
    "../../docs/venue-faults.md",
  );
});
