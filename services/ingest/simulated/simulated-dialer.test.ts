import assert from "node:assert/strict";
import { formatDecimal } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { BookBuilder } from "#core/book-builder.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, Quote, Trade } from "#core/market-event.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import type { FeedSocket } from "../feed/connection/web-socket-dialer.ts";
import type { RestAnswer } from "../feed/rest/rest-client.ts";
import { simulated } from "./simulated.ts";
import {
  createSimulatedVenue,
  LOAD_STEPS_PER_TURN,
  LOAD_TURN_INTERVAL_MS,
  type SimulatedVenue,
  STEPS_PER_CLOCK_READING,
  STEPS_PER_TURN_MAX,
  TURN_BUDGET_US,
  TURN_INTERVAL_MS,
} from "./simulated-dialer.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated-settings.ts";

/** A whole minute on the clock. */
const START_US = 1_700_000_040_000_000;

type Options = Partial<Parameters<typeof createSimulatedVenue>[0]>;

function createVenue(
  options: Options = {},
  clock: ManualClock = new ManualClock(START_US),
): { clock: ManualClock; venue: SimulatedVenue } {
  const venue = createSimulatedVenue({
    clock,
    seed: 42,
    instruments: 3,
    perpetuals: 1,
    eventsPerSecond: 100,
    pace: "even",
    bookLevels: 50,
    volatility: 1,
    haltIntervalMs: 0,
    listingIntervalMs: 0,
    chaos: SIMULATED_MARKET_DEFAULTS.chaos,
    ...options,
  });
  return { clock, venue };
}

function fetchInstruments({ clock, venue }: ReturnType<typeof createVenue>): readonly Instrument[] {
  const answers: RestAnswer[] = [];
  const [request] = simulated.instrumentsRequests(simulated.endpoints);
  assert(request !== undefined);
  venue.rest.get(
    request,
    (answer) => answers.push(answer),
    (reason) => expect.fail(reason),
  );
  clock.advance(0);
  expect(answers[0]?.status).toBe(200);
  const parsed = simulated.parseInstruments(answers[0]?.body ?? "", request.url);
  expect(parsed?.skipped).toBe(0);
  return parsed?.instruments ?? [];
}

type Session = {
  readonly frames: string[];
  readonly events: FeedEvent[];
  readonly closes: number[];
  readonly socket: FeedSocket;
};

function connect(setup: ReturnType<typeof createVenue>, channels: readonly Channel[]): Session {
  const { clock, venue } = setup;
  const catalog = new InstrumentCatalog({ venue: "simulated", instrumentsMax: 1000 });
  catalog.add(fetchInstruments(setup));
  const decoder = simulated.createDecoder({ catalog, bookDepth: 1000 });
  const session = { frames: [] as string[], events: [] as FeedEvent[], closes: [] as number[] };
  const socket = venue.dialer.dial(
    simulated.endpoints.webSocket,
    {
      onOpen: () => {
        const wanted = catalog
          .all()
          .flatMap((instrument) => channels.map((channel) => ({ instrument, channel })));
        const options = { requestId: 1, bookDepth: 1000 };
        for (const frame of simulated.subscribeFrames(wanted, options)) socket.send(frame);
      },
      onFrame: (frame) => {
        session.frames.push(String(frame));
        decoder.decode(frame, clock.nowUs(), (event) => session.events.push(event));
      },
      onClose: (code) => session.closes.push(code),
    },
    simulated.limits,
  );
  return { ...session, socket };
}

const ALL: readonly Channel[] = simulated.channels;

test("the list has spot and perpetual instruments with exact increments", () => {
  const instruments = fetchInstruments(createVenue({ instruments: 45, perpetuals: 2 }));
  expect(instruments).toHaveLength(47);
  const symbols = instruments.map((instrument) => instrument.symbol);
  expect(symbols.slice(0, 2)).toEqual(["BTC-USD", "ETH-USD"]);
  expect(symbols).toContain("SIM042-USD");
  expect(symbols.slice(-2)).toEqual(["BTC-USD-PERP", "ETH-USD-PERP"]);
  expect(new Set(symbols).size).toBe(47);
  expect(instruments[0]).toMatchObject({ priceIncrement: "0.01", sizeIncrement: "0.00001" });
});

test("a derivative's channels are planned for perpetuals only", () => {
  const wanted = fetchInstruments(createVenue()).flatMap((instrument) =>
    simulated.channels.map((channel) => ({ instrument, channel })),
  );
  const plans = simulated.planConnections(wanted, simulated.endpoints);
  const planned = plans.flatMap((plan) => plan.subscriptions);
  expect(planned).toHaveLength(3 * 5 + 9);
  const funding = planned.filter(({ channel }) => channel === "funding");
  expect(funding.map(({ instrument }) => instrument.symbol)).toEqual(["BTC-USD-PERP"]);
});

test("the same seed and clock give the same frames", () => {
  const runs = [42, 42, 43].map((seed) => {
    const setup = createVenue({ seed });
    const session = connect(setup, ALL);
    setup.clock.advance(3000);
    return session.frames;
  });
  expect(runs[0]?.length).toBeGreaterThan(100);
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[0]).not.toEqual(runs[2]);
});

test.each([-7_200_000, 7_200_000])(
  "a wall clock that is set by %i ms changes the times, and not how much happens",
  (setByMs) => {
    const setup = createVenue();
    const session = connect(setup, ["trades", "candles"]);
    const countIn = (milliseconds: number): { trades: number; candles: number } => {
      session.events.length = 0;
      setup.clock.advance(milliseconds);
      const count = (kind: string) => session.events.filter((event) => event.kind === kind).length;
      return { trades: count("trade"), candles: count("candle") };
    };
    const before = countIn(120_000);
    setup.clock.set(setByMs);
    const after = countIn(120_000);
    expect(after.trades / before.trades).toBeGreaterThan(0.4);
    expect(after.trades / before.trades).toBeLessThan(2.5);
    expect(after.candles).toBeGreaterThan(before.candles / 2);
    const nowUs = setup.clock.nowUs();
    for (const event of session.events) {
      if (event.kind !== "trade") continue;
      expect(Math.abs(nowUs - (event.venueTimeUs ?? 0))).toBeLessThan(121_000_000);
    }
  },
);

describe("a subscriber of everything", () => {
  const setup = createVenue();
  const session = connect(setup, ALL);
  setup.clock.advance(130_000);
  const { events } = session;
  const ofKind = <Kind extends FeedEvent["kind"]>(kind: Kind) =>
    events.filter((event): event is Extract<FeedEvent, { kind: Kind }> => event.kind === kind);

  test("is told of every kind, and nothing is rejected", () => {
    const kinds = new Set(events.map((event) => event.kind));
    for (const kind of [
      "subscribed",
      "trade",
      "quote",
      "raw-book",
      "candle",
      "ticker",
      "mark-price",
      "funding",
      "open-interest",
      "liquidation",
      "heartbeat",
    ] as const) {
      expect(kinds).toContain(kind);
    }
    expect(ofKind("rejected")).toEqual([]);
  });

  test("is refused a derivative's channels on a spot instrument, and only those", () => {
    const refused = ofKind("refused");
    expect(refused).toHaveLength(3 * 4);
    for (const { venueSymbol } of refused) expect(venueSymbol).not.toContain("PERP");
  });

  test("gets an unbroken book from a snapshot on, whose top is the last quote", () => {
    const builders = new Map<Instrument, BookBuilder>();
    const wrong: unknown[] = [];
    for (const event of events) {
      const builder = "instrument" in event ? builderOf(builders, event.instrument) : undefined;
      if (event.kind === "quote" && builder !== undefined && builder.book.bidCount > 0) {
        if (topOf(builder.book).join() !== textsOf(event).join()) wrong.push(event);
      }
      if (event.kind !== "raw-book") continue;
      builder?.handle(event, (out) => {
        if (out.kind === "gap" || out.kind === "need-snapshot") wrong.push(out);
      });
      if (builder?.book.isCrossed() !== false || builder.book.bidCount === 0) wrong.push(event);
    }
    expect(wrong).toEqual([]);
    expect(builders.size).toBe(4);
  });

  test("finds each closed candle made of the trades of its minute", () => {
    const closed = ofKind("candle").filter((candle) => candle.closed);
    expect(closed.length).toBeGreaterThanOrEqual(8);
    for (const candle of closed) expect(candle).toMatchObject(candleOf(candle, ofKind("trade")));
  });

  test("finds the ticker's last price and added volume in the trades between", () => {
    const tickers = ofKind("ticker").filter((each) => each.instrument.symbol === "BTC-USD");
    const [first, last] = [tickers[0], tickers.at(-1)];
    assert(first !== undefined && last !== undefined);
    const between = events.slice(events.indexOf(first), events.indexOf(last));
    const trades = between.filter(
      (event): event is Trade => event.kind === "trade" && event.instrument === last.instrument,
    );
    const final = trades.at(-1);
    expect(last.lastPrice).toBe(formatDecimal(final?.priceMantissa ?? 0, final?.priceScale ?? 0));
    const lots = (text = ""): number => Math.round(Number(text) * 1e5);
    const volume = trades.reduce((sum, trade) => sum + exactSize(trade), 0n);
    expect(lots(last.volume) - lots(first.volume)).toBe(Number(volume));
    // Before the first trade there was a day.
    expect(lots(first.volume)).toBeGreaterThan(10 * Number(volume));
  });

  test("finds each liquidation among the trades", () => {
    const trades = ofKind("trade");
    for (const liquidation of ofKind("liquidation")) {
      const trade = trades.find(
        (each) =>
          each.instrument === liquidation.instrument && each.tradeId === liquidation.liquidationId,
      );
      expect(trade?.aggressorSide).toBe(liquidation.aggressorSide);
      expect(formatDecimal(trade?.sizeMantissa ?? 0, trade?.sizeScale ?? 0)).toBe(liquidation.size);
    }
  });
});

function builderOf(
  builders: Map<Instrument, BookBuilder>,
  instrument: Instrument | undefined,
): BookBuilder | undefined {
  if (instrument === undefined) return undefined;
  let builder = builders.get(instrument);
  if (builder === undefined) {
    const sync = simulated.bookSync;
    builder = new BookBuilder({ sync, instrument, bufferedDeltasMax: 10 });
    builders.set(instrument, builder);
  }
  return builder;
}

/** Best bid price and size, best ask price and size. */
function topOf(book: BookBuilder["book"]): string[] {
  return [book.bestBid(), book.bestAsk()].flatMap((level) => [
    formatDecimal(level?.price ?? 0, book.priceScale),
    formatDecimal(level?.size ?? 0, book.sizeScale),
  ]);
}

function textsOf(quote: Quote): string[] {
  return [
    formatDecimal(quote.bidPriceMantissa, quote.priceScale),
    formatDecimal(quote.bidSizeMantissa, quote.sizeScale),
    formatDecimal(quote.askPriceMantissa, quote.priceScale),
    formatDecimal(quote.askSizeMantissa, quote.sizeScale),
  ];
}

/** Lots of 10^-5, whatever the scale of the event. */
function exactSize(trade: Trade): bigint {
  return BigInt(trade.sizeMantissa) * 10n ** BigInt(5 - trade.sizeScale);
}

function candleOf(candle: Candle, trades: readonly Trade[]): Partial<Candle> {
  const own = trades.filter(
    (trade) =>
      trade.instrument === candle.instrument &&
      (trade.venueTimeUs ?? 0) >= candle.openTimeUs &&
      (trade.venueTimeUs ?? 0) < candle.openTimeUs + 60_000_000,
  );
  const prices = own.map((trade) => formatDecimal(trade.priceMantissa, trade.priceScale));
  const sorted = prices.toSorted((a, b) => Number(a) - Number(b));
  const volume = own.reduce((sum, trade) => sum + exactSize(trade), 0n);
  return {
    open: prices[0] ?? "",
    close: prices.at(-1) ?? "",
    low: sorted[0] ?? "",
    high: sorted.at(-1) ?? "",
    volume: formatDecimal(Number(volume), 5),
    tradeCount: own.length,
  };
}

describe("speed", () => {
  const countDeltas = (
    options: Options,
    advanceMs: number,
  ): { deltas: number; skipped: number } => {
    const setup = createVenue({ instruments: 1, perpetuals: 0, ...options });
    const session = connect(setup, ["book"]);
    setup.clock.advance(advanceMs);
    const deltas = session.events.filter((event) => event.kind === "raw-book" && !event.snapshot);
    return { deltas: deltas.length, skipped: setup.venue.skippedSteps };
  };

  test.each([1, 7, 250])("%i events a second are that many", (eventsPerSecond) => {
    expect(countDeltas({ eventsPerSecond }, 10_000)).toEqual({
      deltas: 10 * eventsPerSecond,
      skipped: 0,
    });
  });

  test.each([-1, 0, 1])("one turn makes at most its limit of steps (limit %i)", (difference) => {
    const perTurn = STEPS_PER_TURN_MAX + difference;
    const eventsPerSecond = perTurn * (1000 / TURN_INTERVAL_MS);
    const result = countDeltas({ eventsPerSecond }, TURN_INTERVAL_MS);
    expect(result.deltas).toBe(Math.min(perTurn, STEPS_PER_TURN_MAX));
    expect(result.skipped).toBe(Math.max(0, difference));
  });

  test("as a load generator it does a full turn each time", () => {
    const { deltas } = countDeltas({ eventsPerSecond: "max" }, 3);
    expect(deltas).toBe(3 * LOAD_STEPS_PER_TURN);
  });
});

/** A clock on which work takes time. */
class BusyClock extends ManualClock {
  #spentUs = 0;

  spend(us: number): void {
    this.#spentUs += us;
  }

  override nowUs(): number {
    return super.nowUs() + this.#spentUs;
  }

  override monotonicUs(): number {
    return super.monotonicUs() + this.#spentUs;
  }
}

describe("with more to do than there is time", () => {
  const FRAME_COST_US = 100;
  const INSTRUMENTS = 100;

  /** Per turn, how many frames were made; and everything that was received. */
  function runTurns(
    eventsPerSecond: number | "max",
    { channels, turns }: { readonly channels: readonly Channel[]; readonly turns: number },
  ): { perTurn: number[]; events: FeedEvent[]; skipped: number } {
    const clock = new BusyClock(START_US);
    const setup = createVenue({ instruments: INSTRUMENTS, perpetuals: 0, eventsPerSecond }, clock);
    const session = connect(setup, channels);
    clock.advance(0);
    const begin = session.events.length;
    let frames = session.frames.length;
    session.frames.push = (...added) => {
      clock.spend(FRAME_COST_US);
      return Array.prototype.push.apply(session.frames, added);
    };
    const perTurn: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      clock.advance(TURN_INTERVAL_MS);
      perTurn.push(session.frames.length - frames);
      frames = session.frames.length;
    }
    return { perTurn, events: session.events.slice(begin), skipped: setup.venue.skippedSteps };
  }

  /** The instruments whose books changed. */
  function movedIn(events: readonly FeedEvent[]): Set<Instrument> {
    return new Set(
      events.flatMap((event) => (event.kind === "raw-book" ? [event.instrument] : [])),
    );
  }

  test("a turn of the market ends when its budget is spent, and every instrument has one", () => {
    const { perTurn, events, skipped } = runTurns(100_000, { channels: ["book"], turns: 150 });
    const budget = TURN_BUDGET_US / FRAME_COST_US + STEPS_PER_CLOCK_READING;
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(budget);
    expect(skipped).toBeGreaterThan(0);
    expect(movedIn(events).size).toBe(INSTRUMENTS);
  });

  test("the load generator shares the process, too", () => {
    const { perTurn, events } = runTurns("max", { channels: ["book"], turns: 20 });
    // Its turns are shorter than the ones that the clock is moved by.
    const budget = TURN_BUDGET_US / FRAME_COST_US + STEPS_PER_CLOCK_READING;
    const turns = TURN_INTERVAL_MS / LOAD_TURN_INTERVAL_MS;
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(turns * budget);
    expect(movedIn(events).size).toBe(INSTRUMENTS);
  });

  test("the time of an instrument never goes back, whichever channel tells it", () => {
    const { events } = runTurns(2_000, { channels: ALL, turns: 250 });
    const last = new Map<unknown, number>();
    let checked = 0;
    for (const event of events) {
      if (!("instrument" in event) || !("venueTimeUs" in event)) continue;
      const timeUs = event.venueTimeUs ?? 0;
      expect(timeUs).toBeGreaterThanOrEqual(last.get(event.instrument) ?? 0);
      last.set(event.instrument, timeUs);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(1000);
    expect(events.some((event) => event.kind === "ticker")).toBe(true);
  });
});

describe("a connection", () => {
  test("gets a fresh snapshot when it subscribes to a book again", () => {
    const setup = createVenue({ instruments: 1, perpetuals: 0 });
    const session = connect(setup, ["book"]);
    setup.clock.advance(1000);
    const before = session.events.length;
    session.socket.send('{"op":"unsubscribe","channels":[["BTC-USD","book"]]}');
    setup.clock.advance(1000);
    expect(session.events.slice(before).map((event) => event.kind)).toEqual(["heartbeat"]);
    session.socket.send('{"op":"subscribe","channels":[["BTC-USD","book"]]}');
    setup.clock.advance(100);
    const books = session.events.slice(before).filter((event) => event.kind === "raw-book");
    expect(books[0]?.snapshot).toBe(true);
    expect(books[1]?.firstUpdateId).toBe((books[0]?.lastUpdateId ?? 0) + 1);
  });

  test.each(["", "{", "null", "[]", '{"op":"subscribe"}', '{"op":"x","channels":[]}'])(
    "answers %j with an error and goes on",
    (frame) => {
      const setup = createVenue();
      const session = connect(setup, []);
      setup.clock.advance(1);
      session.socket.send(frame);
      setup.clock.advance(1);
      expect(session.events).toEqual([
        { kind: "refused", venueSymbol: undefined, channel: undefined, reason: "bad-request" },
      ]);
      expect(session.closes).toEqual([]);
    },
  );

  test("is told which channels do not exist", () => {
    const setup = createVenue();
    const session = connect(setup, []);
    setup.clock.advance(1);
    const wanted = '[["NO-USD","book"],["BTC-USD","nothing"],5,["BTC-USD","status"]]';
    session.socket.send(`{"op":"subscribe","channels":${wanted}}`);
    setup.clock.advance(1);
    expect(session.events.map((event) => event.kind)).toEqual(Array(4).fill("refused"));
  });

  test("ends once, and nothing comes after it", () => {
    const setup = createVenue();
    const session = connect(setup, ALL);
    setup.clock.advance(100);
    const before = session.frames.length;
    session.socket.close();
    session.socket.terminate();
    setup.clock.advance(1000);
    expect(session.closes).toEqual([1000]);
    expect(session.frames).toHaveLength(before);
    expect(setup.clock.pending).toBe(0);
  });

  test("ends when the venue closes, and a later one is turned away", () => {
    const setup = createVenue();
    const session = connect(setup, ALL);
    setup.clock.advance(100);
    setup.venue.close();
    setup.clock.advance(100);
    expect(session.closes).toEqual([1001]);
    const closes: number[] = [];
    setup.venue.dialer.dial(
      "",
      {
        onOpen: () => expect.fail("open"),
        onFrame: () => expect.fail("frame"),
        onClose: (code) => closes.push(code),
      },
      simulated.limits,
    );
    setup.clock.advance(100);
    expect(closes).toEqual([1001]);
    expect(setup.clock.pending).toBe(0);
  });

  test("answers pings", () => {
    const setup = createVenue();
    let pongs = 0;
    const socket = setup.venue.dialer.dial(
      "",
      {
        onOpen: () => socket.ping(),
        onFrame: () => {},
        onPong: () => (pongs += 1),
        onClose: () => {},
      },
      simulated.limits,
    );
    setup.clock.advance(1);
    expect(pongs).toBe(1);
  });
});
