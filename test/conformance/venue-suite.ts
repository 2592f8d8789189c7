import { describe, expect, test } from "vitest";
import type { FeedAdapter, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { createPrng } from "#test/support/prng.ts";
import {
  canonicalEvents,
  type CanonicalEvent,
  channelOf,
  createFixtureConnection,
  createFixtureDecoder,
  dataLike,
  decodeFixture,
  frameData,
  frameText,
  hasSource,
  isProtobufFrame,
  loadFixtures,
  type NamedFixture,
  RECEIVED_TIME_US,
} from "./venue-fixture.ts";
import { describeOddLevels, describeOddLists } from "./venue-odd-suite.ts";
import {
  describeBooks,
  describeCapabilities,
  describeConnections,
  describeInstruments,
} from "./venue-suite-requests.ts";
import { isSound } from "#test/support/sound-event.ts";
import { decodeRecorded } from "#test/support/recorded-answer.ts";

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
    describeOddLists(adapter, fixtures);
    describeOddLevels(adapter, fixtures);
    describeConnections(adapter, fixtures);
    describeBooks(adapter, fixtures);
    describeCapabilities(adapter);
  });
}

function describeFixtures(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  describe.each(fixtures)("$name", ({ fixture }) => {
    const events = decodeFixture(adapter, fixture);
    const canonicals = canonicalEvents(adapter, events, fixture.bookDepth);

    test(`gives what it says: ${fixture.description}`, () => {
      expect(canonicals).toEqual(fixture.expect);
    });

    test("has exact integers, integer times and no invented receive time", () => {
      expect(events.filter((event) => !isSound(event, adapter, RECEIVED_TIME_US))).toEqual([]);
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
        // What is no text has one form alone.
        const text = isProtobufFrame(frame) ? frameData(frame) : frameText(frame);
        textDecoder.decode(text, RECEIVED_TIME_US, (event) => fromText?.push(event));
        const data = frameData(frame);
        const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
        decoder.decode(bytes, RECEIVED_TIME_US, (event) => fromBytes?.push(event));
        expect(withoutIdentity(fromBytes ?? [])).toEqual(withoutIdentity(fromText ?? []));
      }
    });
  });

  test("shows candles of each length that it says it has", () => {
    const shown = fixtures
      .flatMap(({ fixture }) => fixture.expect)
      .filter((event: CanonicalEvent) => event.type === "candle")
      .map((event) => event["intervalMs"]);
    if (shown.length === 0) return;
    expect(shown).toEqual(expect.arrayContaining([...(adapter.candleIntervalsMs ?? [60_000])]));
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
        // A word such as "pong" says nothing that could be lost.
        if (!isJson(text)) continue;
        for (const cut of cutsOf(text)) {
          if (isJson(cut)) continue;
          const data = dataLike(frame, cut);
          expect([cut, ...kindsOf(adapter, named, data)]).toEqual([cut, "rejected"]);
        }
        const data = frameData(frame);
        if (typeof data === "string") continue;
        for (const cut of cutsOf(data)) {
          expect([cut.length, ...kindsOf(adapter, named, cut)]).toEqual([cut.length, "rejected"]);
        }
      }
    });

    test.each(fixtures)("REST answers of $name cut short are rejected", (named) => {
      for (const answer of named.fixture.rest ?? []) {
        const text = frameText(answer.body);
        for (const body of cutsOf(text)) {
          const events: FeedEvent[] = [];
          const connection = createFixtureConnection(adapter, named.fixture);
          const response = { url: answer.url, body };
          decodeRecorded(connection, response, RECEIVED_TIME_US, (event) => events.push(event));
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
          const mutated = dataLike(frame, JSON.stringify(mutant));
          const events = eventsOf(adapter, named, mutated);
          expect(events.filter((event) => !isSound(event, adapter, RECEIVED_TIME_US))).toEqual([]);
        }
      }
    });

    test.each(["null", "true", "0", '"text"', "{}", '{"unknown":"message"}', "[]", "[1,2,3]"])(
      "%s is an unknown message, counted and survived",
      (text) => {
        const named = { name: "none", fixture: { description: "", frames: [], expect: [] } };
        expect(kindsOf(adapter, named, text)).toEqual(["rejected"]);
      },
    );

    test("a good frame after a bad one is decoded as ever", () => {
      for (const { fixture } of fixtures) {
        const first = fixture.frames[0];
        if (first === undefined) continue;
        const [alone, after]: FeedEvent[][] = [[], []];
        const data = frameData(first);
        createFixtureDecoder(adapter, fixture).decode(data, RECEIVED_TIME_US, (event) =>
          alone?.push(event),
        );
        const decoder = createFixtureDecoder(adapter, fixture);
        decoder.decode("{", RECEIVED_TIME_US, () => {});
        decoder.decode(data, RECEIVED_TIME_US, (event) => after?.push(event));
        expect(withoutIdentity(after ?? [])).toEqual(withoutIdentity(alone ?? []));
      }
    });
  });
}

function eventsOf(
  adapter: FeedAdapter,
  named: NamedFixture,
  data: string | Uint8Array,
): FeedEvent[] {
  const events: FeedEvent[] = [];
  const decoder = createFixtureDecoder(adapter, named.fixture);
  decoder.decode(data, RECEIVED_TIME_US, (event) => events.push(event));
  return events;
}

/** The kinds of its events, each once: one damaged frame may cost several books. */
function kindsOf(adapter: FeedAdapter, named: NamedFixture, data: string | Uint8Array): string[] {
  return [...new Set(eventsOf(adapter, named, data).map((event) => event.kind))];
}

/** Its beginnings, at evenly spread places, the whole not among them. */
function cutsOf<Data extends string | Uint8Array>(data: Data): Data[] {
  const step = Math.max(1, Math.ceil(data.length / CUTS_MAX));
  const cuts: Data[] = [];
  for (let end = 0; end < data.length; end += step) cuts.push(data.slice(0, end) as Data);
  return cuts;
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
