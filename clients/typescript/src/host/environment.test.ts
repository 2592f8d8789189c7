import { afterEach, describe, expect, test } from "vitest";
import { settle, tradesBatch, quotesBatch } from "../../test/fake-gateway.ts";
import { connectFake, take } from "../../test/fake-session.ts";
import { createEnvironment, type ClientClock } from "./environment.ts";
import { Liveness } from "../session/liveness.ts";

const QUOTES = "binance:BTC-USDT/quotes";

/** A page's window and document, as far as the client looks. */
function installPage() {
  const target = new EventTarget();
  const page = new EventTarget() as EventTarget & { visibilityState: string };
  page.visibilityState = "hidden";
  Object.assign(globalThis, {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    document: page,
  });
  return { target, page };
}

afterEach(() => {
  for (const name of ["addEventListener", "removeEventListener", "document"]) {
    Reflect.deleteProperty(globalThis, name);
  }
});

describe("a page", () => {
  test("that is online again reconnects soon, but not at once", async () => {
    const { target } = installPage();
    const { client, clock, gateway } = await connectFake({ random: () => 0.999_999 });
    for (let round = 0; round < 5; round++) {
      gateway.socket.closeByServer(1006);
      if (round < 4) clock.advanceTo(clock.nextUs!);
      await settle();
    }
    expect((clock.nextUs! - clock.nowUs()) / 1_000).toBe(8_000);
    target.dispatchEvent(new Event("online"));
    expect((clock.nextUs! - clock.nowUs()) / 1_000).toBe(500);
    client.close();
    target.dispatchEvent(new Event("online"));
    expect(clock.pending).toBe(0);
  });

  test.each(["offline", "pageshow", "visibilitychange"])(
    "%s asks for a sign of life",
    async (type) => {
      const { target, page } = installPage();
      const { gateway } = await connectFake();
      page.visibilityState = "visible";
      (type === "visibilitychange" ? page : target).dispatchEvent(new Event(type));
      expect(gateway.socket.sent("ping")).toHaveLength(1);
    },
  );

  test("that is hidden changes nothing", async () => {
    const { page } = installPage();
    const { gateway } = await connectFake();
    page.dispatchEvent(new Event("visibilitychange"));
    expect(gateway.socket.sent("ping")).toHaveLength(0);
  });
});

describe("a host without a page", () => {
  test("has no network events and a clock that only rises", () => {
    const environment = createEnvironment({});
    environment.watchNetwork(() => undefined)();
    const before = environment.clock.nowUs();
    expect(environment.clock.nowUs()).toBeGreaterThanOrEqual(before);
    expect(environment.random()).toBeLessThan(1);
    environment.clock.after(1_000, () => undefined)();
  });
});

describe("a timer that was frozen with its page", () => {
  test("asks again instead of giving up what is merely unread", () => {
    let nowUs = 0;
    const timers: (() => void)[] = [];
    const clock: ClientClock = {
      nowUs: () => nowUs,
      after: (_delayMs, callback) => {
        timers.push(callback);
        return () => undefined;
      },
    };
    let pings = 0;
    let silent = 0;
    const liveness = new Liveness(
      clock,
      { pingIntervalMs: 1_000, pongTimeoutMs: 500 },
      { sendPing: () => (pings += 1), onSilent: () => (silent += 1) },
    );
    liveness.start();
    timers.pop()?.();
    nowUs += 60_000_000;
    timers.pop()?.();
    expect([pings, silent]).toEqual([2, 0]);
    nowUs += 500_000;
    timers.pop()?.();
    expect([pings, silent]).toEqual([2, 1]);
  });
});

describe("a consumer that joins late", () => {
  test("gets the latest quote at once, and no old trade", async () => {
    const trades = "binance:BTC-USDT/trades";
    const { client, gateway } = await connectFake();
    gateway.topics.set(QUOTES, { epoch: 7, sequence: 100 });
    gateway.topics.set(trades, { epoch: 7, sequence: 100 });
    client.quotes("binance:BTC-USDT");
    client.trades("binance:BTC-USDT");
    await settle();
    const head = { epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(
      quotesBatch({ ...head, topicId: gateway.ids.get(QUOTES)! }, 100, 101),
      tradesBatch({ ...head, topicId: gateway.ids.get(trades)! }, [5]),
    );
    const late = client.quotes("binance:BTC-USDT");
    const lateTrades = client.trades("binance:BTC-USDT");
    await settle();
    const [quote] = await take(late, 1);
    expect(quote?.sequence).toBe(101);
    expect(lateTrades.buffered).toBe(0);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
  });
});
