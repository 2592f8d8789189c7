import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter, FeedEvent, FeedSubscription } from "#ingest/feed/feed-adapter.ts";
import { createPrng } from "#test/support/prng.ts";
import {
  canonicalEvents,
  type CanonicalEvent,
  channelOf,
  createFixtureDecoder,
  decodeFixture,
  frameText,
  hasSource,
  loadFixtures,
  parseFixtureInstruments,
  type NamedFixture,
  RECEIVED_TIME_US,
} from "./venue-fixture.ts";

/** Cuts of one frame at most; longer frames are cut at evenly spread places. */
const CUTS_MAX = 150;
const MUTATIONS_PER_FRAME = 40;

/** What holds for every venue, whatever it speaks. Run over each entry of the registry. */
export function describeVenue(adapter: FeedAdapter): void {
  const fixtures = loadFixtures(adapter.venue);
  describe(`venue ${adapter.venue}`, () => {
    test("has fixtures for every channel, and says where they come from", () => {
      expect(hasSource(adapter.venue)).toBe(true);
      const channels = new Set(
        fixtures.flatMap(({ fixture }) => fixture.expect.map((event) => channelOf(event))),
      );
      expect(adapter.channels.filter((channel) => !channels.has(channel))).toEqual([]);
    });

    describeFixtures(adapter, fixtures);
    describeDamage(adapter, fixtures);
    describeInstruments(adapter, fixtures);
    describeConnections(adapter);
    describeSequencing(adapter);
  });
}

function describeFixtures(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  describe.each(fixtures)("$name", ({ fixture }) => {
    const events = decodeFixture(adapter, fixture);
    const canonicals = canonicalEvents(adapter, events);

    test(`gives what it says: ${fixture.description}`, () => {
      expect(canonicals).toEqual(fixture.expect);
    });

    test("has exact integers, integer times and no invented receive time", () => {
      expect(events.filter((event) => !isSound(event, adapter))).toEqual([]);
    });

    test("begins each book with a snapshot", () => {
      const begun = new Set<unknown>();
      for (const event of canonicals.filter((each) => each.type === "book")) {
        if (event["snapshot"] === true) begun.add(event["symbol"]);
        expect(begun).toContain(event["symbol"]);
      }
    });

    test("decodes to the same when its frames come as bytes", () => {
      const decoder = createFixtureDecoder(adapter, fixture);
      const textDecoder = createFixtureDecoder(adapter, fixture);
      for (const frame of fixture.frames) {
        const [fromText, fromBytes]: FeedEvent[][] = [[], []];
        textDecoder.decode(frameText(frame), RECEIVED_TIME_US, (event) => fromText?.push(event));
        const bytes = new TextEncoder().encode(frameText(frame));
        decoder.decode(bytes, RECEIVED_TIME_US, (event) => fromBytes?.push(event));
        expect(withoutIdentity(fromBytes ?? [])).toEqual(withoutIdentity(fromText ?? []));
      }
    });
  });

  test("names both aggressor sides in its trades", () => {
    const trades = fixtures.flatMap(({ fixture }) =>
      fixture.expect.filter((event: CanonicalEvent) => event.type === "trade"),
    );
    const sides = new Set(trades.map((trade) => trade["aggressorSide"]));
    expect(sides).toContain("buyer");
    expect(sides).toContain("seller");
  });
}

function describeDamage(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  describe("damaged input", () => {
    test.each(fixtures)("a frame of $name cut short is rejected, wherever it is cut", (named) => {
      for (const frame of named.fixture.frames) {
        const text = frameText(frame);
        const step = Math.max(1, Math.ceil(text.length / CUTS_MAX));
        for (let end = 0; end < text.length; end += step) {
          const cut = text.slice(0, end);
          if (isJson(cut)) continue;
          expect([cut, ...kindsOf(adapter, named, cut)]).toEqual([cut, "rejected"]);
        }
      }
    });

    test.each(fixtures)("REST answers of $name cut short are rejected", (named) => {
      for (const answer of named.fixture.rest ?? []) {
        const text = frameText(answer.body);
        const step = Math.max(1, Math.ceil(text.length / CUTS_MAX));
        for (let end = 0; end < text.length; end += step) {
          const events: FeedEvent[] = [];
          const body = text.slice(0, end);
          const decoder = createFixtureDecoder(adapter, named.fixture);
          const response = { url: answer.url, status: answer.status, body };
          decoder.decodeRest(response, RECEIVED_TIME_US, (event) => events.push(event));
          expect(events.map((event) => event.kind)).toEqual(["rejected"]);
        }
      }
    });

    test.each(fixtures)("a value of $name replaced by another type never throws", (named) => {
      const prng = createPrng(7);
      for (const frame of named.fixture.frames) {
        const text = frameText(frame);
        if (!isJson(text)) continue;
        for (let mutation = 0; mutation < MUTATIONS_PER_FRAME; mutation += 1) {
          const mutant = JSON.parse(text) as unknown;
          mutate(mutant, prng);
          const mutated = JSON.stringify(mutant);
          const events = eventsOf(adapter, named, mutated);
          expect(events.filter((event) => !isSound(event, adapter))).toEqual([]);
        }
      }
    });

    test.each(["null", "true", "0", '"text"', "{}", '{"unknown":"message"}', "[]", "[1,2,3]"])(
      "%s is an unknown message, counted and survived",
      (text) => {
        const named = { name: "none", fixture: { description: "", frames: [], expect: [] } };
        const events = eventsOf(adapter, named, text);
        expect(events.map((event) => event.kind)).toEqual(["rejected"]);
      },
    );

    test("a good frame after a bad one is decoded as ever", () => {
      for (const { fixture } of fixtures) {
        const first = fixture.frames[0];
        if (first === undefined) continue;
        const [alone, after]: FeedEvent[][] = [[], []];
        const text = frameText(first);
        createFixtureDecoder(adapter, fixture).decode(text, RECEIVED_TIME_US, (event) =>
          alone?.push(event),
        );
        const decoder = createFixtureDecoder(adapter, fixture);
        decoder.decode("{", RECEIVED_TIME_US, () => {});
        decoder.decode(text, RECEIVED_TIME_US, (event) => after?.push(event));
        expect(withoutIdentity(after ?? [])).toEqual(withoutIdentity(alone ?? []));
      }
    });
  });
}

function describeInstruments(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  const lists = fixtures.filter(({ fixture }) => fixture.expectInstruments !== undefined);

  test("a list of instruments is among the fixtures", () => {
    expect(lists.length).toBeGreaterThan(0);
  });

  test.each(lists)("the list of $name maps as written, one to one", ({ fixture }) => {
    const parsed = parseFixtureInstruments(adapter, fixture);
    const instruments = parsed?.instruments ?? [];
    const pairs = instruments.map((each) => [each.venueSymbol, each.symbol]);
    expect(Object.fromEntries(pairs)).toEqual(fixture.expectInstruments);
    expect(new Set(instruments.map((each) => each.symbol)).size).toBe(instruments.length);
    expect(new Set(instruments.map((each) => each.venueSymbol)).size).toBe(instruments.length);
    expect(parsed?.skipped).toBe(fixture.expectSkipped ?? 0);
    for (const instrument of instruments) {
      expect(instrument.venue).toBe(adapter.venue);
      // Not every listed instrument can be derived, but none may be derived as another one.
      const derived =
        adapter.deriveInstrument(instrument.venueSymbol, instrument.venueMarket) ?? instrument;
      expect(derived.symbol).toBe(instrument.symbol);
    }
  });

  test.each(["", "{", "null", "5", "{}"])("%j is no list of instruments", (body) => {
    const [request] = adapter.instrumentsRequests(adapter.endpoints);
    const parsed = adapter.parseInstruments(body, request?.url ?? "");
    expect(parsed?.instruments ?? []).toEqual([]);
  });

  test("its own requests are for the lists", () => {
    const requests = adapter.instrumentsRequests(adapter.endpoints);
    expect(requests.length).toBeGreaterThan(0);
    for (const request of requests) {
      expect(adapter.isInstrumentsUrl(request.url)).toBe(true);
      expect(request.weight).toBeGreaterThan(0);
    }
  });
}

function describeConnections(adapter: FeedAdapter): void {
  const limit = adapter.limits.subscriptionsPerConnectionMax;
  // Where a venue has no limit, a number as good as any that somebody would subscribe to.
  const max = Number.isFinite(limit) ? limit : 5_000;
  const [first] = adapter.channels;

  test.each([1, max - 1, max, max + 1, 2 * max + 7])(
    "%i subscriptions are all planned, once, within the limit",
    (count) => {
      const channels = count % 2 === 1 ? adapter.channels : adapter.channels.slice(0, 1);
      const wanted = subscriptionsOf(adapter, channels, count);
      const plans = adapter.planConnections(wanted, adapter.endpoints);
      for (const plan of plans) {
        expect(plan.subscriptions.length).toBeGreaterThan(0);
        expect(plan.subscriptions.length).toBeLessThanOrEqual(limit);
        expect(plan.url.startsWith(adapter.endpoints.webSocket)).toBe(true);
      }
      const planned = plans.flatMap((plan) => plan.subscriptions.map(keyOf));
      expect(planned.toSorted()).toEqual(wanted.map(keyOf).toSorted());
    },
  );

  test("what is subscribed to is named, and so is what is unsubscribed from", () => {
    const wanted = subscriptionsOf(adapter, adapter.channels, 300);
    const options = { requestId: 7, bookDepth: 1000 };
    for (const frames of [
      adapter.subscribeFrames(wanted, options),
      adapter.unsubscribeFrames(wanted, options),
    ]) {
      const text = frames.join("\n").toLowerCase();
      expect(frames.length).toBeGreaterThan(0);
      for (const frame of frames) expect(isJson(frame)).toBe(true);
      for (const { instrument } of wanted) {
        expect(text).toContain(JSON.stringify(instrument.venueSymbol.toLowerCase()).slice(1, -1));
      }
    }
    expect(adapter.subscribeFrames([], options)).toEqual([]);
  });

  test("frames that answers refer to have ids that go on from the last", () => {
    const wanted = subscriptionsOf(adapter, adapter.channels, 300);
    const ids = [100, 200].flatMap((requestId) =>
      adapter
        .subscribeFrames(wanted, { requestId, bookDepth: 1000 })
        .map((frame) => idOf(frame))
        .filter((id) => id !== undefined),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("connections are limited in age, frames and silence", () => {
    expect(adapter.channels).toContain(first);
    expect(new Set(adapter.channels).size).toBe(adapter.channels.length);
    const { outgoingFrames, restWeight, connects, connectionSilenceMsMax } = adapter.limits;
    for (const rate of [outgoingFrames, restWeight, connects]) {
      expect(rate.count).toBeGreaterThan(0);
      expect(rate.intervalMs).toBeGreaterThan(0);
    }
    expect(connectionSilenceMsMax).toBeGreaterThan(0);
  });
}

function describeSequencing(adapter: FeedAdapter): void {
  test("REST snapshots are had where books begin with them, and their address names the book", () => {
    const instrument = subscriptionsOf(adapter, ["book"], 1)[0]?.instrument;
    assert(instrument !== undefined);
    const request = adapter.snapshotRequest?.(instrument, adapter.endpoints);
    const isRest = adapter.bookSync.snapshot === "rest";
    expect(request !== undefined).toBe(isRest);
    const named = adapter.snapshotVenueSymbol?.(request?.url ?? "");
    expect(named).toBe(isRest ? instrument.venueSymbol : undefined);
    expect(request?.weight ?? 0).toBeLessThanOrEqual(adapter.limits.restWeight.count);
    for (const list of adapter.instrumentsRequests(adapter.endpoints)) {
      expect(adapter.snapshotVenueSymbol?.(list.url)).toBeUndefined();
    }
  });
}

function subscriptionsOf(
  adapter: FeedAdapter,
  channels: FeedAdapter["channels"],
  count: number,
): FeedSubscription[] {
  const subscriptions: FeedSubscription[] = [];
  for (let index = 0; subscriptions.length < count; index += 1) {
    const base = `AB${index}`;
    const instrument: Instrument = {
      venue: adapter.venue,
      symbol: `${base}-USDT`,
      venueSymbol: `${base}USDT`,
      // Some channels are only there for perpetuals, all others for those as well.
      kind: "perpetual",
      base,
      quote: "USDT",
      settle: "USDT",
      inverse: false,
    };
    for (const channel of channels) subscriptions.push({ instrument, channel });
  }
  return subscriptions.slice(0, count);
}

function keyOf({ instrument, channel }: FeedSubscription): string {
  return `${instrument.symbol}/${channel}`;
}

function idOf(frame: string): unknown {
  const parsed = JSON.parse(frame) as { id?: unknown; req_id?: unknown; reqid?: unknown };
  return parsed.id ?? parsed.req_id ?? parsed.reqid;
}

function eventsOf(adapter: FeedAdapter, named: NamedFixture, text: string): FeedEvent[] {
  const events: FeedEvent[] = [];
  const decoder = createFixtureDecoder(adapter, named.fixture);
  decoder.decode(text, RECEIVED_TIME_US, (event) => events.push(event));
  return events;
}

function kindsOf(adapter: FeedAdapter, named: NamedFixture, text: string): string[] {
  return eventsOf(adapter, named, text).map((event) => event.kind);
}

/** True unless the event lacks what none may lack, whatever made it. */
function isSound(event: FeedEvent, adapter: FeedAdapter): boolean {
  if (!("instrument" in event) || event.instrument === undefined || event.kind === "rejected") {
    return true;
  }
  if (event.instrument.venue !== adapter.venue) return false;
  if (event.receivedTimeUs !== RECEIVED_TIME_US) return false;
  if (event.venueTimeUs !== undefined && !isTimeUs(event.venueTimeUs)) return false;
  for (const [name, value] of Object.entries(event)) {
    if (/(Mantissa|Scale)$/.test(name) && !isInteger(value)) return false;
  }
  if (event.kind !== "raw-book") return true;
  return [event.bids, event.asks].every(
    ({ prices, sizes }) =>
      prices.length === sizes.length && [...prices, ...sizes].every((value) => isInteger(value)),
  );
}

/** Whole microseconds between 1973 and 5138, whatever unit the venue uses. */
function isTimeUs(value: number): boolean {
  return Number.isSafeInteger(value) && value > 1e14 && value < 1e17;
}

function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value);
}

/** Two decoders have two catalogs; their instruments are equal, not the same. */
function withoutIdentity(events: readonly FeedEvent[]): unknown[] {
  return events.map((event) => structuredClone(event));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const REPLACEMENTS = [null, true, -1, 1e300, 0.5, "", "x", "-5", [], {}, [[]], "1e9999"];

/** Replaces one value somewhere inside, in place. */
function mutate(value: unknown, prng: ReturnType<typeof createPrng>): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record);
  if (keys.length === 0) return;
  const key = prng.pick(keys);
  const inner = record[key];
  if (typeof inner === "object" && inner !== null && prng.chance(0.7)) mutate(inner, prng);
  else record[key] = prng.pick(REPLACEMENTS);
}
