import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BookRow, QuoteRow } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import type { BookEvent, MarketEvent, Quote, Status } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ConsolidatedInstrument, SOURCES_MAX } from "./consolidated-instrument.ts";
import type { SizeFactor } from "./exact-sizes.ts";
import type { Source } from "./source.ts";

const ONE: SizeFactor = { mantissa: 1n, scale: 0 };
const TIMES = { venueTimeUs: undefined, receivedTimeUs: 5 };

function create(sources: readonly SizeFactor[] = [ONE, ONE]) {
  const instrument = { ...fakeInstrument("BTC-USD"), venue: "consolidated" };
  const events: MarketEvent[] = [];
  const consolidated = new ConsolidatedInstrument({
    instrument,
    channels: new Set(["quotes", "book", "ticker"]),
    emit: (event) => void events.push(event),
  });
  const added = sources.map((factor, index) => {
    const source = { ...fakeInstrument("BTC-USD"), venue: `v${index}` };
    const share = { ...instrument, symbol: `BTC-USD@v${index}.BTC-USD` };
    return consolidated.add({ instrument: source, share, factor }) as Source;
  });
  const of = <Kind extends MarketEvent["kind"]>(kind: Kind, whose = instrument) =>
    events.filter((event) => event.kind === kind && event.instrument === whose) as Extract<
      MarketEvent,
      { kind: Kind }
    >[];
  return { consolidated, added, events, of, instrument };
}

function quote(bid: string, bidSize: string, ask: string, askSize: string, scale = 2): QuoteRow {
  const whole = (text: string): number => Math.round(Number(text) * 10 ** scale);
  return {
    ...TIMES,
    priceScale: scale,
    sizeScale: scale,
    bidPriceMantissa: whole(bid),
    bidSizeMantissa: whole(bidSize),
    askPriceMantissa: whole(ask),
    askSizeMantissa: whole(askSize),
  };
}

/** As text, because scales may differ and values not. */
const textOf = (event: Quote | QuoteRow): string[] => [
  formatDecimal(event.bidPriceMantissa, event.priceScale),
  formatDecimal(event.bidSizeMantissa, event.sizeScale),
  formatDecimal(event.askPriceMantissa, event.priceScale),
  formatDecimal(event.askSizeMantissa, event.sizeScale),
];
const wordsOf = ({ channel, state, reason }: Status): string => `${channel} ${state} ${reason}`;
const status = (state: Status["state"], reason: string, channel: Status["channel"] = "quotes") => ({
  ...TIMES,
  channel,
  state,
  reason,
  sinceTimeUs: 1,
});

describe("a consolidated quote", () => {
  test("has the best price of each side, and the size of all who have it", () => {
    const { consolidated, added, of } = create();
    consolidated.onQuote(added[0]!, quote("99", "1", "101", "2"));
    consolidated.onQuote(added[1]!, quote("99.000", "0.5", "100.5", "4", 3));
    expect(of("quote").map(textOf)).toEqual([
      ["99", "1", "101", "2"],
      ["99", "1.5", "100.5", "4"],
    ]);
    const shares = added.map(({ share }) => of("quote", share).map(textOf));
    expect(shares).toEqual([[["99", "1", "101", "2"]], [["99", "0.5", "100.5", "4"]]]);
  });

  test("is not told again where a venue of finer prices joins that is not the best", () => {
    const { consolidated, added, of, instrument } = create();
    consolidated.onQuote(added[0]!, quote("99", "1", "101", "2", 1));
    consolidated.onQuote(added[1]!, quote("98.001", "0.5", "102", "4", 3));
    expect(of("quote").map(textOf)).toEqual([["99", "1", "101", "2"]]);
    expect(of("status", instrument).map(wordsOf)).toContain("quotes live data");
    consolidated.onQuote(added[1]!, quote("98.001", "0.5", "100.999", "4", 3));
    consolidated.onQuote(added[1]!, quote("98.001", "0.5", "102", "4", 3));
    expect(of("quote").map(textOf)).toEqual([
      ["99", "1", "101", "2"],
      ["99", "1", "100.999", "4"],
      ["99", "1", "101", "2"],
    ]);
  });

  test("leaves out who is stale, halted or crossed in itself, and says so", () => {
    const { consolidated, added, of, instrument } = create();
    const [one, two] = added as [Source, Source];
    consolidated.onQuote(one, quote("99", "1", "101", "2"));
    consolidated.onQuote(two, quote("100", "1", "101", "2"));
    consolidated.onStatus(two, status("stale", "silent"));
    consolidated.onStatus(two, status("live", "data"));
    const halted = { ...status("live", "halted", "status"), instrumentState: "halted" as const };
    consolidated.onStatus(two, halted);
    const trading = { ...status("live", "trading", "status"), instrumentState: "trading" as const };
    consolidated.onStatus(two, trading);
    consolidated.onQuote(two, quote("102", "1", "101", "2"));
    consolidated.onQuote(two, quote("100", "3", "101", "2"));
    expect(of("quote").map((event) => textOf(event)[0])).toEqual([
      "99",
      "100",
      "99",
      "100",
      "99",
      "100",
      "99",
      "100",
    ]);
    expect(
      of("status", two.share)
        .map(wordsOf)
        .filter((words) => words.startsWith("q")),
    ).toEqual([
      "quotes live data",
      "quotes stale silent",
      "quotes live data",
      "quotes stale halted",
      "quotes live data",
      "quotes stale crossed",
      "quotes live data",
    ]);
    const whole = of("status", instrument)
      .map(wordsOf)
      .filter((words) => words.startsWith("q"));
    expect(whole.slice(0, 3)).toEqual([
      "quotes live sources-set-aside",
      "quotes live data",
      "quotes live sources-set-aside",
    ]);
    // Who is set aside has no part.
    expect(of("quote", two.share).map(textOf)).toContainEqual(["0", "0", "0", "0"]);
  });

  test("is crossed where one venue bids what another asks, and says so", () => {
    const { consolidated, added, of } = create();
    consolidated.onQuote(added[0]!, quote("99", "1", "100", "2"));
    consolidated.onQuote(added[1]!, quote("100", "1", "101", "2"));
    expect(textOf(of("quote").at(-1)!)).toEqual(["100", "1", "100", "2"]);
    expect(wordsOf(of("status").at(-1)!)).toBe("quotes live crossed");
  });

  test("is gone with its last source", () => {
    const { consolidated, added, of } = create([ONE]);
    consolidated.onQuote(added[0]!, quote("99", "1", "100", "2"));
    consolidated.remove(added[0]!, 9);
    expect(textOf(of("quote").at(-1)!)).toEqual(["0", "0", "0", "0"]);
    expect(of("status").map(wordsOf)).toContain("quotes stale no-source");
  });

  test("counts contracts by what they are worth", () => {
    const { consolidated, added, of } = create([{ mantissa: 5n, scale: 3 }]);
    consolidated.onQuote(added[0]!, quote("99", "3", "100", "7"));
    expect(textOf(of("quote").at(-1)!)).toEqual(["99", "0.015", "100", "0.035"]);
  });

  test("is the best of all that are used, whatever comes in which order", () => {
    const sizes = fc.integer({ min: 0, max: 3 });
    const step = fc.record({
      source: fc.integer({ min: 0, max: 3 }),
      bid: fc.integer({ min: 90, max: 100 }),
      ask: fc.integer({ min: 97, max: 105 }),
      bidSize: sizes,
      askSize: sizes,
      scale: fc.constantFrom(0, 1, 4),
      state: fc.constantFrom("live" as const, "live" as const, "stale" as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { consolidated, added, of } = create([ONE, ONE, ONE, ONE]);
        const last = new Map<number, (typeof steps)[number]>();
        for (const each of steps) {
          last.set(each.source, each);
          const { source, scale, state } = each;
          const at = (value: number): number => value * 10 ** scale;
          consolidated.onStatus(added[source]!, status(state, "said"));
          consolidated.onQuote(added[source]!, {
            ...TIMES,
            priceScale: scale,
            sizeScale: scale,
            bidPriceMantissa: each.bidSize === 0 ? 0 : at(each.bid),
            bidSizeMantissa: at(each.bidSize),
            askPriceMantissa: each.askSize === 0 ? 0 : at(each.ask),
            askSizeMantissa: at(each.askSize),
          });
          expect(textOf(of("quote").at(-1) ?? quote("0", "0", "0", "0"))).toEqual(bruteForce(last));
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Written without the code under test: all quotes that count, looked through. */
function bruteForce(
  last: ReadonlyMap<
    number,
    { bid: number; ask: number; bidSize: number; askSize: number; state: string }
  >,
): string[] {
  const used = [...last.values()].filter(({ state, bid, ask, bidSize, askSize }) => {
    return state === "live" && (bidSize === 0 || askSize === 0 || bid < ask);
  });
  const bids = used.filter(({ bidSize }) => bidSize > 0);
  const asks = used.filter(({ askSize }) => askSize > 0);
  const bid = Math.max(...bids.map((each) => each.bid));
  const ask = Math.min(...asks.map((each) => each.ask));
  const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
  return [
    bids.length === 0 ? "0" : String(bid),
    String(sum(bids.filter((each) => each.bid === bid).map(({ bidSize }) => bidSize))),
    asks.length === 0 ? "0" : String(ask),
    String(sum(asks.filter((each) => each.ask === ask).map(({ askSize }) => askSize))),
  ];
}

type Level = readonly [price: number, size: number];

function book(
  snapshot: boolean,
  bids: readonly Level[],
  asks: readonly Level[],
  scale = 0,
): BookRow {
  const columns = (levels: readonly Level[]) => ({
    prices: levels.map(([price]) => price * 10 ** scale),
    sizes: levels.map(([, size]) => size * 10 ** scale),
  });
  const scales = { priceScale: scale, sizeScale: scale };
  return { ...TIMES, snapshot, ...scales, bids: columns(bids), asks: columns(asks) };
}

/** What a reader makes of the events: values, not mantissas. */
function levelsOf(events: readonly BookEvent[]): {
  bids: Map<number, number>;
  asks: Map<number, number>;
} {
  const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  for (const event of events) {
    for (const side of ["bids", "asks"] as const) {
      if (event.snapshot) sides[side].clear();
      for (const [index, price] of event[side].prices.entries()) {
        const value = Number(price) / 10 ** event.priceScale;
        const size = Number(event[side].sizes[index]) / 10 ** event.sizeScale;
        if (size === 0) sides[side].delete(value);
        else sides[side].set(value, size);
      }
    }
  }
  return sides;
}

describe("a consolidated book", () => {
  test("has at each price the size of all that have it", () => {
    const { consolidated, added, of } = create();
    consolidated.onBook(
      added[0]!,
      book(
        true,
        [
          [99, 1],
          [98, 2],
        ],
        [[101, 1]],
      ),
    );
    consolidated.onBook(
      added[1]!,
      book(
        true,
        [[99, 3]],
        [
          [101, 2],
          [102, 5],
        ],
        2,
      ),
    );
    consolidated.onBook(
      added[0]!,
      book(
        false,
        [
          [99, 0],
          [97, 4],
        ],
        [],
      ),
    );
    const { bids, asks } = levelsOf(of("book"));
    expect(Object.fromEntries(bids)).toEqual({ 99: 3, 98: 2, 97: 4 });
    expect(Object.fromEntries(asks)).toEqual({ 101: 3, 102: 5 });
    expect(of("book").map(({ snapshot }) => snapshot)).toEqual([true, false, false]);
  });

  test("is without a source that is set aside, and has it again as it is by then", () => {
    const { consolidated, added, of } = create();
    const [one, two] = added as [Source, Source];
    consolidated.onBook(one, book(true, [[99, 1]], [[101, 1]]));
    consolidated.onBook(two, book(true, [[99, 3]], [[101, 2]]));
    consolidated.onStatus(two, status("gap", "missing", "book"));
    expect(Object.fromEntries(levelsOf(of("book")).bids)).toEqual({ 99: 1 });
    consolidated.onBook(two, book(false, [[98, 7]], []));
    consolidated.onStatus(two, status("live", "data", "book"));
    expect(Object.fromEntries(levelsOf(of("book")).bids)).toEqual({ 99: 4, 98: 7 });
    expect(of("status", two.share).map(wordsOf)).toContain("book gap missing");
    expect(Object.fromEntries(levelsOf(of("book", two.share)).bids)).toEqual({ 99: 3, 98: 7 });
  });

  test("is without a source of which something is lost, until that comes whole", () => {
    const { consolidated, added, of, instrument } = create();
    consolidated.onBook(added[0]!, book(true, [[99, 1]], [[101, 1]]));
    consolidated.onBook(added[1]!, book(true, [[99, 3]], []));
    consolidated.onLoss(added[1]!, "book", 7);
    consolidated.onBook(added[1]!, book(false, [[99, 9]], []));
    expect(Object.fromEntries(levelsOf(of("book")).bids)).toEqual({ 99: 1 });
    consolidated.onBook(added[1]!, book(true, [[98, 2]], []));
    expect(Object.fromEntries(levelsOf(of("book")).bids)).toEqual({ 99: 1, 98: 2 });
    const live = consolidated.liveBookOf(instrument)!;
    expect([live.bidCount, live.askCount]).toEqual([2, 1]);
  });

  test("is the sum of the books that are used, whatever comes in which order", () => {
    const level = fc.tuple(fc.integer({ min: 90, max: 96 }), fc.integer({ min: 0, max: 3 }));
    const upper = fc.tuple(fc.integer({ min: 97, max: 103 }), fc.integer({ min: 0, max: 3 }));
    const step = fc.record({
      source: fc.integer({ min: 0, max: 2 }),
      snapshot: fc.boolean(),
      bids: fc.uniqueArray(level, { maxLength: 4, selector: ([price]) => price }),
      asks: fc.uniqueArray(upper, { maxLength: 4, selector: ([price]) => price }),
      scale: fc.constantFrom(0, 2),
      state: fc.constantFrom("live" as const, "live" as const, "down" as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { consolidated, added, of, instrument } = create([ONE, ONE, ONE]);
        const books = [0, 1, 2].map(() => ({ bids: new Map(), asks: new Map(), known: false }));
        const live = [true, true, true];
        for (const { source, snapshot, bids, asks, scale, state } of steps) {
          const own = books[source]!;
          live[source] = state === "live";
          consolidated.onStatus(added[source]!, status(state, "said", "book"));
          consolidated.onBook(added[source]!, book(snapshot, bids, asks, scale));
          if (snapshot) Object.assign(own, { bids: new Map(), asks: new Map(), known: true });
          if (!own.known) continue;
          for (const [price, size] of bids) own.bids.set(price, size);
          for (const [price, size] of asks) own.asks.set(price, size);
        }
        const told = levelsOf(of("book"));
        for (const side of ["bids", "asks"] as const) {
          const sum = new Map<number, number>();
          for (const [index, own] of books.entries()) {
            if (!own.known || live[index] !== true) continue;
            for (const [price, size] of own[side] as Map<number, number>) {
              if (size > 0) sum.set(price, (sum.get(price) ?? 0) + size);
            }
          }
          const sorted = (levels: Map<number, number>) => [...levels].toSorted(([a], [b]) => a - b);
          expect(sorted(told[side])).toEqual(sorted(sum));
        }
        const whole = consolidated.liveBookOf(instrument);
        expect([whole?.bidCount ?? 0, whole?.askCount ?? 0]).toEqual([
          told.bids.size,
          told.asks.size,
        ]);
      }),
      { numRuns: 200 },
    );
  });
});

test("the ticker has middle, spread and mean price, exactly but for the last", () => {
  const { consolidated, added, of } = create();
  consolidated.onQuote(added[0]!, quote("99.01", "1", "99.04", "2"));
  const trade = { ...TIMES, aggressorSide: "buyer", historical: false } as const;
  const numbers = { priceMantissa: 100, priceScale: 0, sizeMantissa: 1, sizeScale: 0 };
  consolidated.onTrade(added[0]!, { ...trade, ...numbers, tradeId: "1" });
  const finer = { priceMantissa: 1005, priceScale: 1, sizeMantissa: 20, sizeScale: 1 };
  consolidated.onTrade(added[1]!, { ...trade, ...finer, tradeId: "2" });
  consolidated.onTrade(added[1]!, { ...trade, ...finer, tradeId: "3", historical: true });
  consolidated.second(60_000_000);
  consolidated.second(61_000_000);
  expect(of("ticker")).toHaveLength(1);
  expect(of("ticker")[0]).toMatchObject({
    bidPrice: "99.01",
    askPrice: "99.04",
    midPrice: "99.025",
    spread: "0.03",
    volume: "3",
    quoteVolume: "301",
    vwapPrice: "100.33333",
    lastPrice: "100.5",
    lastSize: "2",
  });
  consolidated.second(86_400_000_000 + 1);
  expect(of("ticker").at(-1)).toMatchObject({ volume: "0", vwapPrice: undefined });
});

test.each([-1, 0, 1])("there is room for so many sources (limit %i)", (more) => {
  const { consolidated } = create([]);
  const instrument = fakeInstrument("A-USD");
  const added = Array.from({ length: SOURCES_MAX + more }, () =>
    consolidated.add({ instrument, share: instrument, factor: ONE }),
  );
  expect(added.filter((source) => source === undefined)).toHaveLength(Math.max(0, more));
});
