import { expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  BookSync,
  FeedAdapter,
  FeedSubscription,
  RateLimit,
} from "#ingest/feed/feed-adapter.ts";
import { frameText, parseFixtureInstruments, type NamedFixture } from "./venue-fixture.ts";

// What holds for every adapter apart from its decoder: lists of instruments, connections,
// subscriptions, the start and proof of books, and what it says of itself.

/** What is listed maps as the fixtures say, one to one. */
export function describeInstruments(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  const lists = fixtures.filter(({ fixture }) => fixture.expectInstruments !== undefined);

  test("a list of instruments is among the fixtures", () => {
    expect(lists.length).toBeGreaterThan(0);
  });

  test.each(lists)("the list of $name maps as written, one to one", ({ fixture }) => {
    const parsed = parseFixtureInstruments(adapter, fixture);
    const instruments = parsed?.instruments ?? [];
    expect(Object.fromEntries(namedSymbols(instruments))).toEqual(fixture.expectInstruments);
    expect(new Set(instruments.map((each) => each.symbol)).size).toBe(instruments.length);
    const names = instruments.map((each) => `${each.venueMarket ?? ""} ${each.venueSymbol}`);
    expect(new Set(names).size).toBe(instruments.length);
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
    for (const request of adapter.instrumentsRequests(adapter.endpoints)) {
      const parsed = adapter.parseInstruments(body, request.url);
      expect(parsed?.instruments ?? []).toEqual([]);
      expect(adapter.nextInstrumentsRequest?.(request, body)).toBeUndefined();
    }
  });

  test("its own requests are for the lists", () => {
    const requests = adapter.instrumentsRequests(adapter.endpoints);
    expect(requests.length).toBeGreaterThan(0);
    for (const request of requests) {
      expect(adapter.recordedRequest(request.url)).toEqual({ kind: "instruments" });
      expect(request.weight).toBeGreaterThan(0);
    }
  });
}

/**
 * Venue symbols and symbols; where two parts of the venue use the same name, `part/name` in its
 * place.
 */
function namedSymbols(instruments: readonly Instrument[]): [string, string][] {
  const counts = new Map<string, number>();
  for (const { venueSymbol } of instruments) {
    counts.set(venueSymbol, (counts.get(venueSymbol) ?? 0) + 1);
  }
  return instruments.map(({ venueSymbol, venueMarket, symbol }) => {
    const name = counts.get(venueSymbol) === 1 ? venueSymbol : `${venueMarket}/${venueSymbol}`;
    return [name, symbol];
  });
}

/** What is wanted is planned, asked for and named. */
export function describeConnections(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  const limit = adapter.limits.subscriptionsPerConnectionMax;
  // Where a venue has no limit, a number as good as any that somebody would subscribe to.
  const max = Number.isFinite(limit) ? limit : 5_000;
  const templates = templatesOf(adapter, fixtures);

  test("every channel is subscribed to on some listed instrument, or polled", () => {
    const had = new Set(templates.flatMap(({ channels }) => channels));
    for (const { channel } of adapter.polls ?? []) had.add(channel);
    expect(adapter.channels.filter((channel) => !had.has(channel))).toEqual([]);
  });

  test.each([1, max - 1, max, max + 1, 2 * max + 7])(
    "%i subscriptions are all planned, once, within the limit",
    (count) => {
      for (const template of templates) {
        const channels = count % 2 === 1 ? template.channels : template.channels.slice(0, 1);
        const wanted = subscriptionsOf(template.instrument, channels, count);
        const plans = adapter.planConnections(wanted, adapter.endpoints);
        for (const plan of plans) {
          expect(plan.subscriptions.length).toBeGreaterThan(0);
          expect(plan.subscriptions.length).toBeLessThanOrEqual(limit);
          expect(isEndpoint(adapter, plan.url)).toBe(true);
        }
        const planned = plans.flatMap((plan) => plan.subscriptions.map(keyOf));
        expect(planned.toSorted()).toEqual(wanted.map(keyOf).toSorted());
      }
    },
  );

  test("what is subscribed to is named, and so is what is unsubscribed from", () => {
    const options = { requestId: 7, bookDepth: 1000 };
    for (const { instrument, channels } of templates) {
      const wanted = subscriptionsOf(instrument, channels, 300);
      for (const plan of adapter.planConnections(wanted, adapter.endpoints)) {
        const started = adapter.subscribeFrames(plan.subscriptions, options);
        const named = plan.subscriptions.filter(
          ({ channel }) => !isShared(adapter, channel, plan.subscriptions),
        );
        expectNamed([plan.url, ...started], named);
        const ended = adapter.unsubscribeFrames(plan.subscriptions, options);
        // Some are ended by what only the connection knows.
        expectNamed([plan.url, ...ended], ended.length > 0 ? named : []);
      }
    }
    expect(adapter.subscribeFrames([], options)).toEqual([]);
  });

  test("frames that answers refer to have ids that go on from the last", () => {
    for (const { instrument, channels } of templates) {
      const wanted = subscriptionsOf(instrument, channels, 300);
      for (const { subscriptions } of adapter.planConnections(wanted, adapter.endpoints)) {
        const first = idsOf(
          adapter.subscribeFrames(subscriptions, { requestId: 100, bookDepth: 10 }),
        );
        const next = { requestId: 100 + first.length, bookDepth: 10 };
        const ids = [...first, ...idsOf(adapter.subscribeFrames(subscriptions, next))];
        const given = ids.filter((id) => id !== undefined && !isNamedBy(id, subscriptions));
        expect(new Set(given).size).toBe(given.length);
      }
    }
  });

  test("connections are limited in age, frames and silence", () => {
    const { outgoingFrames, restWeight, connects, connectionSilenceMsMax } = adapter.limits;
    for (const rate of [outgoingFrames, restWeight, connects]) {
      expect(rate.count).toBeGreaterThan(0);
      expect(rate.intervalMs).toBeGreaterThan(0);
    }
    expect(connectionSilenceMsMax).toBeGreaterThan(0);
    expect(adapter.limits.frameBytesMax).toBeLessThanOrEqual(16 * 1024 * 1024);
    const { keepAlive } = adapter;
    if (keepAlive === undefined) return;
    expect(keepAlive.intervalMs).toBeGreaterThan(0);
    expect(keepAlive.frame(1).length).toBeGreaterThan(0);
  });
}

/** How books begin agrees with how the adapter says that they are proven. */
export function describeBooks(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  const withBooks = templatesOf(adapter, fixtures).filter(({ channels }) =>
    channels.includes("book"),
  );
  const syncs = withBooks.map(({ instrument }) => syncOf(adapter, instrument));

  test("REST snapshots are had where books begin with them, and their address names the book", () => {
    for (const { instrument } of withBooks) {
      const isRest = syncOf(adapter, instrument).snapshot === "rest";
      const request = isRest ? adapter.snapshotRequest?.(instrument, adapter.endpoints) : undefined;
      expect(request !== undefined).toBe(isRest);
      if (request === undefined) continue;
      expectRecorded(adapter, request.url, { kind: "book-snapshot", instrument });
      expect(request.weight).toBeLessThanOrEqual(adapter.limits.restWeight.count);
    }
  });

  test("the addresses of trades and polls say what they are about", () => {
    const { endpoints } = adapter;
    for (const { instrument } of templatesOf(adapter, fixtures)) {
      expect(instrument.venue).toBe(adapter.venue);
      const trades = adapter.tradesRequest?.(instrument, { afterTradeId: "1", endpoints });
      if (trades !== undefined) {
        expectRecorded(adapter, trades.url, { kind: "trades", instrument });
      }
      const after = { tradeId: "1234567", venueTimeUs: 1_790_000_000_000_000 };
      const page = adapter.tradesPageRequest?.(instrument, { after, endpoints });
      if (page !== undefined) expectRecorded(adapter, page.url, { kind: "trades", instrument });
      for (const poll of adapter.polls ?? []) {
        for (const request of poll.requests([instrument], endpoints)) {
          const about = request.instrument;
          expectRecorded(adapter, request.url, { kind: "poll", instrument: about });
        }
      }
    }
  });

  test("a look at the best levels is within the budget, and no recording takes it for a book", () => {
    const { bookProbe, endpoints, limits } = adapter;
    for (const { instrument } of withBooks) {
      const request = bookProbe?.request(instrument, endpoints);
      if (request === undefined) continue;
      expect(request.weight).toBeLessThanOrEqual(Math.max(1, limits.restWeight.count / 2));
      const recorded = adapter.recordedRequest(request.url);
      const whole = adapter.snapshotRequest?.(instrument, endpoints).url;
      expect(recorded === undefined || request.url === whole).toBe(true);
    }
    for (const body of ["", "{", "null", "{}", "[]", "5"]) {
      expect(bookProbe?.levels(body)).toBeOneOf([undefined, " / "]);
    }
  });

  test("what its refusals mean is declared, and no code means two things", () => {
    const { refusals = {} } = adapter;
    expect(adapter.venue === "simulated" || Object.keys(refusals).length > 0).toBe(true);
    const codes = Object.values(refusals).flatMap((marks) => marks?.codes ?? []);
    expect(codes).toEqual([...new Set(codes)]);
  });

  test("what is always spoken has a limit, and what is shared by an address is no more than it", () => {
    const { alwaysSpoken = [], silenceMsMax, address = {}, outgoingFrames } = adapter.limits;
    expect(alwaysSpoken.filter((channel) => silenceMsMax[channel] === undefined)).toEqual([]);
    const rateOf = ({ count, intervalMs }: RateLimit): number => count / intervalMs;
    const shared = address.outgoingFrames ?? outgoingFrames;
    expect(rateOf(shared)).toBeGreaterThan(0);
    expect(address.connectionsMax ?? 1).toBeGreaterThan(0);
  });

  test("snapshots are asked for on the connection where books begin so", () => {
    for (const { instrument } of withBooks) {
      const isAsked = syncOf(adapter, instrument).snapshot === "request";
      const options = { requestId: 1, bookDepth: 10 };
      const frames = isAsked ? (adapter.snapshotFrames?.(instrument, options) ?? []) : [];
      expect(frames.length > 0).toBe(isAsked);
      expectNamed(frames, isAsked ? [{ instrument, channel: "book" }] : []);
    }
  });

  if (adapter.channels.includes("book")) describeProof(adapter, syncs);
}

/** The address says what was asked for, and of which instrument where it is one alone. */
function expectRecorded(
  adapter: FeedAdapter,
  url: string,
  { kind, instrument }: { readonly kind: string; readonly instrument: Instrument | undefined },
): void {
  const recorded = adapter.recordedRequest(url);
  expect(recorded?.kind).toBe(kind);
  if (recorded === undefined || recorded.kind === "instruments") return;
  expect(recorded.venueSymbol).toBe(instrument?.venueSymbol);
  // Where the parts of a venue have hosts of their own, an address need not name one.
  expect(recorded.venueMarket ?? instrument?.venueMarket).toBe(instrument?.venueMarket);
}

function describeProof(adapter: FeedAdapter, syncs: readonly BookSync[]): void {
  test("what proves a book is what its books are checked by", () => {
    const { order, content, checksumLevels, note } = adapter.bookProof;
    expect(syncs.length).toBeGreaterThan(0);
    const isChecked = syncs.some(({ checksum }) => checksum !== undefined);
    // One that the venue has given up may still be compared in old recordings.
    expect(content !== "checksum" || isChecked).toBe(true);
    const needsChecksum = order === "checksum" || checksumLevels !== undefined;
    expect(!needsChecksum || content === "checksum").toBe(true);
    const isNumbered = syncs.some(
      ({ sequencing }) => sequencing !== undefined && sequencing.showsGaps !== false,
    );
    expect(order !== "sequence" || isNumbered).toBe(true);
    expect(!isNumbered || order === "sequence" || order === "connection-sequence").toBe(true);
    expect(note.length).toBeGreaterThan(10);
  });
}

/** What the adapter says of itself for people. */
export function describeCapabilities(adapter: FeedAdapter): void {
  test("has a title, pages that it follows, and notes only on channels that it has", () => {
    expect(adapter.title.length).toBeGreaterThan(0);
    expect(new Set(adapter.channels).size).toBe(adapter.channels.length);
    const noted = Object.keys(adapter.notes);
    expect(noted.filter((channel) => !adapter.channels.some((each) => each === channel))).toEqual(
      [],
    );
    for (const note of Object.values(adapter.notes)) expect(note.length).toBeGreaterThan(0);
    if (adapter.venue === "simulated") return;
    expect(adapter.documentation.length).toBeGreaterThan(0);
    for (const page of adapter.documentation) expect(page).toMatch(/^https:\/\/\S+$/);
  });
}

/** A listed instrument and the channels that it is subscribed to. */
type Template = {
  readonly instrument: Instrument;
  readonly channels: FeedAdapter["channels"];
};

/** One listed instrument of each kind and part of the venue. */
function templatesOf(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): Template[] {
  const templates = new Map<string, Template>();
  for (const instrument of fixtures.flatMap(({ fixture }) => listedIn(adapter, fixture))) {
    const part = `${instrument.kind} ${instrument.venueMarket ?? ""} ${instrument.inverse}`;
    if (templates.has(part)) continue;
    const wanted = adapter.channels.map((channel) => ({ instrument, channel }));
    const planned = adapter
      .planConnections(wanted, adapter.endpoints)
      .flatMap((plan) => plan.subscriptions.map(({ channel }) => channel));
    const channels = adapter.channels.filter((channel) => planned.includes(channel));
    if (channels.length > 0) templates.set(part, { instrument, channels });
  }
  return [...templates.values()];
}

function listedIn(adapter: FeedAdapter, fixture: NamedFixture["fixture"]): Instrument[] {
  const lists = (fixture.instrumentLists ?? []).map(({ url, body }) =>
    adapter.parseInstruments(frameText(body), url),
  );
  return [parseFixtureInstruments(adapter, fixture), ...lists].flatMap((list) => [
    ...(list?.instruments ?? []),
  ]);
}

/** That many subscriptions on instruments like this one, each with a name of its own. */
function subscriptionsOf(
  template: Instrument,
  channels: FeedAdapter["channels"],
  count: number,
): FeedSubscription[] {
  const subscriptions: FeedSubscription[] = [];
  const { base, venueSymbol } = template;
  const isNamed = venueSymbol.includes(base);
  for (let index = 0; subscriptions.length < count; index += 1) {
    const name = `AB${index}`;
    const instrument: Instrument = {
      ...template,
      symbol: template.symbol.replace(base, name),
      venueSymbol: isNamed ? venueSymbol.replace(base, name) : `${venueSymbol}${index}`,
      base: name,
    };
    for (const channel of channels) subscriptions.push({ instrument, channel });
  }
  return subscriptions.slice(0, count);
}

function expectNamed(texts: readonly string[], wanted: readonly FeedSubscription[]): void {
  const text = texts.join("\n").toLowerCase();
  expect(texts.every((each) => each.length > 0)).toBe(true);
  for (const { instrument, channel } of wanted) {
    const { venueSymbol, venueMarket } = instrument;
    // Some venues have liquidations by whole parts only, or for all in one.
    const part = venueMarket?.toLowerCase() ?? "global";
    if (channel === "liquidations" && text.includes(part)) continue;
    expect(text).toContain(JSON.stringify(venueSymbol.toLowerCase()).slice(1, -1));
  }
}

/** True for a channel that is asked for in the same words for every instrument. */
function isShared(
  adapter: FeedAdapter,
  channel: Channel,
  subscriptions: readonly FeedSubscription[],
): boolean {
  const [first, second] = subscriptions
    .filter((each) => each.channel === channel)
    .slice(0, 2)
    .map((each) => adapter.subscribeFrames([each], { requestId: 1, bookDepth: 10 }).join());
  return first !== undefined && first !== "" && first === second;
}

function isEndpoint(adapter: FeedAdapter, url: string): boolean {
  const { webSocket, derivativesWebSocket } = adapter.endpoints;
  return [webSocket, derivativesWebSocket].some(
    (endpoint) => endpoint !== undefined && url.startsWith(endpoint),
  );
}

function syncOf(adapter: FeedAdapter, instrument: Instrument): BookSync {
  return adapter.bookSyncOf?.(instrument, { bookDepth: 1000 }) ?? adapter.bookSync;
}

function keyOf({ instrument, channel }: FeedSubscription): string {
  return `${instrument.symbol}/${channel}`;
}

/** True for an id that says what is asked for, as a market's name does, and not in which frame. */
function isNamedBy(id: unknown, subscriptions: readonly FeedSubscription[]): boolean {
  return subscriptions.some(({ instrument }) => String(id).startsWith(instrument.venueSymbol));
}

/** The ids that answers will repeat, one a frame; undefined where a frame has none. */
function idsOf(frames: readonly string[]): unknown[] {
  return frames.map((frame) => {
    const parsed = JSON.parse(frame) as { id?: unknown; req_id?: unknown; reqid?: unknown };
    return parsed.id ?? parsed.req_id ?? parsed.reqid;
  });
}
