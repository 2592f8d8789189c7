import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { booksBatch, FakeGateway, settle, tradesBatch } from "../../test/fake-gateway.ts";
import type { BookEvent } from "../events/market-event.ts";
import type { PortLike, TabItem, TabMessage, WorkerMessage } from "./port-messages.ts";
import { SharedHost } from "./shared-host.ts";

const TRADES = "v:A/trades";
const BOOK = "v:A/book";
const VIEW = { depth: 0, conflationIntervalMs: 0, snapshot: true, checksum: false };

/** A tab as the worker has it: what it is told, and what it says. */
class FakeTab implements PortLike<WorkerMessage> {
  onmessage: ((event: { readonly data: never }) => void) | null = null;
  readonly states: string[] = [];
  readonly items: TabItem[] = [];
  closed = false;
  /** Answers each message at once, as a tab does that is not busy. */
  answers = true;

  postMessage(message: WorkerMessage): void {
    if (message.kind === "state") {
      this.states.push([message.state, message.error?.code].filter(Boolean).join(" "));
    } else if (message.kind === "items") {
      this.items.push(...message.items);
      if (this.answers) this.says({ kind: "ack" });
    }
  }

  close(): void {
    this.closed = true;
  }

  says(message: TabMessage): void {
    this.onmessage?.({ data: message as never });
  }

  attach(id: number, topics: readonly string[], more: Partial<typeof VIEW> = {}, max = 100): void {
    const options = { ...VIEW, ...more };
    this.says({ kind: "attach", id, topics, options, bufferEventsMax: max });
  }

  /** Sequences of the events of one consumer. */
  eventsOf(id: number): number[] {
    return this.items.flatMap((item) =>
      "event" in item && item.id === id ? item.event.sequence : [],
    );
  }

  endsOf(id: number): (string | undefined)[] {
    return this.items.flatMap((item) =>
      "ended" in item && item.id === id ? [item.ended?.code] : [],
    );
  }
}

let gateway: FakeGateway;
let host: SharedHost;
let locks: Map<string, () => void>;

beforeEach(() => {
  gateway = new FakeGateway();
  gateway.offersViews = true;
  for (const topic of [TRADES, BOOK]) gateway.topics.set(topic, { epoch: 7, sequence: 0 });
  locks = new Map();
  host = new SharedHost((name, callback) => locks.set(name, callback));
});

/** A tab that has come, and whose connection is there. */
async function join(more: Record<string, unknown> = {}, lockName?: string): Promise<FakeTab> {
  const tab = new FakeTab();
  host.join(tab);
  const options = { webSocket: gateway.WebSocket, clock: new ManualClock(), ...more };
  tab.says({ kind: "hello", url: "ws://gateway.test", options, lockName });
  await settle();
  return tab;
}

function publishTrade(sequence: number, socket = gateway.socket): void {
  const topicId = socket.ids.get(TRADES) ?? 0;
  socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence: sequence }, [100]));
}

describe("a worker", () => {
  test("has one connection for all tabs, and tells each how it stands", async () => {
    const [one, other] = [await join(), await join()];
    expect(gateway.sockets).toHaveLength(1);
    expect([one.states.at(-1), other.states.at(-1)]).toEqual(["connected", "connected"]);
    gateway.socket.closeByServer(4505);
    expect([one.states.at(-1), other.states.at(-1)]).toEqual([
      "closed permission-denied",
      "closed permission-denied",
    ]);
  });

  test("subscribes a topic once, for all who want it, until nobody does", async () => {
    const [one, other] = [await join(), await join()];
    one.attach(1, [TRADES]);
    other.attach(1, [TRADES]);
    await settle();
    publishTrade(1);
    one.says({ kind: "detach", id: 1 });
    await settle();
    publishTrade(2);
    await settle();
    expect([one.eventsOf(1), other.eventsOf(1)]).toEqual([[], [1, 2]]);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(0);
    other.says({ kind: "bye" });
    await settle();
    expect(gateway.socket.sent("unsubscribe")).toHaveLength(1);
    expect([other.closed, one.closed, host.tabs]).toEqual([true, false, 1]);
  });

  test("gives up what a tab had that is gone without a word", async () => {
    const [one] = [await join({}, "lock one"), await join()];
    one.attach(1, [TRADES]);
    await settle();
    locks.get("lock one")?.();
    await settle();
    expect(host.tabs).toBe(1);
    expect(gateway.socket.sent("unsubscribe").map(({ topics }) => topics)).toEqual([[TRADES]]);
  });

  test("closes its connection with the last tab, and makes one for the next", async () => {
    const one = await join();
    one.says({ kind: "bye" });
    expect(gateway.socket.closedWith).toMatchObject({ code: 1000 });
    const next = await join();
    expect(gateway.sockets).toHaveLength(2);
    expect(next.states.at(-1)).toBe("connected");
  });

  test("tells every tab of options that no connection can have, and has room for better ones", async () => {
    const one = await join({ pingIntervalMs: -1 });
    expect(one.states.at(-1)).toBe("closed connect-failed");
    expect([one.closed, host.tabs]).toEqual([true, 0]);
    expect((await join()).states.at(-1)).toBe("connected");
  });

  test("has a connection more for each way in which a topic is wanted, up to four", async () => {
    const tab = await join();
    for (const [index, depth] of [0, 1, 5, 10].entries()) tab.attach(index, [BOOK], { depth });
    await settle();
    expect(gateway.sockets).toHaveLength(4);
    tab.attach(9, [BOOK], { depth: 20 });
    await settle();
    expect(gateway.sockets).toHaveLength(4);
    expect(tab.endsOf(9)).toEqual(["options-conflict"]);
    expect(tab.endsOf(0)).toEqual([]);
    tab.says({ kind: "bye" });
    expect(gateway.sockets.map(({ closedWith }) => closedWith?.code)).toEqual([
      1000, 1000, 1000, 1000,
    ]);
  });

  test("leaves no connection behind when the first is over for good and a tab comes", async () => {
    const tab = await join();
    tab.attach(1, [BOOK]);
    tab.attach(2, [BOOK], { depth: 1 });
    await settle();
    const [first, second] = gateway.sockets;
    first?.closeByServer(4505);
    await join();
    expect(gateway.sockets).toHaveLength(3);
    expect(second?.closedWith).toMatchObject({ code: 1000 });
  });

  test("ends a consumer of a busy tab whose trades are one too many, and no other", async () => {
    const [busy, other] = [await join(), await join()];
    busy.answers = false;
    busy.attach(1, [TRADES], {}, 20);
    other.attach(1, [TRADES], {}, 20);
    await settle();
    for (let sequence = 1; sequence <= 40; sequence++) {
      publishTrade(sequence);
      await settle();
    }
    for (let answer = 0; answer < 20; answer++) busy.says({ kind: "ack" });
    await settle();
    expect(busy.endsOf(1)).toEqual(["buffer-overflow"]);
    expect(other.eventsOf(1)).toHaveLength(40);
    expect(other.endsOf(1)).toEqual([]);
  });

  test("gives a busy tab the whole of a book in place of changes that are too many", async () => {
    const [busy, other] = [await join(), await join()];
    busy.answers = false;
    busy.attach(1, [BOOK], {}, 10);
    other.attach(1, [BOOK]);
    await settle();
    const topicId = gateway.ids.get(BOOK) ?? 0;
    for (let sequence = 0; sequence <= 40; sequence++) {
      const snapshot = sequence === 0;
      const levels = { bids: [[1 + sequence, 1]], asks: [[1_000 + sequence, 1]] } as const;
      gateway.socket.deliverBatch(
        booksBatch({ topicId, epoch: 7, firstSequence: sequence, snapshot }, [
          { snapshot, ...levels },
        ]),
      );
      await settle();
    }
    busy.answers = true;
    for (let answer = 0; answer < 8; answer++) busy.says({ kind: "ack" });
    await settle();
    expect(busy.endsOf(1)).toEqual([]);
    expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    const events = busy.items.flatMap((item) => ("event" in item ? [item.event as BookEvent] : []));
    const whole = events.findLastIndex(({ snapshot }) => snapshot);
    const last = events.slice(whole);
    expect(whole).toBeGreaterThan(0);
    // The levels of all changes before it, and then each change.
    expect(last[0]?.bids).toHaveLength(1 + last[0]!.sequence);
    expect(last.map(({ sequence }) => sequence)).toEqual(
      last.map((_, index) => last[0]!.sequence + index),
    );
    expect(last.at(-1)?.sequence).toBe(40);
  });
});
