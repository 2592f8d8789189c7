import { describe, expect, test } from "vitest";
import { settle, type FakeSocket } from "../../test/fake-gateway.ts";
import { SessionStand, type SessionOptions } from "../../test/session-stand.ts";
import type { OldConnection, SessionPart } from "./session-part.ts";

const CANCEL = { kind: "cancel", value: { callId: 1 } } as const;
const GOING_AWAY = { notice: { kind: 1, reconnectWindowMs: 10_000 } };

/** A session whose part moves with it, from `a` to `b` unless it has other addresses. */
class MovingStand extends SessionStand {
  needsOld = false;
  old: OldConnection | undefined;

  constructor(options: Partial<SessionOptions> = {}) {
    super({ urls: ["ws://a/v1/ws", "ws://b/v1/ws"], ...options });
    this.gateway.gatewayId = "run-1";
  }

  override part(name: string): SessionPart {
    // oxlint-disable-next-line no-this-alias
    const stand = this;
    return {
      ...super.part(name),
      get needsOld() {
        return stand.needsOld;
      },
      handleMoved: (old) => {
        stand.old = old;
        stand.told.push(`${name} moved`);
      },
      handleOldMessage: ({ kind }) => stand.told.push(`${name} old ${kind}`),
      handleOldBatch: (_, start, end) => stand.told.push(`${name} old batch of ${end - start}`),
      handleOldEnded: ({ code }) => stand.told.push(`${name} old ended ${code}`),
    };
  }

  get socketOfA(): FakeSocket {
    return this.gateway.sockets[0]!;
  }

  /** The gateway of the newest socket says that it goes away, and another run is to be met. */
  async announce(): Promise<void> {
    this.gateway.gatewayId += "+";
    this.gateway.socket.deliverMessage(GOING_AWAY);
    await settle();
  }
}

async function started(options: Partial<SessionOptions> = {}): Promise<MovingStand> {
  const stand = new MovingStand(options);
  await stand.start();
  stand.told.length = 0;
  return stand;
}

describe("a gateway that is about to go away", () => {
  test("is left for the next address before it closes, without a break", async () => {
    const stand = await started();
    await stand.announce();
    expect(stand.waitMs).toBe(50);
    await stand.redial();
    expect(stand.gateway.urls).toEqual(["ws://a/v1/ws", "ws://b/v1/ws"]);
    expect(stand.told).toEqual(["a moved", "a connected 1000", "a old ended going-away"]);
    expect(stand.states).toEqual(["connected welcome", "connected moved"]);
    expect(stand.session.url).toBe("ws://b/v1/ws");
    expect(stand.socketOfA.closedWith?.code).toBe(1000);
    expect(stand.clock.pending).toBe(0);
  });

  test("still serves what has not moved, and requests go to the other one", async () => {
    const stand = await started();
    stand.needsOld = true;
    await stand.announce();
    await stand.redial();
    stand.told.length = 0;
    stand.socketOfA.deliverFrame({ messages: [{ reply: { callId: 1 } }], batches: [{}] });
    stand.gateway.socket.deliverFrame({ messages: [{ reply: { callId: 2 } }], batches: [{}] });
    expect(stand.told).toEqual(["a old reply", "a old batch of 0", "a reply", "a batch of 0"]);
    stand.session.link.send([CANCEL]);
    stand.old?.send([CANCEL, CANCEL]);
    const sent = stand.gateway.sockets.map((socket) => socket.sent("cancel").length);
    expect(sent).toEqual([2, 1]);
    stand.needsOld = false;
    stand.socketOfA.deliverFrame({ batches: [{}] });
    expect(stand.told.at(-1)).toBe("a old ended going-away");
  });

  test("answers probes on the connection that they came on", async () => {
    const stand = await started();
    stand.needsOld = true;
    await stand.announce();
    await stand.redial();
    stand.socketOfA.deliverMessage({ probe: { number: 7 } });
    expect(stand.socketOfA.sent("probeAnswer")).toHaveLength(1);
    expect(stand.gateway.socket.sent("probeAnswer")).toHaveLength(0);
  });

  test("that ends by itself while it is left costs nothing", async () => {
    const stand = await started();
    stand.needsOld = true;
    await stand.announce();
    await stand.redial();
    stand.socketOfA.closeByServer(4000);
    expect(stand.told.at(-1)).toBe("a old ended going-away");
    expect(stand.session.state).toBe("connected");
    expect(stand.states.at(-1)).toBe("connected moved");
  });

  test("that is met again behind a balancer is refused, and tried again later", async () => {
    const stand = await started({ urls: ["ws://balancer/v1/ws"] });
    stand.gateway.socket.deliverMessage(GOING_AWAY);
    await stand.redial();
    expect(stand.gateway.sockets).toHaveLength(2);
    expect(stand.gateway.socket.closedWith?.code).toBe(1000);
    expect(stand.told).toEqual([]);
    stand.gateway.gatewayId = "run-2";
    await stand.redial();
    expect(stand.told).toEqual(["a moved", "a connected 1000", "a old ended going-away"]);
  });

  test("is served from until it closes if no other one can be had", async () => {
    const stand = await started();
    await stand.announce();
    stand.gateway.welcomes = false;
    for (let attempt = 0; attempt < 4; attempt++) {
      await stand.redial();
      stand.gateway.socket.closeByServer(1006);
    }
    expect(stand.gateway.urls.slice(1).sort()).toEqual([
      "ws://a/v1/ws",
      "ws://a/v1/ws",
      "ws://b/v1/ws",
      "ws://b/v1/ws",
    ]);
    expect([stand.session.state, stand.told]).toEqual(["connected", []]);
    stand.socketOfA.closeByServer(4000);
    expect(stand.told).toEqual(["a disconnected going-away"]);
    expect(stand.states.at(-1)).toBe("reconnecting going-away");
    stand.gateway.welcomes = true;
    await stand.redial();
    expect(stand.session.state).toBe("connected");
  });

  test("that closes while the other one is made is followed by it", async () => {
    const stand = await started();
    await stand.announce();
    stand.gateway.welcomes = false;
    await stand.redial();
    stand.socketOfA.closeByServer(4000);
    expect(stand.told).toEqual(["a disconnected going-away"]);
    stand.gateway.socket.accept();
    stand.gateway.welcome(stand.gateway.socket);
    await settle();
    expect(stand.told).toEqual(["a disconnected going-away", "a connected 1000"]);
    expect(stand.gateway.sockets).toHaveLength(2);
    expect(stand.clock.pending).toBe(0);
  });

  test("followed by one that goes away as well: the first is let go at once", async () => {
    const stand = await started();
    stand.needsOld = true;
    await stand.announce();
    await stand.redial();
    await stand.announce();
    expect(stand.socketOfA.closedWith?.code).toBe(1000);
    await stand.redial();
    expect(stand.gateway.urls.at(-1)).toBe("ws://a/v1/ws");
    expect(stand.session.url).toBe("ws://a/v1/ws");
  });

  test("and both are lost: the client reconnects as ever", async () => {
    const stand = await started();
    stand.needsOld = true;
    await stand.announce();
    await stand.redial();
    stand.told.length = 0;
    stand.gateway.socket.closeByServer(1006);
    expect(stand.told).toEqual(["a old ended connection-lost", "a disconnected connection-lost"]);
    expect(stand.socketOfA.closedWith?.code).toBe(1000);
    expect(stand.session.state).toBe("reconnecting");
    await stand.redial();
    expect(stand.session.state).toBe("connected");
  });

  test("is not left by a client that may not reconnect", async () => {
    const stand = await started({ reconnect: false });
    await stand.announce();
    expect(stand.clock.pending).toBe(0);
  });

  test.each([
    ["while it waits", async () => {}],
    ["while the other one is made", (stand: MovingStand) => stand.redial()],
  ])("close() %s releases everything", async (_, before) => {
    const stand = await started();
    await stand.announce();
    stand.gateway.welcomes = false;
    await before(stand);
    stand.session.close();
    expect(stand.gateway.sockets.every(({ closedWith }) => closedWith !== undefined)).toBe(true);
    expect(stand.clock.pending).toBe(0);
    expect(stand.told).toEqual(["a closed client-closed false"]);
  });

  test("tells a part that cannot move that its connection is gone", async () => {
    const stand = new SessionStand();
    await stand.start();
    stand.told.length = 0;
    stand.gateway.socket.deliverMessage(GOING_AWAY);
    await stand.redial();
    expect(stand.told).toEqual(["a disconnected going-away", "a connected 1000"]);
    expect(stand.states.at(-1)).toBe("connected moved");
  });
});

describe("several addresses", () => {
  test("a lost gateway is followed by the next, which is kept", async () => {
    const stand = await started();
    stand.socketOfA.closeByServer(1006);
    await stand.redial();
    expect(stand.session.url).toBe("ws://b/v1/ws");
    expect(stand.states).toEqual([
      "connected welcome",
      "reconnecting connection-lost",
      "connected welcome",
    ]);
    expect(stand.clock.pending).toBe(0);
  });

  test("the first connection may be made to any of them, and fails when all have failed", async () => {
    const stand = new MovingStand();
    stand.gateway.welcomes = false;
    await stand.start();
    stand.gateway.socket.closeByServer(1006);
    expect(stand.session.state).toBe("connecting");
    await stand.redial();
    stand.gateway.socket.closeByServer(1006);
    expect(stand.session.state).toBe("closed");
    expect(stand.clock.pending).toBe(0);
  });

  test.each([
    [59_999, ["ws://b/v1/ws", "connected welcome"]],
    [60_000, ["ws://a/v1/ws", "connected moved"]],
  ])("after %i ms of 60 s at another one is it at %j", async (elapsedMs, expected) => {
    const stand = await started({ returnToFirstMs: 60_000 });
    stand.socketOfA.closeByServer(1006);
    await stand.redial();
    stand.clock.advance(elapsedMs);
    await settle();
    expect([stand.session.url, stand.states.at(-1)]).toEqual(expected);
  });

  test.each([
    [59_999, undefined],
    [60_000, "a old ended going-away"],
  ])(
    "one that is left for the preferred one is kept %i of 60 s for what has not moved",
    async (ms, told) => {
      const stand = await started({ returnToFirstMs: 1_000 });
      stand.socketOfA.closeByServer(1006);
      await stand.redial();
      stand.needsOld = true;
      await stand.redial();
      expect(stand.session.url).toBe("ws://a/v1/ws");
      stand.told.length = 0;
      stand.clock.advance(ms);
      expect(stand.told[0]).toBe(told);
      stand.session.close();
      expect(stand.clock.pending).toBe(0);
    },
  );

  test("a preferred one that cannot be had is tried again after the same time", async () => {
    const stand = await started({ returnToFirstMs: 60_000 });
    stand.socketOfA.closeByServer(1006);
    await stand.redial();
    stand.gateway.welcomes = false;
    await stand.redial();
    stand.gateway.socket.closeByServer(1006);
    expect(stand.session.url).toBe("ws://b/v1/ws");
    expect(stand.waitMs).toBe(60_000);
    stand.gateway.welcomes = true;
    await stand.redial();
    expect(stand.session.url).toBe("ws://a/v1/ws");
    expect(stand.clock.pending).toBe(0);
  });

  test("says which address a state is about, without what may be secret", async () => {
    const stand = new MovingStand({ urls: ["ws://me:secret@a/v1/ws?token=t"] });
    const urls: string[] = [];
    stand.session.onState((_, { url }) => urls.push(url));
    await stand.start();
    stand.socketOfA.closeByServer(1006);
    stand.session.close();
    expect(urls).toEqual(["ws://a/v1/ws", "ws://a/v1/ws", "ws://a/v1/ws"]);
  });
});
