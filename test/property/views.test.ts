// Views of one topic, driven at random: events of every channel that come and get lost, clients
// that join, leave, resume and change their views, publishers that begin anew, time that passes.
// What each client shows at each sequence is compared with what the events themselves come to, and
// every event is delivered, conflated or said to be missing.
import type { BookRow, RowTimes } from "@tickwire/proto/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { ViewRig } from "#test/support/view-rig.ts";

const TIMES = fc.record({
  receivedTimeUs: fc.integer({ min: 1_700_000_000_000_000, max: 1_700_000_100_000_000 }),
  venueTimeUs: fc.option(fc.integer({ min: 1_700_000_000_000_000, max: 1_700_000_100_000_000 }), {
    nil: undefined,
  }),
});

/** Prices around 100 in steps of a tenth or a hundredth, so that levels meet and scales change. */
const SIDE = (isBid: boolean) =>
  fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 8 }),
        fc.oneof(fc.constant(0), fc.integer({ max: 9, min: 1 })),
      ),
      { maxLength: 4 },
    )
    .map((levels) => {
      const sized = new Map(
        levels.map(([step, size]) => [isBid ? 1_000 - step : 1_000 + step, size]),
      );
      return { prices: [...sized.keys()], sizes: [...sized.values()] };
    });

const BOOK_ROW: fc.Arbitrary<BookRow> = fc
  .record({
    times: TIMES,
    bids: SIDE(true),
    asks: SIDE(false),
    isFine: fc.boolean(),
    snapshot: fc.integer({ min: 0, max: 15 }).map((dice) => dice === 0),
  })
  .map(({ times, bids, asks, isFine, snapshot }) => {
    const scaled = (side: typeof bids) => ({
      prices: side.prices.map((price) => (isFine ? price * 10 : price)),
      sizes: side.sizes,
    });
    const scales = { priceScale: isFine ? 2 : 1, sizeScale: 0 };
    return { ...times, snapshot, ...scales, bids: scaled(bids), asks: scaled(asks) };
  });

const NUMBER = fc.integer({ min: 1, max: 9_999 });

const ROWS: Partial<Record<Channel, fc.Arbitrary<RowTimes>>> = {
  book: BOOK_ROW,
  trades: fc.tuple(TIMES, NUMBER, NUMBER).map(([times, price, id]) => ({
    ...times,
    priceMantissa: price,
    priceScale: 2,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: String(id),
    historical: false,
  })),
  quotes: fc.tuple(TIMES, NUMBER).map(([times, bid]) => ({
    ...times,
    priceScale: 2,
    sizeScale: 0,
    bidPriceMantissa: bid,
    bidSizeMantissa: 1,
    askPriceMantissa: bid + 1,
    askSizeMantissa: 2,
  })),
  candles: fc
    .tuple(TIMES, fc.constantFrom(60_000, 300_000), NUMBER, NUMBER, fc.boolean())
    .map(([times, intervalMs, open, close, closed]) => ({
      ...times,
      intervalMs,
      openTimeUs: (open % 3) * intervalMs * 1_000,
      open: "1",
      high: "9999",
      low: "1",
      close: String(close),
      volume: "5",
      closed,
    })),
  status: fc
    .tuple(TIMES, fc.constantFrom("book", "trades"), NUMBER)
    .map(([times, channel, at]) => ({
      receivedTimeUs: times.receivedTimeUs,
      venueTimeUs: undefined,
      channel,
      state: "live",
      reason: "test",
      sinceTimeUs: at,
    })),
};

const VIEW = fc.tuple(fc.constantFrom(0, 1, 3, 5, 100), fc.constantFrom(0, 50, 100, 250, 1_000));
const SEATS = 4;
const SEAT = fc.integer({ min: 0, max: SEATS - 1 });

function commands(channel: Channel) {
  const rows = fc.array(ROWS[channel]!, { minLength: 1, maxLength: 4 });
  return fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ publish: rows }) },
      { weight: 1, arbitrary: fc.record({ lose: rows }) },
      { weight: 4, arbitrary: fc.record({ wait: fc.constantFrom(10, 50, 130, 1_000) }) },
      { weight: 4, arbitrary: fc.record({ join: SEAT, view: VIEW, isNew: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ leave: SEAT }) },
      { weight: 4, arbitrary: fc.record({ rejoin: SEAT, view: VIEW, meanwhile: rows }) },
      { weight: 3, arbitrary: fc.record({ update: SEAT, view: VIEW }) },
      { weight: 3, arbitrary: fc.record({ read: SEAT }) },
      { weight: 2, arbitrary: fc.record({ lag: SEAT }) },
      { weight: 2, arbitrary: fc.record({ recover: SEAT }) },
      { weight: 1, arbitrary: fc.record({ restart: fc.constant(true) }) },
      { weight: 1, arbitrary: fc.record({ answers: fc.boolean() }) },
    ),
    { minLength: 5, maxLength: 60 },
  );
}

type Command = ReturnType<typeof commands> extends fc.Arbitrary<(infer One)[]> ? One : never;

function obey(rig: ViewRig, command: Command): void {
  const { market, seats, hub, clock } = rig;
  if ("publish" in command) market.publish(command.publish);
  else if ("lose" in command) market.publish(command.lose, true);
  else if ("wait" in command) clock.advance(command.wait);
  else if ("join" in command) rig.join(seats[command.join]!, command.view, command.isNew);
  else if ("rejoin" in command) {
    // A connection that broke: mostly the same view is asked for again.
    const seat = seats[command.rejoin]!;
    const [, intervalMs] = command.view;
    rig.leave(seat);
    market.publish(command.meanwhile);
    rig.join(seat, [seat.client?.depth ?? 0, intervalMs], false);
  } else if ("leave" in command) rig.leave(seats[command.leave]!);
  else if ("update" in command) rig.update(seats[command.update]!, command.view);
  else if ("read" in command) rig.read(seats[command.read]!);
  else if ("lag" in command) rig.lag(seats[command.lag]!);
  else if ("recover" in command) rig.recover(seats[command.recover]!);
  else if ("answers" in command) rig.answers = command.answers;
  else {
    market.restart();
    const whole = { venue: "fake", shardIndex: 0, shardCount: 0 };
    hub.follow(whole, { publisherId: "one", epoch: market.epoch, isNewcomer: true });
  }
}

const CHANNELS = ["book", "trades", "quotes", "candles", "status"] as const;
/** As it is published; some time later; and later with little space for what waits. */
const DELAYS = [{}, { delayMs: 400 }, { delayMs: 400, delayBytesMax: 3_000 }];

test.each(DELAYS.flatMap((delay) => CHANNELS.map((channel) => [channel, delay] as const)))(
  "every view of %s with %o shows what the topic was, and accounts for every event",
  async (channel, delay) => {
    await fc.assert(
      fc.asyncProperty(commands(channel), async (list) => {
        const rig = new ViewRig(channel, SEATS, delay);
        for (const command of list) {
          obey(rig, command);
          await rig.settle();
        }
        rig.answers = true;
        for (const seat of rig.seats) rig.recover(seat);
        // Whoever is behind hears so with the next event.
        const [row] = fc.sample(ROWS[channel]!, { numRuns: 1, seed: 1 });
        for (let round = 0; round < 3; round += 1) {
          await rig.settle();
          rig.market.publish([row!]);
          await rig.settle();
          rig.clock.advance(11_000);
          await rig.settle();
        }
        const live = rig.seats.filter(({ subscription }) => subscription?.state === "live");
        expect(rig.finish()).toBe(live.length);
        rig.hub.close();
      }),
      { numRuns: delay.delayMs === undefined ? 150 : 60 },
    );
  },
  120_000,
);

test.each([{}, { delayMs: 400 }])(
  "what came between two losses is in the state behind them, with %o",
  async (delay) => {
    const rig = new ViewRig("status", 1, delay);
    const [seat] = rig.seats;
    const row = (number: number) => ({
      receivedTimeUs: 1_700_000_000_000_000 + number,
      venueTimeUs: undefined,
      channel: "book",
      state: "live",
      reason: "test",
      sinceTimeUs: number,
    });
    rig.join(seat!, [0, 0], true);
    const tell = async (number: number, isLost = false): Promise<void> => {
      rig.market.publish([row(number)], isLost);
      await rig.settle();
      rig.clock.advance(500);
      await rig.settle();
    };
    await tell(1);
    rig.answers = false;
    for (const [number, isLost] of [
      [2, true],
      [3, false],
      [4, true],
      [5, false],
    ] as const) {
      await tell(number, isLost);
    }
    rig.answers = true;
    await rig.settle();
    await tell(6);
    expect(rig.finish()).toBe(1);
  },
);

test("a cut book resumes from its position with its levels as they are now", async () => {
  const rig = new ViewRig("book", 1);
  const [seat] = rig.seats;
  const level = (price: number, size: number, snapshot = false): BookRow => {
    const times = { venueTimeUs: undefined, receivedTimeUs: 1_700_000_000_000_000 };
    const asks = { prices: [], sizes: [] };
    const bids = { prices: [price], sizes: [size] };
    return { ...times, snapshot, priceScale: 0, sizeScale: 0, bids, asks };
  };
  rig.market.publish([level(10, 1, true), level(9, 2), level(8, 3)]);
  rig.join(seat!, [1, 0], true);
  await rig.settle();
  rig.read(seat!);
  expect(seat!.client?.shown).toBe("1@10 | ");
  rig.leave(seat!);
  rig.market.publish([level(7, 4), level(10, 0)]);
  await rig.settle();
  rig.join(seat!, [1, 0], false);
  await rig.settle();
  expect(rig.finish()).toBe(1);
  expect(seat!.client?.shown).toBe("2@9 | ");
  expect(seat!.client?.tally).toEqual({ delivered: 1, conflated: 1, missing: 0 });
  rig.hub.close();
});
