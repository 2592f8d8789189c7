import { afterEach, describe, expect, test } from "vitest";
import { settle, tradesBatch } from "./fake-gateway.ts";
import { connectFake } from "./fake-session.ts";

const BTC = "binance:BTC-USDT/trades";
const ETH = "binance:ETH-USDT/trades";

/** A page that is drawn when the test says so. */
function installFrames() {
  const due = new Map<number, () => void>();
  let last = 0;
  Object.assign(globalThis, {
    requestAnimationFrame: (callback: () => void) => {
      due.set((last += 1), callback);
      return last;
    },
    cancelAnimationFrame: (frame: number) => void due.delete(frame),
  });
  return {
    due,
    draw: () => {
      const callbacks = [...due.values()];
      due.clear();
      for (const callback of callbacks) callback();
    },
  };
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, "requestAnimationFrame");
  Reflect.deleteProperty(globalThis, "cancelAnimationFrame");
});

async function begin(options: { readonly bufferEventsMax?: number; signal?: AbortSignal } = {}) {
  const session = await connectFake();
  const { client, gateway } = session;
  for (const topic of [BTC, ETH]) gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  const stream = client.trades(["binance:BTC-USDT", "binance:ETH-USDT"], options);
  const updates: { readonly seen: string[]; readonly latest: string[] }[] = [];
  const shown = (trade: { symbol: string; sequence: number }) =>
    `${trade.symbol.slice(0, 3)} ${trade.sequence}`;
  const ended = stream.onFrame(({ events, latest }) => {
    updates.push({ seen: events.map(shown), latest: [...latest.values()].map(shown) });
  });
  await settle();
  const deliver = (topic: string, firstSequence: number, count: number) => {
    const place = { topicId: gateway.ids.get(topic) ?? 0, epoch: 7, firstSequence };
    gateway.socket.deliverBatch(
      tradesBatch(
        place,
        Array.from({ length: count }, () => 5),
      ),
    );
  };
  return { ...session, stream, updates, ended, deliver };
}

describe("a stream that is read by frames", () => {
  test("calls back once for each frame, with all that came and the newest of each topic", async () => {
    const frames = installFrames();
    const { updates, deliver } = await begin();
    deliver(BTC, 101, 2);
    deliver(ETH, 101, 1);
    deliver(BTC, 103, 1);
    expect([updates.length, frames.due.size]).toEqual([0, 1]);
    frames.draw();
    frames.draw();
    expect(updates).toEqual([
      { seen: ["BTC 101", "BTC 102", "ETH 101", "BTC 103"], latest: ["BTC 103", "ETH 101"] },
    ]);
    deliver(ETH, 102, 1);
    frames.draw();
    expect(updates[1]).toEqual({ seen: ["ETH 102"], latest: ["ETH 102"] });
  });

  test("works while the page is hidden and not drawn, once a second", async () => {
    const frames = installFrames();
    const { updates, deliver, clock } = await begin();
    deliver(BTC, 101, 1);
    clock.advance(999);
    expect(updates).toHaveLength(0);
    clock.advance(1);
    expect([updates.length, frames.due.size]).toEqual([1, 0]);
  });

  test("works where nothing is drawn, every 16 ms", async () => {
    const { updates, deliver, clock } = await begin();
    deliver(BTC, 101, 1);
    clock.advance(15);
    expect(updates).toHaveLength(0);
    clock.advance(1);
    expect(updates).toHaveLength(1);
  });

  test("gives what is left when the client ends, and resolves", async () => {
    installFrames();
    const { updates, deliver, client, ended } = await begin();
    deliver(BTC, 101, 1);
    client.close();
    await ended;
    expect(updates).toHaveLength(1);
  });

  test("gives nothing more after an abort, and resolves", async () => {
    const frames = installFrames();
    const abort = new AbortController();
    const { updates, deliver, ended } = await begin({ signal: abort.signal });
    deliver(BTC, 101, 1);
    abort.abort();
    await ended;
    frames.draw();
    expect([updates.length, frames.due.size]).toEqual([0, 0]);
  });

  test("rejects with the overflow of its buffer after what it held", async () => {
    installFrames();
    const { updates, deliver, ended } = await begin({ bufferEventsMax: 2 });
    deliver(BTC, 101, 3);
    await expect(ended).rejects.toMatchObject({ code: "buffer-overflow" });
    expect(updates.flatMap(({ seen }) => seen)).toEqual(["BTC 101", "BTC 102"]);
  });

  test("has no loop beside", async () => {
    const { stream } = await begin();
    await expect(stream.onFrame(() => undefined)).rejects.toMatchObject({
      code: "stream-consumed",
    });
    expect(() => stream[Symbol.asyncIterator]()).toThrow("one loop");
  });
});
