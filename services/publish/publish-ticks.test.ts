import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { QuoteTick, TradeTick } from "#core/market-tick.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";
import { createPublisherCounters, Publisher } from "./publisher.ts";

const A = fakeInstrument("A-USD");
const B = fakeInstrument("B-USD");
const BATCH_EVENTS_MAX = 5;

type SomeTick = {
  readonly of: "trade" | "quote";
  readonly isOfB: boolean;
  readonly scale: number;
  readonly venueTimeUs: number;
  readonly id: number | string;
  readonly price: number;
};

/** What happens to a publisher, once with ticks and once with the events that they stand for. */
type Step =
  | { readonly kind: "tick" | "event"; readonly tick: SomeTick }
  | { readonly kind: "flush" | "ask" | "withdraw" };

function tickOf(some: SomeTick, receivedTimeUs: number): QuoteTick | TradeTick {
  const { of, isOfB, scale, venueTimeUs, id, price } = some;
  const tick = of === "quote" ? new QuoteTick() : new TradeTick();
  tick.instrument = isOfB ? B : A;
  tick.priceScale = scale;
  tick.sizeScale = 1;
  if (tick.kind === "quote") {
    tick.numbers.set([receivedTimeUs, venueTimeUs, price, 7, price + 1, 9]);
  } else {
    tick.side = price % 2 === 0 ? "buyer" : "seller";
    tick.idText = typeof id === "string" ? id : "";
    const number = typeof id === "number" ? id : Number.NaN;
    tick.numbers.set([receivedTimeUs, venueTimeUs, price, 3, number]);
  }
  return tick;
}

/** What leaves, what is known afterwards, and what is taken back on the way. */
function outcomeOf(steps: readonly Step[], options: { asTicks: boolean; payloadBytesMax: number }) {
  const batches: string[] = [];
  const bus = {
    payloadBytesMax: options.payloadBytesMax,
    publish: (subject: string, payload: Uint8Array) => {
      batches.push(`${subject} ${Buffer.from(payload).toString("hex")}`);
    },
  } as Bus;
  const counters = createPublisherCounters();
  const publisher = new Publisher({
    bus,
    clock: new ManualClock(1e3),
    epoch: 42,
    counters,
    limits: {
      ...PUBLISH_LIMITS_DEFAULTS,
      batchEventsMax: BATCH_EVENTS_MAX,
      recentTradesMax: 4,
    },
    schedule() {},
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const withdrawn: MarketEvent[] = [];
  for (const [index, step] of steps.entries()) {
    if ("tick" in step) {
      const tick = tickOf(step.tick, index);
      if (step.kind === "tick" && options.asTicks) publisher.publishTick(tick);
      else publisher.publish(tick.event());
    } else if (step.kind === "flush") publisher.flush();
    else if (step.kind === "withdraw") withdrawn.push(...publisher.withdraw());
    else publisher.settledTopic(A, "trades");
  }
  publisher.flush();
  const topics = [...publisher.allTopics()].map(({ subject, sequence, last, trades }) => {
    const kept = Array.from({ length: trades.length }, (_, index) => trades.at(index));
    return { subject, sequence, last, kept };
  });
  return { batches, topics, withdrawn, counters };
}

const someTick: fc.Arbitrary<SomeTick> = fc.record({
  of: fc.constantFrom("trade", "quote"),
  isOfB: fc.boolean(),
  scale: fc.constantFrom(2, 2, 2, 3),
  venueTimeUs: fc.constantFrom(1_000, 2_001, Number.NaN),
  id: fc.oneof(fc.nat(), fc.constantFrom("", "00f3", "x-1")),
  price: fc.integer({ min: 1, max: 1e9 }),
});

const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("tick", "tick", "tick", "event"),
      tick: someTick,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("flush", "ask", "withdraw") }) },
);

test.each([1_000_000, 90])(
  "ticks leave as the events that they stand for, in batches of %i bytes",
  (payloadBytesMax) => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 40 }), (steps) => {
        const asTicks = outcomeOf(steps, { asTicks: true, payloadBytesMax });
        expect(asTicks).toEqual(outcomeOf(steps, { asTicks: false, payloadBytesMax }));
      }),
      { numRuns: 150 },
    );
  },
);

test("ticks whose batch is too large are halved at once, as events are", () => {
  const trade = { of: "trade", isOfB: false, scale: 2 } as const;
  const tick = (venueTimeUs: number, id: number | string, price: number): Step => {
    return { kind: "tick", tick: { ...trade, venueTimeUs, id, price } };
  };
  // All three have room once the batch begins with a base: it was too large without.
  const steps: Step[] = [
    tick(1_000, 0, 8_192),
    { kind: "flush" },
    tick(2_001, "", 33_562_624),
    tick(1_000, 1e9, 1),
    tick(1_000, "00f3", 33_554_433),
  ];
  const [asTicks, asEvents] = [true, false].map((asTicks) => {
    return outcomeOf(steps, { asTicks, payloadBytesMax: 90 });
  });
  expect(asTicks).toEqual(asEvents);
});

test("a tick may be used again as soon as it was published", () => {
  const quote = { of: "quote", isOfB: false, scale: 2, venueTimeUs: 5, id: 0, price: 100 } as const;
  const tick = tickOf(quote, 1);
  const events: MarketEvent[] = [];
  const publisher = new Publisher({
    clock: new ManualClock(1e3),
    epoch: 42,
    counters: createPublisherCounters(),
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule() {},
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    onEvent: (event) => events.push(event),
  });
  publisher.publishTick(tick);
  tick.numbers.fill(0);
  expect(events).toMatchObject([{ kind: "quote", bidPriceMantissa: 100, askPriceMantissa: 101 }]);
});
