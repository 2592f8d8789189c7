// What those who follow a venue are told when instruments come, go, are renamed or halted there, at
// every scripted venue, over real sockets.
import { afterEach, describe, expect, test } from "vitest";
import { FEED_POLICY_DEFAULTS } from "#ingest/feed/feed-policy.ts";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { DIALECTS } from "#test/support/dialects/registry.ts";
import { closeStands, Stand } from "#test/support/scripted-venue-stand.ts";

afterEach(closeStands);

const INTERVAL_MS = 600_000;
const { listDoubtMs, instrumentsHintMs } = FEED_POLICY_DEFAULTS;
/** Of what the venue tells by itself; its lists are not read again meanwhile. */
const NEVER_MS = 0;

/** At Hyperliquid one request answers with all that it has, whatever it is asked for by. */
const TOLD_APART = SCRIPTED_VENUE_IDS.filter((id) => id !== "hyperliquid");

/** What venues say of an instrument that cannot be traded for a while, each in its own way. */
const RESTING: ReadonlySet<string | undefined> = new Set(["halted", "cancel-only", "settling"]);

const TELLING = SCRIPTED_VENUE_IDS.filter((id) => DIALECTS[id].market !== undefined);
const TELLING_OF_WORK = TELLING.filter((id) => DIALECTS[id].market?.maintenanceFrame !== undefined);

/** `down delisted` of a channel, the last first. */
function lastOf(stand: Stand, base: string, channel: string): string {
  const told = stand.consumer.statuses(stand.symbol(base), channel).at(-1);
  return told === undefined ? "" : `${told.state} ${told.reason}`;
}

function lastListing(stand: Stand): string {
  return stand.consumer.listings.at(-1) ?? "";
}

function instrumentState(stand: Stand, base: string): string | undefined {
  return stand.consumer.statuses(stand.symbol(base), "status").at(-1)?.instrumentState;
}

/** Time goes on until the lists have been read once more. */
async function listAgain(stand: Stand, milliseconds: number, holds: () => boolean): Promise<void> {
  const step = 5_000;
  for (let passed = 0; passed < milliseconds * 1.3 && !holds(); passed += step) {
    stand.clock.advance(step);
    stand.venue.sendHeartbeat(stand.name("ETH"));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await stand.until(holds);
  // What is told of the list comes at the end of the turn.
  stand.clock.advance(1);
}

describe.each(SCRIPTED_VENUE_IDS)("%s", (id: ScriptedVenueId) => {
  test("an instrument that is listed later is followed, one that is delisted has ended", async () => {
    const stand = await Stand.startListing(id, INTERVAL_MS);
    stand.venue.list("XRP");
    stand.follow("XRP");
    const isListed = () => stand.consumer.listings.includes(`added ${stand.symbol("XRP")} listed`);
    await listAgain(stand, INTERVAL_MS, isListed);
    await stand.until(() => stand.isSubscribed("XRP"));
    await stand.makeLive(["XRP"]);
    const name = stand.name("SOL");
    stand.venue.delist(name);
    const hasEnded = () => lastOf(stand, "SOL", "status") === "down delisted";
    await listAgain(stand, INTERVAL_MS + listDoubtMs, hasEnded);
    expect(lastOf(stand, "SOL", "book")).toBe("down delisted");
    expect(lastOf(stand, "SOL", "trades")).toBe("down delisted");
    await stand.until(() => lastListing(stand) === `removed ${stand.symbol("SOL")} delisted`);
    await stand.makeLive(["BTC", "ETH", "XRP"]);
    expect(stand.consumer.missing).toEqual([]);
  }, 30_000);
});

test.each(TOLD_APART)(
  "an empty list of %s ends nothing",
  async (id) => {
    const stand = await Stand.startListing(id, INTERVAL_MS);
    const before = stand.consumer.listings.length;
    const asked = () => stand.venue.restRequests.length;
    stand.venue.listNothing(true);
    const first = asked();
    await listAgain(stand, INTERVAL_MS, () => asked() > first);
    stand.venue.listNothing(false);
    const second = asked();
    await listAgain(stand, listDoubtMs, () => asked() > second);
    await listAgain(stand, INTERVAL_MS, () => asked() > second + 1);
    expect(stand.consumer.listings).toHaveLength(before);
    await stand.makeLive();
  },
  30_000,
);

describe.each(TELLING)("%s tells by itself", (id: ScriptedVenueId) => {
  test("of a halt, an auction and their end, and of what has ended", async () => {
    const stand = await Stand.startListing(id, NEVER_MS);
    for (const state of ["halted", "auction", "trading"] as const) {
      if (!stand.venue.sayState(stand.name("ETH"), state)) continue;
      const isTold = () => {
        const told = instrumentState(stand, "ETH");
        return state === "halted" ? RESTING.has(told) : told === state;
      };
      await stand.untilWithoutTime(isTold);
      stand.clock.advance(1);
      await stand.until(() => lastListing(stand) === `changed ${stand.symbol("ETH")} state`);
    }
    stand.venue.sayState(stand.name("SOL"), "delisted");
    await stand.untilWithoutTime(() => lastOf(stand, "SOL", "status") === "down delisted");
    expect(lastOf(stand, "SOL", "book")).toBe("down delisted");
    await stand.makeLive(["BTC", "ETH"]);
    expect(stand.consumer.missing).toEqual([]);
  }, 30_000);

  test("of a listing, which is followed", async () => {
    const stand = await Stand.startListing(id, NEVER_MS);
    stand.venue.list("XRP");
    stand.follow("XRP");
    stand.venue.sayState(stand.name("XRP"), "listed");
    await listAgain(stand, instrumentsHintMs, () => stand.isSubscribed("XRP"));
    await stand.makeLive(["XRP"]);
    expect(stand.consumer.listings).toContain(`added ${stand.symbol("XRP")} listed`);
  }, 30_000);
});

test.each(TELLING_OF_WORK)(
  "%s tells by itself of its own work, on all that it has",
  async (id) => {
    const stand = await Stand.startListing(id, NEVER_MS);
    stand.venue.sayMaintenance(false);
    const bases = ["BTC", "ETH", "SOL"];
    const areAll = (state: string) => bases.every((base) => instrumentState(stand, base) === state);
    await stand.until(() => areAll("maintenance"));
    stand.venue.sayMaintenance(true);
    await stand.until(() => areAll("trading"));
    expect(stand.consumer.missing).toEqual([]);
  },
  30_000,
);

test("a renamed instrument ends under its old name and goes on under the new one", async () => {
  const stand = await Stand.startListing("binance", INTERVAL_MS);
  const old = stand.symbol("SOL");
  stand.venue.rename(stand.name("SOL"), "NEW");
  stand.follow("NEW");
  const listings = () => stand.consumer.listings.slice(3);
  const hasEnded = () => listings().some((text) => text.startsWith(`removed ${old}`));
  await listAgain(stand, INTERVAL_MS + listDoubtMs, hasEnded);
  expect(listings()).toEqual([`added ${stand.symbol("NEW")} listed`, `removed ${old} delisted`]);
  await stand.makeLive(["NEW"]);
}, 30_000);
