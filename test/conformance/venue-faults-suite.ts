import { canonicalDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { DIALECTS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { BASES, type Outcome, Stand, STEP_MS } from "#test/support/scripted-venue-stand.ts";

const OTHERS = { moving: ["ETH", "SOL"], heard: "SOL" };
/** What one resync looks like to a consumer, and how nothing looks. */
const RESYNCED = ["gap", "resyncing", "live"];
const SILENCE_MS_DEFAULT = 60_000;

/**
 * What goes wrong with a feed, for one venue: the real ingestor against the scripted venue. What is
 * expected follows from what the adapter says of its books (`bookProof`, `bookSync`), so that a
 * venue has these tests by being registered.
 */
export function describeVenueFaults(id: ScriptedVenueId): void {
  const { bookProof, bookSync } = VENUES[id];
  describe(`${id}, whose books are proven by ${bookProof.order} and ${bookProof.content}`, () => {
    describeHealth(id);
    describeOrder(id);
    describeContent(id);
    describeSilence(id);
    describeConnection(id);
    describeMissedTrades(id);
    if (DIALECTS[id].refusesByName === true) describeRefusal(id);
    if (bookSync.snapshot === "rest") describeRest(id);
    else describeSnapshotsOnTheConnection(id);
  });
}

/** The books that have to be started anew when something of BTC's was lost. */
function doubtful(id: ScriptedVenueId): readonly string[] {
  switch (VENUES[id].bookProof.order) {
    case "sequence":
    case "checksum":
      return ["BTC"];
    case "connection-sequence":
      return BASES;
    case "snapshots":
    case "none":
      return [];
  }
}

/** True if numbers in the messages show at least that one came twice or late. */
function isNumbered(id: ScriptedVenueId): boolean {
  const { bookProof, bookSync } = VENUES[id];
  return bookSync.sequencing !== undefined || bookProof.order !== "none";
}

/**
 * Breaks a book in a way that shows: a change is lost or, where numbers only rise, told twice.
 */
function breakBook(stand: Stand, id: ScriptedVenueId, base: string): void {
  const isLossSeen = VENUES[id].bookProof.order !== "none";
  stand.venue.sendDelta(stand.name(base), isLossSeen ? "drop" : "duplicate");
  stand.venue.sendDelta(stand.name(base));
}

/** Each of these books was started once more, and nothing else happened to anybody. */
function resyncOf(bases: readonly string[]) {
  return {
    starts: BASES.map((base) => (bases.includes(base) ? 1 : 0)),
    states: BASES.map((base) => (bases.includes(base) ? RESYNCED : [])),
    missing: [],
  };
}

function describeHealth(id: ScriptedVenueId): void {
  test("without faults every book is the venue's and every trade arrives as it was", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    const seen = BASES.map((base) => stand.consumer.trades(stand.symbol(base)).length);
    const sent: string[][] = BASES.map(() => []);
    for (let round = 0; round < 5; round++) {
      for (const [index, base] of BASES.entries()) {
        const { price, size, aggressorSide } = stand.venue.sendTrade(stand.name(base));
        const texts = [canonicalDecimal(price), canonicalDecimal(size), aggressorSide];
        sent[index]?.push(texts.join(" "));
      }
    }
    const arrived = () =>
      BASES.map((base, index) => stand.consumer.trades(stand.symbol(base)).slice(seen[index]));
    await stand.until(() => arrived().every((trades) => trades.length >= 5));
    expect(arrived()).toEqual(sent);
    expect(await stand.outcome(before)).toEqual(resyncOf([]));
    expect(Object.values(stand.counters()?.rejected ?? {}).filter((count) => count > 0)).toEqual(
      [],
    );
  });
}

function describeOrder(id: ScriptedVenueId): void {
  if (doubtful(id).length > 0) describeProvenOrder(id);
  else if (VENUES[id].bookProof.order === "snapshots") describeSelfRepair(id);
  else describeUnprovenOrder(id);
  describeRepetition(id);
}

function describeProvenOrder(id: ScriptedVenueId): void {
  test("a dropped change costs exactly one resync of each book that it makes doubtful", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    stand.venue.sendDelta(stand.name("BTC"));
    expect(await stand.outcome(before)).toEqual(resyncOf(doubtful(id)));
    expect(stand.counters()?.resyncs).toBe(doubtful(id).length);
  });

  test("two changes in the wrong order cost exactly one resync", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendReordered(stand.name("BTC"));
    expect(await stand.outcome(before)).toEqual(resyncOf(doubtful(id)));
    expect(stand.counters()?.resyncs).toBe(doubtful(id).length);
  });
}

function describeSelfRepair(id: ScriptedVenueId): void {
  test("what was dropped or reordered is repaired by the next message", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.untilEqual("BTC");
    stand.venue.sendReordered(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"));
    expect(await stand.outcome(before)).toEqual(resyncOf([]));
  });
}

function describeUnprovenOrder(id: ScriptedVenueId): void {
  test("nothing shows what was dropped, until the book begins anew", async () => {
    const stand = await Stand.start(id);
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    if (!isNumbered(id)) stand.venue.sendReordered(stand.name("BTC"));
    const before = stand.starts();
    stand.venue.disconnect();
    await stand.until(() => BASES.every((base) => !stand.isLive(base)));
    await stand.until(() => BASES.every((base) => stand.isSubscribed(base)));
    await stand.makeLive(VENUES[id].bookSync.snapshot === "rest" ? BASES : []);
    const { starts, missing } = await stand.outcome(before);
    expect(starts).toEqual(BASES.map(() => 1));
    expect(missing).toEqual([]);
  });
}

function describeRepetition(id: ScriptedVenueId): void {
  test(`a repeated change ${isNumbered(id) ? "costs at most one resync" : "changes nothing"}`, async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "duplicate");
    const { missing, starts } = await stand.outcome(before);
    expect(missing).toEqual([]);
    const allowed = isNumbered(id) ? ["BTC", ...doubtful(id)] : [];
    for (const [index, base] of BASES.entries()) {
      expect(starts[index]).toBeLessThanOrEqual(allowed.includes(base) ? 1 : 0);
    }
  });
}

function describeContent(id: ScriptedVenueId): void {
  const { bookProof } = VENUES[id];

  test("a damaged message costs at most one resync of what it was about", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "damage");
    await stand.until(() => rejections(stand) > 0);
    // Where numbers show the hole, they do so with the next message.
    stand.venue.sendDelta(stand.name("BTC"));
    const outcome = await stand.outcome(before);
    expect(outcome).toEqual(resyncOf(costOfDamage(id, outcome)));
    expect(stand.counters()?.rejected["bad-json"]).toBe(1);
  });

  const hasWrongChecksum = DIALECTS[id].withWrongChecksum !== undefined;
  test("checksums are tried where they are declared", () => {
    expect(hasWrongChecksum).toBe(bookProof.content === "checksum");
  });
  if (hasWrongChecksum) describeWrongChecksum(id);
}

/** The books that a damaged message about BTC may cost; the outcome says which of two it was. */
function costOfDamage(id: ScriptedVenueId, { starts }: Outcome): readonly string[] {
  const isTraced = starts[1] === 0;
  switch (VENUES[id].bookProof.order) {
    case "sequence":
      return ["BTC"];
    case "connection-sequence":
      // What is left of it may say whose it was, and that nothing else is missing.
      return isTraced ? ["BTC"] : BASES;
    case "checksum":
    case "none":
      return DIALECTS[id].namesAtEnd === true ? BASES : ["BTC"];
    case "snapshots":
      // The whole book that follows repairs it, whether or not it was noticed.
      return starts[0] === 1 ? ["BTC"] : [];
  }
}

function describeWrongChecksum(id: ScriptedVenueId): void {
  test("a wrong checksum costs exactly one resync", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "wrong-checksum");
    await stand.until(() => stand.counters()?.checksumsFailed === 1);
    expect(await stand.outcome(before)).toEqual(resyncOf(["BTC"]));
    expect(stand.counters()).toMatchObject({ checksumsFailed: 1, resyncs: 1 });
  });
}

function describeSilence(id: ScriptedVenueId): void {
  test("a subscription that hangs while pings are answered is stale, and renewed by itself", async () => {
    const own = VENUES[id].limits.silenceMsMax.book;
    const silenceMs = own ?? SILENCE_MS_DEFAULT;
    const stand = await Stand.prepare(id);
    await stand.connect(BASES, own === undefined ? { book: silenceMs } : {});
    const before = stand.starts();
    const connections = stand.venue.connectionCount;
    stand.venue.hang(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.pass({ milliseconds: silenceMs - STEP_MS, ...OTHERS });
    // Where the venue's REST has the book, it shows sooner that ours is another one.
    const isShown = own !== undefined && stand.isProbed("BTC");
    expect(stand.states("BTC").slice(0, 1)).toEqual(isShown ? ["stale"] : []);
    // The venue is asked first where it can be.
    await stand.pass({ milliseconds: Math.max(silenceMs / 2, 3 * STEP_MS), ...OTHERS });
    expect(stand.states("BTC")[0]).toBe("stale");
    await stand.pass({ milliseconds: silenceMs, ...OTHERS });
    await stand.until(() => !stand.venue.isHanging(stand.name("BTC")));
    stand.venue.sendDelta(stand.name("BTC"));
    const { starts, states, missing } = await stand.outcome(before);
    const isTogether = DIALECTS[id].renewsTogether === true;
    const disturbed = isTogether ? [] : starts.slice(1).filter((times) => times !== 0);
    expect(disturbed).toEqual([]);
    expect(states.slice(1)).toEqual([[], []]);
    expect(missing).toEqual([]);
    expect(stand.venue.connectionCount).toBe(connections);
  });

  test("how long a book may be silent can be set", async () => {
    const stand = await Stand.prepare(id);
    await stand.connect(BASES, { book: 20_000 });
    stand.venue.hang(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.pass({ milliseconds: 20_000 - STEP_MS, ...OTHERS });
    expect(stand.states("BTC")).toEqual([]);
    await stand.pass({ milliseconds: 2 * STEP_MS, ...OTHERS });
    expect(stand.states("BTC")).toEqual(["stale"]);
  });
}

function describeConnection(id: ScriptedVenueId): void {
  test("a lost connection takes its books down and starts each of them once", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.disconnect();
    await stand.until(() => BASES.every((base) => stand.states(base).includes("down")));
    await stand.until(() => BASES.every((base) => stand.isSubscribed(base)));
    await stand.makeLive();
    const { starts, states, missing } = await stand.outcome(before);
    expect(starts).toEqual(BASES.map(() => 1));
    for (const each of states) {
      expect([each[0], each.at(-1)]).toEqual(["down", "live"]);
      expect(each).not.toContain("gap");
    }
    expect(missing).toEqual([]);
  });
}

function describeMissedTrades(id: ScriptedVenueId): void {
  const fills = DIALECTS[id].listsTrades === true;
  const outcome = fills ? "fetched, once and in order" : "said to be missing";

  test("trades are listed by REST where the ingestor asks for them", () => {
    const adapter: FeedAdapter = VENUES[id];
    expect(fills).toBe(adapter.tradesRequest !== undefined);
  });

  test(`trades made while the connection was away are ${outcome}`, async () => {
    const stand = await Stand.start(id);
    const symbol = stand.symbol("BTC");
    const seen = stand.consumer.trades(symbol).length;
    const sent: string[] = [];
    const trade = (): void => {
      const { price, size, aggressorSide } = stand.venue.sendTrade(stand.name("BTC"));
      sent.push([canonicalDecimal(price), canonicalDecimal(size), aggressorSide].join(" "));
    };
    const arrived = (): readonly string[] => stand.consumer.trades(symbol).slice(seen);
    trade();
    await stand.until(() => arrived().length === 1);
    stand.venue.disconnect();
    await stand.until(() => stand.states("BTC").includes("down"));
    for (let missed = 0; missed < 3; missed++) trade();
    await stand.until(() => BASES.every((base) => stand.isSubscribed(base)));
    await stand.makeLive();
    trade();
    await stand.until(() => arrived().at(-1) === sent.at(-1));
    const isFilled = stand.consumer.tradeGaps(symbol) === 0;
    expect([isFilled, arrived()]).toEqual([fills, fills ? sent : [sent[0], sent[4]]]);
    expect(stand.consumer.missing).toEqual([]);
  });
}

function describeRefusal(id: ScriptedVenueId): void {
  test("a refused symbol is down and costs the others nothing", async () => {
    const stand = await Stand.prepare(id);
    stand.venue.refuse(stand.name("SOL"));
    const live = ["BTC", "ETH"];
    await stand.connect(live);
    await stand.makeLive(live);
    expect(stand.isSubscribed("SOL")).toBe(false);
    expect(stand.consumer.state(stand.symbol("SOL"))).toBe("down refused");
    expect(stand.counters()?.refusals).toBeGreaterThan(0);
    expect(stand.consumer.missing).toEqual([]);
  });
}

function describeSnapshotsOnTheConnection(id: ScriptedVenueId): void {
  const { bookProof } = VENUES[id];
  const repairsItself = bookProof.order === "snapshots";

  test("a damaged first snapshot is asked for again", async () => {
    const stand = await Stand.prepare(id);
    stand.venue.damageNextSnapshot(stand.name("BTC"));
    await stand.connect();
    const [btc = 0, ...others] = stand.starts();
    expect(btc === 2 || repairsItself).toBe(true);
    const most = sharesLosses(id) ? 2 : 1;
    for (const count of others) expect(count).toBeLessThanOrEqual(most);
    expect(stand.consumer.state(stand.symbol("BTC"))).toBe("live synchronized");
    expect(stand.consumer.missing).toEqual([]);
  });

  if (!repairsItself) describeDamagedResync(id);
}

/** True where a message that cannot be read may cost every book of its connection. */
function sharesLosses(id: ScriptedVenueId): boolean {
  const isShared = VENUES[id].bookProof.order === "connection-sequence";
  return isShared || DIALECTS[id].namesAtEnd === true;
}

function describeDamagedResync(id: ScriptedVenueId): void {
  test("a damaged snapshot in a resync is asked for again", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.damageNextSnapshot(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"), "damage");
    await stand.until(() => rejections(stand) > 0);
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.until(() => (stand.counters()?.rejected["bad-json"] ?? 0) >= 2);
    await stand.pass({ milliseconds: 20_000, ...OTHERS });
    const { starts, states, missing } = await stand.outcome(before);
    expect(starts[0]).toBe(2);
    expect([states[0]?.at(0), states[0]?.at(-1)]).toEqual(["gap", "live"]);
    expect(sharesLosses(id) || states.slice(1).every((each) => each.length === 0)).toBe(true);
    expect(missing).toEqual([]);
  });
}

function describeRest(id: ScriptedVenueId): void {
  /** Breaks the book of BTC, with the snapshots that follow answered by this. */
  async function breakBtc(fault: { status: number; retryAfterSeconds?: number }): Promise<Stand> {
    const stand = await Stand.start(id);
    stand.venue.failSnapshots({ ...fault, times: 1 });
    breakBook(stand, id, "BTC");
    return stand;
  }

  test.each([
    { status: 429, retryAfterSeconds: 7, pauseMs: 7_000 },
    { status: 418, retryAfterSeconds: 180, pauseMs: 180_000 },
    { status: 418, pauseMs: 120_000 },
  ])("REST answers $status, and nothing is asked before $pauseMs ms are over", async (limit) => {
    const { pauseMs, ...fault } = limit;
    const stand = await breakBtc(fault);
    const before = stand.starts();
    const name = fault.status === 418 ? "banned" : "rateLimited";
    await stand.untilWithoutTime(() => stand.counters()?.[name] === 1);
    const asked = stand.venue.snapshotRequests();
    // Another book breaks meanwhile: it has to wait as well.
    breakBook(stand, id, "ETH");
    await stand.untilWithoutTime(() => stand.states("ETH").at(-1) === "resyncing");
    await stand.pass({ milliseconds: pauseMs - 1, moving: BASES, heard: "SOL" });
    expect(stand.venue.snapshotRequests()).toBe(asked);
    expect(stand.states("BTC")).toEqual(["gap", "resyncing"]);
    stand.clock.advance(1);
    expect(await stand.outcome(before)).toEqual(resyncOf(["BTC", "ETH"]));
    expect(stand.venue.snapshotRequests()).toBe(asked + 2);
  });

  test("REST fails once, and is asked again", async () => {
    const stand = await breakBtc({ status: 500 });
    expect(await stand.outcome(stand.starts())).toMatchObject({
      states: [RESYNCED, [], []],
      missing: [],
    });
  });

  test("REST serves a snapshot from before the hole: it is not used, and asked for again", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    const delivered = stand.counters()?.snapshotsDelivered ?? 0;
    stand.venue.serveStaleSnapshots(stand.name("BTC"), 1);
    breakBook(stand, id, "BTC");
    await stand.until(() => stand.counters()?.snapshotsDelivered === delivered + 1);
    expect(stand.isEqual("BTC")).toBe(false);
    const { starts, states, missing } = await stand.outcome(before);
    expect(starts).toEqual([2, 0, 0]);
    expect(states).toEqual([RESYNCED, [], []]);
    expect(missing).toEqual([]);
    expect(stand.counters()).toMatchObject({ resyncs: 1 });
  });
}

/** Messages that could not be read so far. */
function rejections(stand: Stand): number {
  const counts = Object.values(stand.counters()?.rejected ?? {});
  return counts.reduce((sum, count) => sum + count, 0);
}
