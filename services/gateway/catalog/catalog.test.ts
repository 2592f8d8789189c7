import { setImmediate as nextTurn } from "node:timers/promises";
import type { Announcement } from "@tickwire/proto/messages";
import type { Instrument } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { isVenueId } from "#core/topic.ts";
import { announceSubject, DISCOVER_SUBJECT, queryPattern, querySubject } from "#bus/subject.ts";
import {
  decodeCatalogRequest,
  encodeAnnouncement,
  encodeCatalogReply,
  encodeQueryError,
  encodeQueryReply,
} from "#wire/bus-codec.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { immediateScheduler } from "../turns/scheduler.ts";
import { Turns } from "../turns/turns.ts";
import { Catalog } from "./catalog.ts";
import type { CatalogEvent } from "./catalog.ts";

const INTERVAL_MS = 2_000;
/** By ingestor; they have no order. */
const EPOCHS: Readonly<Record<string, number>> = { one: 9_007_199_254_740_991, two: 3 };

function instrument(symbol: string, channels = ["CHANNEL_TRADES"], venue = "fake"): Instrument {
  const venueSymbol = symbol.replace("-", "").toLowerCase();
  return { venue, symbol, venueSymbol, channels } as unknown as Instrument;
}

/** A catalog that hears announcements and fetches what `listed` says. */
class Rig {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus({ clock: this.clock });
  readonly metrics = createGatewayMetrics(new Registry());
  readonly logged: string[] = [];
  readonly events: string[] = [];
  /** Whom the catalog followed, one after the other. */
  readonly followed: string[] = [];
  readonly catalog: Catalog;
  readonly #ingestors: {
    readonly publisherId: string;
    readonly subscription: { unsubscribe(): void };
  }[] = [];
  listed: Instrument[] = [];
  incomplete = false;
  /** Of the catalog, as announced last. */
  version = 1;
  refuses = false;
  /** Says that more follows behind the last symbol, and says the same again. */
  more = false;
  pageSize = 1_000;
  /** Pages of which each has another version than the one before. */
  versionsToCome = 0;
  fetches = 0;
  /** What is answered to whoever has a version; undefined answers with everything. */
  difference: { readonly since: number; readonly removed: readonly string[] } | undefined;
  discoveries = 0;

  constructor(limits: { instrumentsMax?: number; readyVenuesMin?: number } = {}) {
    this.bus.subscribe(DISCOVER_SUBJECT, () => {
      this.discoveries += 1;
    });
    for (const to of [
      { venue: "fake", publisherId: "one" },
      { venue: "fake", publisherId: "two" },
      { venue: "other", publisherId: "one" },
    ]) {
      const subscription = this.bus.subscribe(queryPattern(to), (message) => {
        if (message.subject !== querySubject({ ...to, query: "catalog" })) {
          message.respond(encodeQueryReply(new Uint8Array(0)));
          return;
        }
        this.fetches += 1;
        const { afterSymbol: after, sinceVersion } = decodeCatalogRequest(message.payload);
        const difference = sinceVersion === this.difference?.since ? this.difference : undefined;
        const rest = this.listed.filter(({ symbol }) => this.more || symbol > after);
        if (this.versionsToCome > 0) {
          this.versionsToCome -= 1;
          this.version += 1;
        }
        const reply = encodeCatalogReply({
          catalogVersion: this.version,
          instruments: rest.slice(0, this.pageSize),
          incomplete: this.incomplete,
          more: this.more || rest.length > this.pageSize,
          difference: difference !== undefined,
          removedSymbols: difference?.removed ?? [],
        });
        if (!this.refuses) message.respond(encodeQueryReply(reply));
        else message.respond(encodeQueryError({ code: "CODE_UNAVAILABLE", message: "not yet" }));
      });
      this.#ingestors.push({ ...to, subscription });
    }
    const log = (_fields: object, message: string): void => void this.logged.push(message);
    this.catalog = new Catalog({
      bus: this.bus,
      clock: this.clock,
      logger: { debug: log, info: log, warn: log, error: log },
      metrics: this.metrics,
      turns: new Turns({ clock: this.clock, scheduler: immediateScheduler }),
      limits: {
        queryTimeoutMs: 100,
        instrumentsMax: limits.instrumentsMax ?? 100,
        readyVenuesMin: limits.readyVenuesMin ?? 1,
        discoveryMs: 1_000,
      },
    });
    this.catalog.onEvent((event) => {
      if (event.kind === "publisher") this.followed.push(event.publisher.publisherId);
      else this.events.push(describeEvent(event));
    });
  }

  /** The ingestor is not on the bus any more. */
  stop(publisherId: string): void {
    for (const ingestor of this.#ingestors) {
      if (ingestor.publisherId === publisherId) ingestor.subscription.unsubscribe();
    }
  }

  async count(name: "catalogFetchesFailed" | "announcementsRefused"): Promise<number> {
    const { values } = await this.metrics[name].get();
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  async announce(
    catalogVersion: number,
    options: Partial<Announcement> = {},
    falsify: () => void = () => {},
  ) {
    const identity = { ingestorId: "one", epoch: EPOCHS[options.ingestorId ?? "one"] ?? 0 };
    const announcement = { ...identity, venue: "fake", catalogVersion, ...options };
    if (catalogVersion > 0) this.version = catalogVersion;
    falsify();
    const where = isVenueId(announcement.venue) ? announcement.venue : "fake";
    this.bus.publish(announceSubject(where), encodeAnnouncement(announcement));
    await this.settle();
  }

  async list(symbols: readonly string[], catalogVersion: number): Promise<void> {
    this.listed = symbols.map((symbol) => instrument(symbol));
    await this.announce(catalogVersion);
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn += 1) await nextTurn();
  }

  get symbols(): string[] {
    return Array.from(this.catalog.instruments(), ({ venue, symbol }) => `${venue}:${symbol}`);
  }
}

function describeEvent(event: CatalogEvent): string {
  if (event.kind === "progress") return `progress ${event.venue} ${JSON.stringify(event.topics)}`;
  if (event.kind !== "changed") return `${event.kind} ${event.partition.venue}`;
  const symbols = (list: Iterable<Instrument>) =>
    Array.from(list, ({ symbol }) => symbol).join(" ");
  return `changed ${event.venue} +[${symbols(event.added.values())}] -[${symbols(event.removed)}]`;
}

describe("an announcement", () => {
  test("of a new catalog version has the catalog fetched; of the same it has not", async () => {
    const rig = new Rig();
    await rig.list(["B-USD", "A-USD"], 1);
    expect(rig.symbols).toEqual(["fake:A-USD", "fake:B-USD"]);
    await rig.announce(1);
    expect(rig.fetches).toBe(1);
    expect(rig.events).toEqual(["changed fake +[A-USD B-USD] -[]"]);
  });

  test("of version 0 says that the ingestor does not know its instruments yet", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    await rig.announce(0);
    expect(rig.fetches).toBe(1);
    expect(rig.symbols).toEqual(["fake:A-USD"]);
  });

  test("of a second ingestor has no catalog fetched while the first is there", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    await rig.announce(2, { ingestorId: "two" });
    expect(rig.fetches).toBe(1);
    expect(rig.followed).toEqual(["one"]);
  });

  test("of a second ingestor is its catalog as soon as the first has left", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    await rig.announce(1, { ingestorId: "two" });
    await rig.announce(1, { leaving: true });
    await rig.announce(1, { ingestorId: "two" });
    expect(rig.fetches).toBe(2);
    expect(rig.followed).toEqual(["one", "two"]);
    expect(rig.catalog.publisherOf("fake", "A-USD")).toMatchObject({
      publisherId: "two",
      epoch: 3,
    });
  });

  test("of a second ingestor is its catalog at once if nobody answers for the first", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    rig.stop("one");
    await rig.announce(1, { ingestorId: "two" });
    await rig.announce(1, { ingestorId: "two" });
    expect(rig.followed).toEqual(["one", "two"]);
    expect(rig.fetches).toBe(2);
  });

  test("of an ingestor that names no epoch, or another than before, is refused", async () => {
    const rig = new Rig();
    await rig.announce(1, { epoch: 0 });
    await rig.announce(1, { ingestorId: "a.b", epoch: 8 });
    expect(rig.followed).toEqual([]);
    await rig.announce(1);
    await rig.announce(2, { epoch: 8 });
    expect([rig.followed, rig.fetches]).toEqual([["one"], 1]);
    expect((await rig.metrics.announcementsRefused.get()).values[0]?.value).toBe(3);
  });

  test("tells where topics stand if it is that of the followed ingestor", async () => {
    const rig = new Rig();
    const progress = [{ symbol: "A-USD", channel: "CHANNEL_BOOK" as const, sequence: 7 }];
    await rig.announce(0);
    await rig.announce(0, { progress });
    await rig.announce(0, { ingestorId: "two", progress });
    expect(rig.events).toEqual([
      'progress fake [{"symbol":"A-USD","channel":"book","sequence":7}]',
    ]);
  });

  test("that cannot be read is logged and does nothing", async () => {
    const rig = new Rig();
    rig.bus.publish(announceSubject("fake"), Uint8Array.of(0xff, 0xff));
    await rig.settle();
    expect(rig.logged).toEqual(["an announcement could not be read"]);
    expect(rig.catalog.venues).toEqual([]);
  });

  test("is asked for when the gateway starts", async () => {
    const rig = new Rig();
    await rig.settle();
    expect(rig.discoveries).toBe(1);
    rig.catalog.discover();
    await rig.settle();
    expect(rig.discoveries).toBe(2);
  });
});

describe("a change", () => {
  test("names what is new and what is gone", async () => {
    const rig = new Rig();
    await rig.list(["A-USD", "B-USD"], 1);
    await rig.list(["B-USD", "C-USD"], 2);
    expect(rig.events.at(-1)).toBe("changed fake +[C-USD] -[A-USD]");
    expect(rig.catalog.instrument("fake", "A-USD")).toBeUndefined();
  });

  test("of an instrument's channels makes it new", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    expect(rig.catalog.instrument("fake", "A-USD")?.channels).toEqual(["CHANNEL_TRADES"]);
    rig.listed = [instrument("A-USD", ["CHANNEL_TRADES", "CHANNEL_BOOK"])];
    await rig.announce(2);
    expect(rig.events.at(-1)).toBe("changed fake +[A-USD] -[]");
    expect(rig.catalog.instrument("fake", "A-USD")?.channels).toContain("CHANNEL_BOOK");
  });

  test("that changes nothing is not told", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    await rig.list(["A-USD"], 2);
    expect(rig.fetches).toBe(2);
    expect(rig.events).toHaveLength(1);
  });
});

test("a catalog that cannot be fetched is asked for again at the next announcement", async () => {
  const rig = new Rig();
  rig.refuses = true;
  await rig.list(["A-USD"], 1);
  expect(rig.logged.slice(1)).toEqual(["the catalog of a venue could not be fetched"]);
  rig.refuses = false;
  await rig.announce(1);
  expect(rig.symbols).toEqual(["fake:A-USD"]);
});

test.each([
  [1, ["fake:A-USD", "fake:B-USD"], 0],
  [0, ["fake:A-USD", "fake:B-USD"], 0],
  [-1, ["fake:A-USD"], 1],
])(
  "with room for %i more than listed, %j are known and %i left out",
  async (room, symbols, left) => {
    const rig = new Rig({ instrumentsMax: 2 + room });
    await rig.list(["A-USD", "B-USD"], 1);
    expect(rig.symbols).toEqual(symbols);
    expect((await rig.metrics.instrumentsLeftOut.get()).values[0]?.value).toBe(left);
  },
);

test("what one venue gives up another may use", async () => {
  const rig = new Rig({ instrumentsMax: 2 });
  await rig.list(["A-USD", "B-USD"], 1);
  await rig.list(["A-USD"], 2);
  rig.listed = [instrument("C-USD", undefined, "other")];
  await rig.announce(1, { venue: "other" });
  expect(rig.symbols).toEqual(["fake:A-USD", "other:C-USD"]);
});

test("an instrument is found by our symbol or the venue's", async () => {
  const rig = new Rig();
  await rig.list(["A-USD"], 1);
  const known = rig.catalog.instrument("fake", "A-USD");
  expect(known?.venueSymbol).toBe("ausd");
  expect(rig.catalog.find("fake", "ausd")).toBe(known);
  expect(rig.catalog.find("fake", "A-USD")).toBe(known);
  expect(rig.catalog.instrument("fake", "ausd")).toBeUndefined();
  expect(rig.catalog.find("other", "A-USD")).toBeUndefined();
});

test("the gateway is ready with readyVenuesMin venues that list something", async () => {
  const rig = new Rig({ readyVenuesMin: 2 });
  await rig.list(["A-USD"], 1);
  await rig.announce(0, { venue: "other" });
  expect(rig.catalog.venues).toEqual(["fake", "other"]);
  expect(rig.catalog.ready).toBe(false);
  rig.listed = [instrument("C-USD", undefined, "other")];
  await rig.announce(1, { venue: "other" });
  expect(rig.catalog.ready).toBe(true);
});

describe("an ingestor that is silent for three intervals", () => {
  test("is lost, since it was heard last; what it listed stays", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    const heardAtUs = rig.clock.nowUs();
    rig.clock.advance(3 * INTERVAL_MS - 1);
    expect(rig.catalog.lostSinceUs("fake", "A-USD")).toBeUndefined();
    rig.clock.advance(1);
    expect(rig.catalog.lostSinceUs("fake", "A-USD")).toBe(heardAtUs);
    expect(rig.events.slice(1)).toEqual(["lost fake"]);
    expect(rig.symbols).toEqual(["fake:A-USD"]);
    rig.clock.advance(10 * INTERVAL_MS);
    expect(rig.events.slice(1)).toEqual(["lost fake"]);
  });

  test("and comes back is told, and its catalog fetched whatever version it has", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    rig.clock.advance(3 * INTERVAL_MS);
    await rig.list(["B-USD"], 1);
    expect(rig.events.slice(1)).toEqual([
      "lost fake",
      "recovered fake",
      "changed fake +[B-USD] -[A-USD]",
    ]);
    expect(rig.catalog.lostSinceUs("fake", "A-USD")).toBeUndefined();
  });

  test("is not lost while it announces itself", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    for (let interval = 0; interval < 6; interval += 1) {
      rig.clock.advance(INTERVAL_MS);
      await rig.announce(1);
    }
    expect(rig.events).toHaveLength(1);
  });
});

describe("what cannot be true", () => {
  test.each([
    ["an empty list", (rig: Rig) => void (rig.listed = [])],
    ["a version before the one that was announced", (rig: Rig) => void (rig.version = 1)],
    ["pages without end", (rig: Rig) => void (rig.more = true)],
  ])("%s takes nothing away, is counted, and is asked for again", async (_, falsify) => {
    const rig = new Rig();
    await rig.list(["A-USD", "B-USD"], 2);
    const right = rig.listed;
    await rig.announce(3, {}, () => falsify(rig));
    expect([...rig.catalog.instrumentsOf("fake")]).toHaveLength(2);
    expect(await rig.count("catalogFetchesFailed")).toBe(1);
    rig.more = false;
    rig.listed = [...right, instrument("C-USD")];
    await rig.announce(3);
    expect([...rig.catalog.instrumentsOf("fake")]).toHaveLength(3);
  });

  test("another venue's instruments are not this one's", async () => {
    const rig = new Rig();
    rig.listed = [instrument("A-USD"), { ...instrument("B-USD"), venue: "other" }];
    await rig.announce(1);
    expect([...rig.catalog.instrumentsOf("fake")].map(({ symbol }) => symbol)).toEqual(["A-USD"]);
  });

  test("a venue that is announced on another's subject is none", async () => {
    const rig = new Rig();
    rig.listed = [instrument("A-USD")];
    const announcement = { ingestorId: "one", venue: "fake", catalogVersion: 1, epoch: 5 };
    rig.bus.publish(announceSubject("other"), encodeAnnouncement(announcement));
    await rig.settle();
    expect(rig.catalog.venues).toEqual([]);
    expect(await rig.count("announcementsRefused")).toBe(1);
  });
});

describe("a catalog of several pages", () => {
  const SYMBOLS = Array.from({ length: 7 }, (_, index) => `S${index}-USD`);

  test("is the same as in one", async () => {
    const rig = new Rig();
    rig.pageSize = 3;
    await rig.list(SYMBOLS, 1);
    expect([...rig.catalog.instrumentsOf("fake")].map(({ symbol }) => symbol)).toEqual(SYMBOLS);
    expect(rig.fetches).toBe(3);
  });

  test("is fetched anew if it changes meanwhile, and given up if it does so again and again", async () => {
    const rig = new Rig();
    rig.pageSize = 3;
    rig.versionsToCome = 2;
    await rig.list(SYMBOLS, 1);
    expect([...rig.catalog.instrumentsOf("fake")]).toHaveLength(7);
    rig.versionsToCome = 100;
    await rig.announce(10);
    for (let turn = 0; turn < 10; turn += 1) await rig.settle();
    expect(await rig.count("catalogFetchesFailed")).toBe(1);
    expect([...rig.catalog.instrumentsOf("fake")]).toHaveLength(7);
  });
});

describe("many venues", () => {
  const made = (rig: Rig, index: number, catalogVersion = 0) =>
    rig.announce(catalogVersion, {
      venue: `v${index}`,
      ingestorId: "one",
      announceIntervalMs: 1_000,
    });

  test("that are announced by nobody who has a catalog make room, the oldest first", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    for (let index = 0; index < 3_000; index += 1) await made(rig, index);
    expect(rig.catalog.venues).toHaveLength(1_000);
    expect(rig.catalog.venues).toContain("v2999");
    expect(rig.catalog.instrument("fake", "A-USD")).toBeDefined();
    await rig.announce(1, { venue: "other" });
    expect(rig.catalog.venues).toContain("other");
  });

  test("without a catalog are forgotten when their ingestor is lost", async () => {
    const rig = new Rig();
    for (let index = 0; index < 10; index += 1) await made(rig, index);
    for (let second = 0; second < 10; second += 1) {
      rig.clock.advance(1_000);
      await rig.settle();
    }
    expect(rig.catalog.venues).toEqual([]);
    expect(rig.events).toEqual([]);
  });

  test("with a catalog are forgotten an hour after they were lost, and not before", async () => {
    const rig = new Rig();
    await rig.list(["A-USD"], 1);
    rig.stop("one");
    for (let second = 0; second < 10; second += 1) {
      rig.clock.advance(1_000);
      await rig.settle();
    }
    expect(rig.catalog.lostSinceUs("fake", "A-USD")).toBeDefined();
    rig.clock.advance(3_589_000);
    expect(rig.catalog.instrument("fake", "A-USD")).toBeDefined();
    rig.clock.advance(11_000);
    expect(rig.catalog.venues).toEqual([]);
    expect(rig.events.at(-1)).toBe("changed fake +[] -[A-USD]");
  });
});

test("after closing nothing is heard, fetched or lost, not even what was on its way", async () => {
  const rig = new Rig();
  await rig.settle();
  rig.listed = [instrument("A-USD")];
  const announcement = { ingestorId: "one", venue: "fake", catalogVersion: 1, epoch: 5 };
  rig.bus.publish(announceSubject("fake"), encodeAnnouncement(announcement));
  await nextTurn();
  rig.catalog.close();
  rig.catalog.close();
  await rig.announce(2);
  rig.clock.advance(10 * INTERVAL_MS);
  expect([rig.symbols, rig.events]).toEqual([[], []]);
  expect(rig.logged).toEqual(["the venue is followed from this ingestor"]);
  expect(rig.clock.pending).toBe(0);
});

test("names on the bus follow the rules of topics, whoever publishes them", async () => {
  const rig = new Rig();
  const names = ["BTC-USD", "\u001b[2J", "A\nB", "\u202eX", "A:B", "*", "X".repeat(300), "币-USD"];
  rig.listed = names.map((name) => instrument(name));
  await rig.announce(1);
  await rig.announce(1, { venue: "Fake\u001b[2J" });
  await rig.announce(1, { venue: "" });
  expect(rig.catalog.venues).toEqual(["fake"]);
  expect([...rig.catalog.instrumentsOf("fake")].map(({ symbol }) => symbol)).toEqual([
    "BTC-USD",
    "币-USD",
  ]);
});

describe("a venue", () => {
  test("that nobody announces is unknown when those who are there have had the time to say so", async () => {
    const rig = new Rig();
    expect(rig.catalog.standingOf("nowhere")).toBe("not-ready");
    await rig.list(["A-USD"], 1);
    rig.clock.advance(999);
    expect(rig.catalog.standingOf("nowhere")).toBe("not-ready");
    rig.clock.advance(1);
    expect(rig.catalog.standingOf("nowhere")).toBe("unknown");
    rig.catalog.discover();
    expect(rig.catalog.standingOf("nowhere")).toBe("not-ready");
  });

  test("is never unknown to a gateway that knows too few venues to be ready", () => {
    const rig = new Rig();
    rig.clock.advance(60_000);
    expect(rig.catalog.standingOf("nowhere")).toBe("not-ready");
  });

  test("is listed when its catalog is there and whole", async () => {
    const rig = new Rig();
    await rig.announce(0);
    expect(rig.catalog.standingOf("fake")).toBe("not-ready");
    rig.incomplete = true;
    await rig.list(["A-USD"], 1);
    expect(rig.catalog.standingOf("fake")).toBe("not-ready");
    rig.incomplete = false;
    await rig.list(["A-USD"], 2);
    expect(rig.catalog.standingOf("fake")).toBe("listed");
  });

  test("that lists anew loses nothing until its list is whole again", async () => {
    const rig = new Rig();
    await rig.list(["A-USD", "B-USD"], 1);
    rig.incomplete = true;
    await rig.list(["C-USD"], 2);
    expect(rig.symbols).toEqual(["fake:A-USD", "fake:B-USD", "fake:C-USD"]);
    expect(rig.events.at(-1)).toBe("changed fake +[C-USD] -[]");
    rig.incomplete = false;
    await rig.list(["B-USD", "C-USD"], 3);
    expect(rig.events.at(-1)).toBe("changed fake +[] -[A-USD]");
  });
});

describe("a venue's own symbol", () => {
  const listing = (symbol: string, venueSymbol: string, kind: string): Instrument => {
    return { ...instrument(symbol), venueSymbol, kind: `INSTRUMENT_KIND_${kind}` } as Instrument;
  };

  test("names its instrument, and Tickwire's symbol comes first", async () => {
    const rig = new Rig();
    rig.listed = [listing("A-USD", "B-USD", "SPOT"), listing("B-USD", "AUSD", "SPOT")];
    await rig.announce(1);
    expect(rig.catalog.find("fake", "AUSD")?.symbol).toBe("B-USD");
    expect(rig.catalog.find("fake", "B-USD")?.symbol).toBe("B-USD");
  });

  test("of several instruments names spot first, then a perpetual, then the first of the rest", async () => {
    const rig = new Rig();
    const dated = [listing("A-USD-2", "AUSD", "FUTURE"), listing("A-USD-1", "AUSD", "FUTURE")];
    rig.listed = dated;
    await rig.announce(1);
    expect(rig.catalog.find("fake", "AUSD")?.symbol).toBe("A-USD-1");
    rig.listed = [...dated, listing("A-USD-PERP", "AUSD", "PERPETUAL")];
    await rig.announce(2);
    expect(rig.catalog.find("fake", "AUSD")?.symbol).toBe("A-USD-PERP");
    rig.listed = [listing("A-USD", "AUSD", "SPOT"), ...rig.listed];
    await rig.announce(3);
    expect(rig.catalog.find("fake", "AUSD")?.symbol).toBe("A-USD");
  });
});

describe("of a catalog that is known already", () => {
  async function known() {
    const rig = new Rig();
    rig.listed = [instrument("A-USD"), instrument("B-USD"), instrument("C-USD")];
    await rig.announce(7);
    rig.events.length = 0;
    return rig;
  }
  const symbols = (rig: Rig) => [...rig.catalog.instrumentsOf("fake")].map(({ symbol }) => symbol);

  test("only the difference is fetched: what came, what changed and what went", async () => {
    const rig = await known();
    rig.difference = { since: 7, removed: ["B-USD"] };
    rig.listed = [instrument("A-USD", ["CHANNEL_TRADES", "CHANNEL_BOOK"]), instrument("D-USD")];
    await rig.announce(9);
    expect(symbols(rig)).toEqual(["A-USD", "C-USD", "D-USD"]);
    expect(rig.events).toEqual(["changed fake +[A-USD D-USD] -[B-USD]"]);
    rig.catalog.close();
  });

  test("all may go by a difference, and by nothing else", async () => {
    const rig = await known();
    rig.listed = [];
    await rig.announce(8);
    expect(symbols(rig)).toHaveLength(3);
    rig.difference = { since: 7, removed: ["A-USD", "B-USD", "C-USD"] };
    await rig.announce(9);
    expect(symbols(rig)).toEqual([]);
    rig.catalog.close();
  });

  test("everything is taken from a publisher that does not know the version any more", async () => {
    const rig = await known();
    rig.difference = { since: 3, removed: [] };
    rig.listed = [instrument("A-USD")];
    await rig.announce(9);
    expect(symbols(rig)).toEqual(["A-USD"]);
    rig.catalog.close();
  });

  test("pages of a difference that have nothing and promise more are not asked for on and on", async () => {
    const rig = await known();
    rig.difference = { since: 7, removed: [] };
    rig.listed = [];
    rig.more = true;
    await rig.announce(9);
    expect(symbols(rig)).toHaveLength(3);
    expect(await rig.count("catalogFetchesFailed")).toBe(1);
    rig.catalog.close();
  });
});

test("a shard without an instrument is one that is known, and the venue with it", async () => {
  const rig = new Rig();
  await rig.announce(0, { shardIndex: 1, shardCount: 2 });
  rig.listed = [];
  await rig.announce(1, { shardIndex: 2, shardCount: 2, ingestorId: "two" });
  expect(rig.catalog.standingOf("fake")).toBe("not-ready");
  rig.listed = [instrument("A-USD")];
  await rig.announce(2, { shardIndex: 1, shardCount: 2 });
  expect(rig.catalog.standingOf("fake")).toBe("listed");
  expect([...rig.catalog.instrumentsOf("fake")]).toHaveLength(1);
  expect(await rig.count("catalogFetchesFailed")).toBe(0);
});

test("an empty list of whoever has not listed everything yet is none", async () => {
  const rig = new Rig();
  rig.incomplete = true;
  await rig.announce(1);
  expect(await rig.count("catalogFetchesFailed")).toBe(1);
  expect(rig.catalog.standingOf("fake")).toBe("not-ready");
});
