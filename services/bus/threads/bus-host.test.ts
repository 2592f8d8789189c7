import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { BusEvent } from "../bus.ts";
import { MemoryBus } from "../memory-bus.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createThreadLink } from "#test/support/thread-link.ts";
import { BusHost } from "./bus-host.ts";
import { ThreadBus } from "./thread-bus.ts";

const RING_BYTES = 256 * 1024;
/** With its header, 1 KiB: 192 of them fill what a ring has for payloads. */
const PAYLOAD = new Uint8Array(1_008).fill(1);
const FULL = 192;

describe("a bus that is lent to threads", () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const overrun: object[] = [];
  const host = new BusHost({ bus, clock, onOverrun: (thread) => void overrun.push(thread) });
  const threads: ThreadBus[] = [];

  afterEach(async () => {
    await Promise.all(threads.splice(0).map((thread) => thread.close()));
    await settle();
    overrun.length = 0;
  });

  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  };

  const attach = () => {
    const link = createThreadLink(bus, RING_BYTES);
    const hosted = host.attach(link.host);
    const thread = new ThreadBus({ link: link.thread, clock });
    threads.push(thread);
    const seen: number[] = [];
    const events: BusEvent[] = [];
    thread.onEvent((event) => void events.push(event));
    return { thread, hosted, seen, events };
  };

  test("a pattern is subscribed once for all threads, and left with the last of them", async () => {
    const [one, two] = [attach(), attach()];
    const subscriptions = [one, two, two].map(({ thread, seen }) =>
      thread.subscribe("a.b", ({ payload }) => void seen.push(payload[0] as number)),
    );
    await settle();
    expect(host.subscriptions).toBe(1);
    bus.publish("a.b", Uint8Array.of(9));
    await settle();
    expect([one.seen, two.seen]).toEqual([[9], [9, 9]]);
    subscriptions[1]?.unsubscribe();
    subscriptions[2]?.unsubscribe();
    await settle();
    bus.publish("a.b", Uint8Array.of(8));
    await settle();
    expect([one.seen, two.seen]).toEqual([
      [9, 8],
      [9, 9],
    ]);
    one.hosted.detach();
    expect(host.subscriptions).toBe(0);
  });

  test.each([
    [FULL - 1, 0],
    [FULL, 0],
    [FULL + 1, 1],
    [FULL + 50, 50],
  ])("of %i messages in one turn a thread's ring has no room for %i", async (count, lost) => {
    const { thread, hosted, seen, events } = attach();
    thread.subscribe("news", ({ payload }) => void seen.push(payload.length));
    await settle();
    for (let message = 0; message < count; message += 1) bus.publish("news", PAYLOAD);
    await settle();
    clock.advance(20);
    await settle();
    expect(seen).toHaveLength(count - lost);
    expect(hosted.overruns).toEqual({ messages: lost, episodes: lost === 0 ? 0 : 1 });
    expect(overrun).toHaveLength(lost === 0 ? 0 : 1);
    const told = { kind: "slow-consumer", pattern: "news", dropped: lost };
    expect(events).toEqual(lost === 0 ? [] : [told]);
    bus.publish("news", PAYLOAD);
    await settle();
    expect(seen).toHaveLength(count - lost + 1);
  });

  test("a thread that is behind costs the others nothing", async () => {
    const link = createThreadLink(bus, RING_BYTES);
    const asleep = host.attach(link.host);
    link.host.port.on("message", () => undefined);
    link.thread.port.postMessage({ kind: "subscribe", number: 1, pattern: "news" });
    const other = attach();
    other.thread.subscribe("news", ({ payload }) => void other.seen.push(payload.length));
    await settle();
    for (let message = 0; message < FULL * 2; message += 1) {
      bus.publish("news", PAYLOAD);
      if (message % 50 === 0) await settle();
    }
    await settle();
    expect(other.seen).toHaveLength(FULL * 2);
    expect(asleep.overruns.messages).toBe(FULL);
    expect(asleep.ringUse).toBe(0.75);
    asleep.detach();
  });

  test("who is attached while the bus is away is told, also by listeners that come later", async () => {
    const away = new MemoryBus({ clock });
    let tell = (_event: BusEvent): void => undefined;
    const watched = new Proxy(away, {
      get: (target, name) => {
        if (name === "onEvent")
          return (listener: typeof tell) => ((tell = listener), () => undefined);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const own = new BusHost({ bus: watched, clock, onOverrun: () => undefined });
    const down = { kind: "disconnected", reason: "gone" } as const;
    tell(down);
    const link = createThreadLink(away, RING_BYTES);
    own.attach(link.host);
    const thread = new ThreadBus({ link: link.thread, clock });
    await settle();
    const events: BusEvent[] = [];
    thread.onEvent((event) => void events.push(event));
    await settle();
    expect(events).toEqual([down]);
    tell({ kind: "reconnected" });
    await settle();
    expect(events).toEqual([down, { kind: "reconnected" }]);
    await thread.close();
    own.close();
  });
});
