import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { setImmediate as turn } from "node:timers/promises";
import { MemoryBus } from "#bus/memory-bus.ts";
import { eventPattern } from "#bus/subject.ts";
import { marketOf } from "#core/instrument.ts";
import type { Instrument } from "#core/instrument.ts";
import type { MarketEvent, Quote, Status, Trade } from "#core/market-event.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { Announcements } from "./announcements.ts";
import { HeardClaims } from "./leadership/claims.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";
import { createPublisherCounters, Publisher } from "./publisher.ts";
import { QueryResponder } from "./query-responder.ts";
import { StreamedInstruments } from "./streamed-instruments.ts";
import { VenueListings } from "./venue-listings.ts";
import { VenuePublication } from "./venue-publication.ts";

const HEARTBEAT_MS = 100;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const A = { venue: "fake", symbol: "A-USD", kind: "spot" } as Instrument;

function trade(id: number): Trade {
  return {
    kind: "trade",
    instrument: A,
    venueTimeUs: id,
    receivedTimeUs: id,
    priceMantissa: 15,
    priceScale: 1,
    sizeMantissa: 2,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: String(id),
    historical: false,
  } as Trade;
}

function quote(bid: number, venueTimeUs: number): Quote {
  return {
    kind: "quote",
    instrument: A,
    venueTimeUs,
    receivedTimeUs: venueTimeUs,
    priceScale: 0,
    sizeScale: 0,
    bidPriceMantissa: bid,
    bidSizeMantissa: 1,
    askPriceMantissa: bid + 1,
    askSizeMantissa: 1,
  };
}

function live(channel: "trades" | "quotes"): Status {
  return {
    kind: "status",
    instrument: A,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    channel,
    state: "live",
    reason: "data",
    sinceTimeUs: 1,
  } as Status;
}

/** One ingestor as far as publishing goes, on a clock that stands still when it is stopped. */
class Ingestor {
  readonly clock = new ManualClock();
  readonly publication: VenuePublication;

  constructor(bus: MemoryBus, publisherId: string) {
    const { clock } = this;
    const streamed = new StreamedInstruments();
    streamed.add([
      { instrument: A, channel: "trades" },
      { instrument: A, channel: "quotes" },
    ]);
    const publisher: Publisher = new Publisher({
      bus,
      clock,
      epoch: 0,
      limits: PUBLISH_LIMITS_DEFAULTS,
      schedule: (flush) => void setImmediate(flush),
      maySend: () => this.publication.maySend(),
      counters: createPublisherCounters(),
      logger: quiet,
    });
    const listings = new VenueListings({ venue: "fake", clock, emit: () => {} });
    const view = { venue: "fake", streamed, listings, publisher, liveBookOf: () => undefined };
    const common = { bus, clock, logger: quiet, publisherId, venues: [view] };
    new QueryResponder(common).start();
    const announcements = new Announcements({ ...common, announceIntervalMs: 1_000 });
    announcements.start();
    this.publication = new VenuePublication({
      ...common,
      partition: { venue: "fake", shardIndex: 0, shardCount: 0 },
      publisher,
      streamed,
      market: marketOf("fake"),
      liveBookOf: () => undefined,
      isOneVenue: true,
      heartbeatMs: HEARTBEAT_MS,
      newUuid: () => "89abcdef-0000-4000-8000-000000000000",
      listener: {
        onTerm: () => announcements.announce(),
        onTermOver: () => announcements.leave("fake"),
      },
    });
    this.publication.start(new HeardClaims());
  }
}

/** What is on the bus, event by event. */
class Heard {
  readonly events: string[] = [];

  constructor(bus: MemoryBus) {
    bus.subscribe(eventPattern("fake"), ({ payload }) => {
      const batch = readBusBatch(payload);
      const { rows } = rowsOf(readBusEvents(batch));
      for (const [index, row] of rows.entries()) {
        const sequence = batch.baseSequence + index + 1;
        const term = Math.floor(batch.epoch / 2 ** 32);
        if ("tradeId" in row) this.events.push(`${term}:${sequence} trade ${row.tradeId}`);
        if ("bidPriceMantissa" in row) {
          this.events.push(`${term}:${sequence} quote ${row.bidPriceMantissa}`);
        }
      }
    });
  }

  taken(): string[] {
    return this.events.splice(0);
  }
}

async function pass(milliseconds: number, ...ingestors: readonly Ingestor[]): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 25) {
    for (const { clock } of ingestors) clock.advance(25);
    for (let turns = 0; turns < 4; turns += 1) await turn();
  }
}

function emit(event: MarketEvent, ...ingestors: readonly Ingestor[]): void {
  for (const { publication } of ingestors) publication.emit(event);
}

/** One that leads and one that has stood by for long enough. */
async function start() {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const heard = new Heard(bus);
  const one = new Ingestor(bus, "one");
  for (const channel of ["trades", "quotes"] as const) emit(live(channel), one);
  emit(trade(1), one);
  await pass(300, one);
  const two = new Ingestor(bus, "two");
  for (const channel of ["trades", "quotes"] as const) emit(live(channel), two);
  await pass(2_000, one, two);
  emit(trade(2), one, two);
  emit(quote(50, 2), one, two);
  await pass(25, one, two);
  return { bus, heard, one, two };
}

test("what came before the first term is published in it, whole and in order", async () => {
  const { heard, one, two } = await start();
  expect(heard.taken()).toEqual(["1:1 trade 1", "1:2 trade 2", "1:1 quote 50"]);
  expect([one.publication.state, two.publication.state]).toEqual(["leading", "standing-by"]);
  expect(two.publication.publisher.epoch).toBe(0);
});

test("the next term goes on with what the one before had not published, and nothing else", async () => {
  const { heard, two } = await start();
  heard.taken();
  // The first is gone: these reach the second alone.
  emit(trade(3), two);
  emit(quote(51, 3), two);
  await pass(HEARTBEAT_MS * 4, two);
  emit(trade(4), two);
  await pass(50, two);
  expect(heard.taken()).toEqual(["2:3 trade 3", "2:2 quote 51", "2:4 trade 4"]);
  const topic = two.publication.publisher.topic(A, "trade");
  expect(topic?.continued).toMatchObject({ sequence: 2 });
  expect(two.publication.publisher.topic(A, "quote")?.continued).toMatchObject({ sequence: 1 });
});

test("what the one before had published first comes once", async () => {
  const { heard, one, two } = await start();
  emit(trade(3), one);
  emit(quote(52, 5), one);
  await pass(25, one, two);
  heard.taken();
  await pass(HEARTBEAT_MS * 4, two);
  // Our own feed was behind, and brings it only now.
  emit(trade(3), two);
  emit(trade(4), two);
  await pass(50, two);
  expect(heard.taken()).toEqual(["2:4 trade 4"]);
});

test("one that was stopped publishes nothing of what it had when it wakes up", async () => {
  const { heard, one, two } = await start();
  heard.taken();
  await pass(HEARTBEAT_MS * 5, two);
  emit(trade(3), two);
  await pass(25, two);
  // The monotonic clock of a stopped process goes on; its timers have not run yet.
  const real = one.clock.monotonicUs.bind(one.clock);
  one.clock.monotonicUs = () => real() + 10_000_000;
  emit(trade(3), one);
  emit(trade(4), one);
  for (let turns = 0; turns < 4; turns += 1) await turn();
  expect(heard.taken()).toEqual(["2:3 trade 3"]);
  await pass(HEARTBEAT_MS * 4, one, two);
  expect(one.publication.state).toBe("standing-by");
  expect(heard.taken()).toEqual([]);
});

test("one that nobody had replaced goes on in the same term without a hole", async () => {
  const { heard, one } = await start();
  heard.taken();
  const real = one.clock.monotonicUs.bind(one.clock);
  one.clock.monotonicUs = () => real() + 10_000_000;
  emit(trade(3), one);
  for (let turns = 0; turns < 4; turns += 1) await turn();
  expect(one.publication.state).toBe("suspended");
  emit(trade(4), one);
  await pass(HEARTBEAT_MS * 2, one);
  expect(heard.taken()).toEqual(["1:3 trade 3", "1:4 trade 4"]);
});

/** The process of this ingestor is held up once more, right after it gave a batch to the bus. */
function holdUpAfterBatch(bus: MemoryBus, { clock }: Ingestor): void {
  const publish = bus.publish.bind(bus);
  const monotonicUs = clock.monotonicUs.bind(clock);
  let heldUs = 0;
  clock.monotonicUs = () => monotonicUs() + heldUs;
  bus.publish = (subject, payload) => {
    if (subject.includes(".trades.") && heldUs === 0) heldUs = HEARTBEAT_MS * 10_000;
    publish(subject, payload);
  };
}

const MANY = PUBLISH_LIMITS_DEFAULTS.batchEventsMax * 2 + 100;
const manyFrom = (first: number): number[] =>
  Array.from({ length: MANY }, (_, index) => first + index);
const idsOf = (texts: readonly string[]): number[] =>
  texts.filter((text) => text.includes("trade")).map((text) => Number(text.split(" ").at(-1)));
const sequencesOf = (texts: readonly string[]): number[] =>
  texts.map((text) => Number(/:(\d+) trade/.exec(text)?.[1]));

test("one that is held up again while it goes on publishes all of it once, in order", async () => {
  const { bus, heard, one } = await start();
  heard.taken();
  const real = one.clock.monotonicUs.bind(one.clock);
  one.clock.monotonicUs = () => real() + 10_000_000;
  for (const id of manyFrom(3)) emit(trade(id), one);
  expect(one.publication.state).toBe("suspended");
  holdUpAfterBatch(bus, one);
  await pass(HEARTBEAT_MS * 2, one);
  emit(trade(3 + MANY), one);
  await pass(HEARTBEAT_MS * 4, one);
  emit(trade(4 + MANY), one);
  await pass(HEARTBEAT_MS, one);
  const got = heard.taken();
  expect(one.publication.publisher.topic(A, "trade")?.pendingCount).toBe(0);
  expect(idsOf(got)).toEqual([...manyFrom(3), 3 + MANY, 4 + MANY]);
  expect(sequencesOf(got)).toEqual([...manyFrom(3), 3 + MANY, 4 + MANY]);
});

test("one that is held up while it takes over publishes all of it once, in order", async () => {
  const { bus, heard, two } = await start();
  heard.taken();
  for (const id of manyFrom(3)) emit(trade(id), two);
  // There is somebody who could take over from it meanwhile.
  const three = new Ingestor(bus, "z-three");
  holdUpAfterBatch(bus, two);
  await pass(HEARTBEAT_MS * 5, two, three);
  emit(trade(3 + MANY), two);
  await pass(HEARTBEAT_MS * 4, two, three);
  emit(trade(4 + MANY), two);
  await pass(HEARTBEAT_MS, two, three);
  const got = heard.taken();
  expect(two.publication.state).toBe("leading");
  expect(idsOf(got)).toEqual([...manyFrom(3), 3 + MANY, 4 + MANY]);
  expect(sequencesOf(got)).toEqual([...manyFrom(3), 3 + MANY, 4 + MANY]);
});

test("what the one before had published comes once, also if the next is held up meanwhile", async () => {
  const { bus, heard, one, two } = await start();
  emit(trade(3), one);
  await pass(25, one, two);
  heard.taken();
  emit(trade(4), two);
  const three = new Ingestor(bus, "z-three");
  await pass(HEARTBEAT_MS * 5, two, three);
  expect(heard.taken()).toEqual(["2:4 trade 4"]);
  holdUpAfterBatch(bus, two);
  emit(trade(5), two);
  await pass(HEARTBEAT_MS * 4, two, three);
  // Our own feed was behind, and brings it only now.
  for (const id of [3, 6]) emit(trade(id), two);
  await pass(HEARTBEAT_MS * 2, two, three);
  expect(heard.taken()).toEqual(["2:5 trade 5", "2:6 trade 6"]);
});

test("a standby that has just come says that it does not know what lies between", async () => {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const one = new Ingestor(bus, "one");
  emit(live("trades"), one);
  emit(trade(1), one);
  await pass(300, one);
  const two = new Ingestor(bus, "two");
  emit(live("trades"), two);
  await pass(50, one, two);
  await pass(HEARTBEAT_MS * 5, two);
  expect(two.publication.state).toBe("leading");
  expect(two.publication.publisher.topic(A, "trade")?.continued).toBeUndefined();
});

test.each([
  { first: 2, goesOn: true },
  { first: 3, goesOn: true },
  { first: 4, goesOn: false },
])(
  "a standby that has just come, and whose feed began with trade $first, goes on from 2: $goesOn",
  async ({ first, goesOn }) => {
    const bus = new MemoryBus({ clock: new ManualClock() });
    const heard = new Heard(bus);
    const one = new Ingestor(bus, "one");
    emit(live("trades"), one);
    emit(trade(1), one);
    await pass(300, one);
    const two = new Ingestor(bus, "two");
    await pass(50, one, two);
    emit(live("trades"), two);
    emit(trade(2), one);
    await pass(25, one, two);
    for (let id = first; id <= 5; id += 1) emit(trade(id), two);
    await pass(HEARTBEAT_MS * 5, two);
    const { continued } = two.publication.publisher.topic(A, "trade") ?? {};
    expect([two.publication.state, continued?.sequence]).toEqual([
      "leading",
      goesOn ? 2 : undefined,
    ]);
    const ids = heard.taken().map((text) => text.split(" ").at(-1));
    const own = [3, 4, 5].filter((id) => id >= first).map(String);
    expect(ids).toEqual(["1", "2", ...own]);
  },
);
