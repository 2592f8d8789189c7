import { GetStatusRequestCodec, ListInstrumentsRequestCodec } from "@tickwire/proto/service";
import type { Instrument } from "@tickwire/proto/service";
import { beforeEach, describe, expect, test } from "vitest";
import { Buffer } from "node:buffer";
import { ANYBODY } from "#test/support/principals.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { Turns } from "../turns/turns.ts";
import { getStatus } from "./get-status.ts";
import { VenueGates } from "./ingestor-query.ts";
import { listInstruments } from "./list-instruments.ts";

const VENUES = ["one", "two"];
const SYMBOLS = Array.from({ length: 1_500 }, (_, index) => `S${String(index).padStart(4, "0")}`);

let turnEnds: (() => void)[];
let nowUs: number;
let spent: number;
let spendMax: number;

const instrument = (venue: string, symbol: string): Instrument =>
  ({ venue, symbol, base: symbol, quote: "USD", channels: ["CHANNEL_TRADES"] }) as never;

const catalog = {
  venues: VENUES,
  standingOf: (venue: string) =>
    VENUES.includes(venue) ? "listed" : venue === "late" ? "not-ready" : "unknown",
  partitionsOf: (venue: string) => [{ venue, shardIndex: 0, shardCount: 0 }],
  partitionOf: (venue: string) => ({ venue, shardIndex: 0, shardCount: 0 }),
  partLostSinceUs: () => 7,
  instrument: (venue: string, symbol: string) =>
    SYMBOLS.includes(symbol) ? instrument(venue, symbol) : undefined,
  find: (venue: string, symbol: string) => instrument(venue, symbol),
  *instrumentsAfter(venue: string, symbol: string) {
    for (const each of SYMBOLS) {
      nowUs += 2;
      if (each > symbol) yield instrument(venue, each);
    }
  },
} as unknown as Catalog;

beforeEach(() => {
  turnEnds = [];
  nowUs = 0;
  spent = 0;
  spendMax = Infinity;
});

function context() {
  const turns = new Turns({
    clock: { nowUs: () => nowUs, monotonicUs: () => nowUs, after: () => () => {} },
    scheduler: { endOfTurn: (callback) => void turnEnds.push(callback) },
  });
  const spend = (requests: number): void => {
    spent += requests;
    if (spent > spendMax) throw new Error("too expensive");
  };
  const { signal } = new AbortController();
  return { line: turns.open(), spend, signal, principal: ANYBODY };
}

/** Lets turns end until nothing is left; says how long the longest was, in microseconds. */
function longestTurn(): number {
  let longestUs = 0;
  while (turnEnds.length > 0) {
    const beforeUs = nowUs;
    for (const callback of turnEnds.splice(0)) callback();
    longestUs = Math.max(longestUs, nowUs - beforeUs);
  }
  return longestUs;
}

function list(request: { pageToken?: string; pageSize?: number; venue?: string; base?: string }) {
  const work = context();
  const whole = ListInstrumentsRequestCodec.decode(ListInstrumentsRequestCodec.encode(request));
  const answer = work.line.run(listInstruments(catalog, whole, work));
  return { answer, longestUs: longestTurn() };
}

describe("a list of instruments", () => {
  test.each([
    ["nowhere", "not_found", "UNKNOWN_VENUE"],
    ["late", "unavailable", "NOT_READY"],
  ])("of the venue %s is refused: %s, %s", async (venue, code, reason) => {
    await expect(list({ venue }).answer).rejects.toMatchObject({ code, detail: { reason } });
  });

  test("comes in pages that neither repeat nor skip, over venues", async () => {
    const seen: string[] = [];
    let pageToken = "";
    let pages = 0;
    do {
      const { instruments, nextPageToken } = await list({ pageToken }).answer;
      seen.push(...instruments.map(({ venue, symbol }) => `${venue}:${symbol}`));
      pageToken = nextPageToken;
      pages += 1;
    } while (pageToken !== "");
    expect(pages).toBe(3);
    expect(seen).toEqual(VENUES.flatMap((venue) => SYMBOLS.map((symbol) => `${venue}:${symbol}`)));
  });

  test("of a filter that matches nothing takes turns of no more than a millisecond", async () => {
    const { answer, longestUs } = list({ base: "none" });
    expect((await answer).instruments).toEqual([]);
    expect(nowUs).toBe(6_000);
    expect(longestUs).toBeLessThanOrEqual(1_000 + 64 * 2);
  });

  test("of one venue looks at no other", async () => {
    expect((await list({ venue: "two", pageSize: 1 }).answer).instruments).toHaveLength(1);
    expect(nowUs).toBeLessThanOrEqual(4);
  });

  test("is paid for by the size of its page", async () => {
    await list({ pageSize: 1_000 }).answer;
    expect(spent).toBe(2);
    spendMax = 2.5;
    await expect(list({ pageSize: 1_000 }).answer).rejects.toThrow("too expensive");
  });
});

describe("the status of a lost venue", () => {
  const status = (request: {
    symbol?: string;
    pageToken?: string;
    pageSize?: number;
    health?: boolean;
  }) => {
    const bytes = GetStatusRequestCodec.encode({ venue: "one", ...request });
    const asked = { catalog, bus: undefined as never, queryTimeoutMs: 1, gates: new VenueGates() };
    const parts = { ...asked, busLatencyOf: () => undefined };
    return getStatus(parts, GetStatusRequestCodec.decode(bytes), context());
  };

  test("comes in pages of 200 instruments", async () => {
    const first = await status({});
    expect(first.statuses).toHaveLength(200);
    expect(first.statuses[0]?.status).toMatchObject({ state: "TOPIC_STATE_DOWN", sinceTimeUs: 7 });
    const second = await status({ pageToken: first.nextPageToken });
    expect(second.statuses[0]?.symbol).toBe("S0200");
    const end = await status({ pageToken: Buffer.from("one:S1399").toString("base64url") });
    expect([end.statuses.length, end.nextPageToken]).toEqual([100, ""]);
  });

  test("says of its health why there is none, and since when", async () => {
    const { health } = await status({ health: true });
    expect(health).toMatchObject([
      { venue: "one", state: "TOPIC_STATE_DOWN", reason: "ingestor-lost", sinceTimeUs: 7 },
    ]);
    expect(health[0]?.publishedToGateway).toBeUndefined();
    expect((await status({})).health).toEqual([]);
  });

  test("is paid for by the size of its page", async () => {
    await status({});
    expect(spent).toBe(2);
    await status({ symbol: "S0001" });
    expect(spent).toBe(2);
  });

  test.each([1, 199, 200])("takes a page size of %i", async (pageSize) => {
    expect((await status({ pageSize })).statuses).toHaveLength(pageSize);
  });

  test("refuses a page size of 201, and a token that is none", async () => {
    await expect(status({ pageSize: 201 })).rejects.toThrow("page_size 201 exceeds 200");
    await expect(status({ pageToken: "x" })).rejects.toThrow(
      "page_token is not one of this request",
    );
  });
});
