import { CancelCodec, ReplyCodec } from "@tickwire/proto/messages";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { FakeGateway, settle } from "../../test/fake-gateway.ts";
import type { NetworkChange } from "../host/environment.ts";
import type { SessionPart } from "./session-part.ts";
import { Session, type SessionOptions } from "./session.ts";

/** A session with one part that writes down what it is told; the gateway is in memory. */
class Stand {
  readonly gateway = new FakeGateway();
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly states: string[] = [];
  readonly uncaught: unknown[] = [];
  readonly session: Session;
  network: (change: NetworkChange) => void = () => undefined;

  constructor(options: Partial<SessionOptions> = {}) {
    const { gateway, clock } = this;
    this.session = new Session({
      environment: {
        clock,
        random: () => 0.5,
        openWebSocket: (url, protocols) => new gateway.WebSocket(url, protocols),
        explainFailure: ({ message }) => message,
        reportUncaught: (error) => this.uncaught.push(error),
        watchVisibility: () => () => undefined,
        watchNetwork: (listener) => {
          this.network = listener;
          return () => {
            this.network = () => undefined;
          };
        },
      },
      connection: {
        url: "ws://gateway.test/v1/ws",
        clientName: "test",
        clientVersion: "0",
        compression: false,
        bandwidthBytesPerSecondMax: 0,
        connectTimeoutMs: 10_000,
        liveness: { pingIntervalMs: 0, pongTimeoutMs: 1 },
      },
      reconnect: { baseMs: 1_000, maxMs: 8_000 },
      waitForFirstConnect: false,
      ...options,
    });
    this.session.carry(this.part("a"));
    this.session.onState((state, { code }) => this.states.push(`${state} ${code}`));
  }

  part(name: string): SessionPart {
    return {
      members: {
        outbound: { "5mcancel": CancelCodec },
        inbound: { "4mreply": ReplyCodec },
      },
      handleConnected: ({ subscriptionsMax }) =>
        this.told.push(`${name} connected ${subscriptionsMax}`),
      handleDisconnected: ({ code }) => this.told.push(`${name} disconnected ${code}`),
      handleMessage: ({ kind }) => this.told.push(`${name} ${kind}`),
      handleBatch: (_, start, end) => this.told.push(`${name} batch of ${end - start}`),
      close: ({ code }, isFailure) => this.told.push(`${name} closed ${code} ${isFailure}`),
    };
  }

  async start(): Promise<this> {
    this.session.start();
    await settle();
    return this;
  }

  /** How long until the next dial. */
  get waitMs(): number {
    return ((this.clock.nextUs ?? NaN) - this.clock.nowUs()) / 1_000;
  }

  async redial(): Promise<void> {
    this.clock.advanceTo(this.clock.nextUs ?? 0);
    await settle();
  }
}

describe("a session", () => {
  test("tells its parts of everything in the order in which it carries them", async () => {
    const stand = new Stand();
    stand.session.carry(stand.part("b"));
    await stand.start();
    stand.gateway.socket.deliverFrame({
      messages: [{ reply: { callId: 1 } }],
      batches: [{}],
    });
    stand.session.close();
    const both = (text: string) => [`a ${text}`, `b ${text}`];
    expect(stand.told).toEqual([
      ...both("connected 1000"),
      ...both("reply"),
      ...both("batch of 0"),
      ...both("closed client-closed false"),
    ]);
    expect(stand.states).toEqual(["connected welcome", "closed client-closed"]);
  });

  test("sends only while there is a welcomed connection", async () => {
    const stand = new Stand();
    const cancel = { kind: "cancel", value: { callId: 1 } } as const;
    stand.session.link.send([cancel]);
    await stand.start();
    stand.session.link.send([cancel]);
    expect(stand.gateway.socket.sent("cancel")).toHaveLength(1);
    stand.gateway.socket.closeByServer(1006);
    stand.session.link.send([cancel]);
    expect(stand.gateway.socket.sent("cancel")).toHaveLength(1);
  });

  test("waits longer with each attempt, and begins anew after a connection that held", async () => {
    const stand = await new Stand().start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      stand.gateway.socket.closeByServer(1006);
      waits.push(stand.waitMs);
      await stand.redial();
    }
    expect(waits).toEqual([550, 1_050, 2_050, 4_050, 4_050]);
    stand.clock.advance(8_000);
    stand.gateway.socket.closeByServer(1006);
    expect(stand.waitMs).toBe(550);
  });

  test("comes back within the window of a planned stop, counted from its notice", async () => {
    const stand = await new Stand().start();
    const notice = { kind: 1, reconnectWindowMs: 60_000 };
    stand.gateway.socket.deliverMessage({ notice });
    stand.clock.advance(10_000);
    stand.gateway.socket.closeByServer(4000);
    expect(stand.waitMs).toBe(20_000);
    expect(stand.told).not.toContain("a notice");
  });

  test.each([
    ["the first connection cannot be made", {}, 1006, false],
    ["it may not come back", { reconnect: false }, 4000, true],
    ["the gateway forbids it", {}, 4505, true],
  ] as const)("is over when %s", async (_, options, closeCode, connects) => {
    const stand = new Stand(options);
    stand.gateway.welcomes = connects;
    await stand.start();
    stand.gateway.socket.closeByServer(closeCode);
    expect(stand.session.state).toBe("closed");
    expect(stand.session.endError).toMatchObject({ name: "ConnectionError" });
    expect(stand.told.at(-1)).toMatch(/^a closed .* true$/);
    expect(stand.clock.pending).toBe(0);
  });

  test("keeps dialling for its first connection if it is asked to", async () => {
    const stand = new Stand({ waitForFirstConnect: true });
    stand.gateway.welcomes = false;
    await stand.start();
    stand.gateway.socket.closeByServer(1006);
    stand.gateway.welcomes = true;
    await stand.redial();
    expect(stand.states).toEqual(["connecting connect-failed", "connected welcome"]);
  });

  test("dials soon when the network comes back, and asks for life while it is connected", async () => {
    const stand = await new Stand().start();
    for (let attempt = 0; attempt < 4; attempt++) {
      stand.gateway.socket.closeByServer(1006);
      if (attempt < 3) await stand.redial();
    }
    expect(stand.waitMs).toBe(4_050);
    stand.network("offline");
    expect(stand.waitMs).toBe(4_050);
    stand.network("online");
    expect(stand.waitMs).toBe(550);
  });

  test("is closed once, releases everything, and says nothing afterwards", async () => {
    const stand = await new Stand().start();
    stand.session.close();
    stand.session.close();
    stand.gateway.socket.closeByServer(1006);
    stand.network("online");
    expect(stand.states).toEqual(["connected welcome", "closed client-closed"]);
    expect([stand.clock.pending, stand.session.endError]).toEqual([0, undefined]);
  });

  test("hands what a listener throws to the host, and goes on", async () => {
    const stand = new Stand();
    const mine = new Error("mine");
    stand.session.onState(() => {
      throw mine;
    });
    await stand.start();
    expect(stand.uncaught).toEqual([mine]);
    expect(stand.session.state).toBe("connected");
  });
});
