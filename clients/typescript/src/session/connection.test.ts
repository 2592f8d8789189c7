import { PongCodec } from "@tickwire/proto/messages";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { FakeGateway, FakeSocket, encodeFrame } from "../../test/fake-gateway.ts";
import type { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import { Connection, type ConnectionHandlers, type ConnectionOptions } from "./connection.ts";
import { FrameCodec, SESSION_MEMBERS } from "./frame.ts";

const FRAMES = new FrameCodec([
  SESSION_MEMBERS,
  { outbound: {}, inbound: { "6mpong": PongCodec } },
]);

const OPTIONS: ConnectionOptions = {
  url: "ws://gateway.test/v1/ws",
  clientName: "test",
  clientVersion: "0",
  compression: true,
  bandwidthBytesPerSecondMax: 0,
  connectTimeoutMs: 10_000,
  liveness: { pingIntervalMs: 15_000, pongTimeoutMs: 5_000 },
};

const LIMITS = { frameBytesMax: 65_536, requestsPerSecondMax: 10 };
const WELCOME = { welcome: { protocolVersion: 1, sessionId: "s", limits: LIMITS } };
const PONG = { pong: { nonce: 1 } };

type Told = { readonly name: string; readonly value: unknown };

/** A connection whose socket, time and owner are the test's. */
class Stand {
  readonly clock = new ManualClock();
  readonly told: Told[] = [];
  readonly socket: FakeSocket;
  readonly connection: Connection;
  /** What the socket says to a send. */
  refusesToSend = false;

  constructor(overrides: Partial<Environment & ConnectionOptions> = {}) {
    const gateway = new FakeGateway();
    gateway.welcomes = false;
    this.socket = new FakeSocket(gateway);
    const send = this.socket.send.bind(this.socket);
    this.socket.send = (data) => {
      if (this.refusesToSend) throw new Error("not now");
      send(data);
    };
    const environment: Environment = {
      clock: this.clock,
      random: () => 0,
      openWebSocket: () => this.socket,
      explainFailure: ({ message }) => message,
      reportUncaught: () => undefined,
      watchNetwork: () => () => undefined,
      watchVisibility: () => () => undefined,
      nextFrame: () => () => undefined,
      ...overrides,
    };
    const tell = (name: string) => (value: unknown) => void this.told.push({ name, value });
    const handlers: ConnectionHandlers = {
      onWelcome: tell("welcome"),
      onMessage: tell("message"),
      onBatch: tell("batch"),
      onPing: () => tell("ping")(undefined),
      onEnd: tell("end"),
    };
    this.connection = new Connection(environment, { ...OPTIONS, ...overrides }, FRAMES, handlers);
  }

  /** A connection that was welcomed. */
  static ready(): Stand {
    const stand = new Stand();
    stand.connection.open();
    stand.socket.accept();
    stand.socket.deliverMessage(WELCOME);
    return stand;
  }

  names(): string[] {
    return this.told.map(({ name }) => name);
  }

  get end(): ConnectionError | undefined {
    return this.told.find(({ name }) => name === "end")?.value as ConnectionError | undefined;
  }
}

describe("a connection", () => {
  test("says Hello when its socket is open, and tells of the Welcome", () => {
    const stand = new Stand();
    stand.connection.open();
    expect(stand.socket.received).toEqual([]);
    stand.socket.accept();
    expect(stand.socket.sent("hello")).toHaveLength(1);
    expect(stand.names()).toEqual([]);
    stand.socket.deliverMessage(WELCOME);
    expect(stand.told).toEqual([
      { name: "welcome", value: expect.objectContaining({ sessionId: "s" }) },
    ]);
  });

  test("takes a second Welcome for a message like any other", () => {
    const stand = Stand.ready();
    stand.socket.deliverMessage({ welcome: { protocolVersion: 7 } });
    expect(stand.names()).toEqual(["welcome", "message"]);
  });

  test("hands on the messages of a frame before its batches", () => {
    const stand = Stand.ready();
    stand.socket.deliverFrame({ batches: [{ topicId: 1 }], messages: [PONG] });
    expect(stand.names()).toEqual(["welcome", "message", "batch"]);
  });

  test("hands on nothing of a frame after the message that made its owner end it", () => {
    const stand = Stand.ready();
    const end = { code: "client-closed", message: "" } as unknown as ConnectionError;
    const frame = encodeFrame({ messages: [PONG, PONG], batches: [{ topicId: 1 }] });
    const push = stand.told.push.bind(stand.told);
    stand.told.push = (...entries) => {
      const length = push(...entries);
      if (entries[0]?.name === "message") stand.connection.close(end);
      return length;
    };
    stand.socket.deliver(frame);
    expect(stand.names()).toEqual(["welcome", "message", "end"]);
  });

  test.each([
    ["another version", { protocolVersion: 2, limits: LIMITS }, "unsupported-version", 4503],
    ["a Welcome without limits", { protocolVersion: 1 }, "protocol-error", 4500],
  ])("does not work with %s", (_, welcome, code, closeCode) => {
    const stand = new Stand();
    stand.connection.open();
    stand.socket.accept();
    stand.socket.deliverMessage({ welcome });
    expect(stand.names()).toEqual(["end"]);
    expect(stand.end).toMatchObject({ code, retryable: false });
    expect(stand.socket.closedWith?.code).toBe(closeCode);
  });

  test("does not work with another subprotocol", () => {
    const stand = new Stand();
    stand.connection.open();
    stand.socket.accept("chat");
    expect(stand.end).toMatchObject({ code: "unsupported-version", retryable: false });
    expect(stand.socket.sent("hello")).toEqual([]);
  });

  test("gives up at connectTimeoutMs and not before, whether the socket opened or not", () => {
    for (const opens of [false, true]) {
      const stand = new Stand();
      stand.connection.open();
      if (opens) stand.socket.accept();
      stand.clock.advance(9_999);
      expect(stand.end).toBeUndefined();
      stand.clock.advance(1);
      expect(stand.end).toMatchObject({ code: "connect-timeout", retryable: true });
      expect(stand.socket.closedWith?.code).toBe(4005);
    }
  });

  test("is not ended by the timer of a Welcome that came", () => {
    const stand = Stand.ready();
    stand.socket.deliverMessage(PONG);
    stand.clock.advance(14_000);
    expect(stand.end).toBeUndefined();
  });

  test("asks for a sign of life in silence, and ends when none comes", () => {
    const stand = Stand.ready();
    stand.clock.advance(15_000);
    expect(stand.socket.sent("ping")).toHaveLength(1);
    stand.clock.advance(4_999);
    expect(stand.end).toBeUndefined();
    stand.clock.advance(1);
    expect(stand.end).toMatchObject({ code: "connection-silent", retryable: true });
  });

  test("ends by a text frame, an unreadable one, and a socket that refuses to send", () => {
    const causes: readonly ((stand: Stand) => void)[] = [
      (stand) => stand.socket.deliver("text"),
      (stand) => stand.socket.deliver(Uint8Array.of(0x0a, 0xff)),
      (stand) => {
        stand.refusesToSend = true;
        stand.connection.probe();
      },
    ];
    const codes = causes.map((cause) => {
      const stand = Stand.ready();
      cause(stand);
      return stand.end?.code;
    });
    expect(codes).toEqual(["protocol-error", "protocol-error", "connection-lost"]);
  });

  test("says that it could not be made before the Welcome, and that it broke after", () => {
    const before = new Stand();
    before.connection.open();
    before.socket.closeByServer(1006);
    expect(before.end).toMatchObject({ code: "connect-failed", retryable: true });
    const after = Stand.ready();
    after.socket.closeByServer(1006);
    expect(after.end).toMatchObject({ code: "connection-lost", retryable: true, closeCode: 1006 });
  });

  test.each([
    [4000, "going-away", true],
    [4499, "connection-lost", true],
    [4500, "protocol-error", false],
    [4505, "permission-denied", false],
    [4999, "protocol-error", false],
    [1009, "frame-too-large", false],
    [1011, "internal", true],
  ])("closed with %i ends with %s", (closeCode, code, retryable) => {
    const stand = Stand.ready();
    stand.socket.closeByServer(closeCode);
    expect(stand.end).toMatchObject({ code, retryable, closeCode });
  });

  test("that cannot even be dialled ends without a second try", () => {
    const refused = new Error("bad address");
    const stand = new Stand({
      openWebSocket: () => {
        throw refused;
      },
    });
    stand.connection.open();
    expect(stand.end).toMatchObject({ code: "connect-failed", retryable: false, cause: refused });
    expect(stand.clock.pending).toBe(0);
  });
});

// What can happen to a connection, in any order. The model knows no table: it counts.

type Model = { dialled: boolean; opened: boolean; welcomed: boolean; over: boolean };
type Step = { readonly run: (stand: Stand, model: Model) => void; readonly name: string };

const STEPS: readonly Step[] = [
  {
    name: "open()",
    run: (stand, model) => {
      if (!model.over) model.dialled = true;
      stand.connection.open();
    },
  },
  {
    name: "opened",
    run: (stand, model) => {
      if (model.dialled && !model.over) model.opened = true;
      stand.socket.accept();
    },
  },
  {
    name: "welcome",
    run: (stand, model) => {
      if (model.opened && !model.over) model.welcomed = true;
      stand.socket.deliverMessage(WELCOME);
    },
  },
  { name: "pong", run: (stand) => stand.socket.deliverMessage(PONG) },
  { name: "batch", run: (stand) => stand.socket.deliverFrame({ batches: [{ topicId: 1 }] }) },
  {
    name: "bad frame",
    run: (stand, model) => {
      if (model.dialled) model.over = true;
      stand.socket.deliver("text");
    },
  },
  {
    name: "closed",
    run: (stand, model) => {
      if (model.dialled) model.over = true;
      stand.socket.closeByServer(1006);
    },
  },
  {
    name: "close()",
    run: (stand, model) => {
      model.over = true;
      stand.connection.close({ code: "client-closed" } as ConnectionError);
    },
  },
  {
    name: "a minute passes",
    run: (stand, model) => {
      // Without a Welcome the timer of the dial ends it; with one, silence does.
      if (model.dialled) model.over = true;
      stand.clock.advance(60_000);
    },
  },
];

test("whatever happens in whatever order, the owner is told what is true, once", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 14 }), (steps) => {
      const stand = new Stand();
      const model: Model = { dialled: false, opened: false, welcomed: false, over: false };
      for (const step of steps) {
        step.run(stand, model);
        const names = stand.names();
        expect(names.filter((name) => name === "end")).toHaveLength(model.over ? 1 : 0);
        expect(names.filter((name) => name === "welcome")).toHaveLength(model.welcomed ? 1 : 0);
        expect(stand.socket.sent("hello")).toHaveLength(model.opened ? 1 : 0);
        // Nothing comes before Hello went out or after the end.
        const early = model.opened ? [] : names.filter((name) => name !== "end");
        expect(early).toEqual([]);
        const isEndLast = !model.over || names.at(-1) === "end";
        const isReleased = !model.over || stand.clock.pending === 0;
        expect([isEndLast, isReleased]).toEqual([true, true]);
      }
    }),
    { numRuns: 500 },
  );
});

describe("a token", () => {
  const helloOf = (stand: Stand) => stand.socket.sent("hello");

  test("is shown with Hello", () => {
    const stand = new Stand({ token: "twk_1" });
    stand.connection.open();
    stand.socket.accept();
    expect(helloOf(stand)).toMatchObject([{ accessToken: "twk_1" }]);
  });

  test("that a function gives is waited for", async () => {
    let give: (token: string) => void = () => undefined;
    const stand = new Stand({ token: () => new Promise((resolve) => (give = resolve)) });
    stand.connection.open();
    stand.socket.accept();
    await Promise.resolve();
    expect(helloOf(stand)).toEqual([]);
    give("late");
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    expect(helloOf(stand)).toMatchObject([{ accessToken: "late" }]);
  });

  test("that cannot be had ends the connection, and another attempt may have it", async () => {
    const stand = new Stand({ token: () => Promise.reject(new Error("no network")) });
    stand.connection.open();
    stand.socket.accept();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    expect(stand.told).toMatchObject([
      { name: "end", value: { code: "unauthenticated", retryable: true } },
    ]);
    expect((stand.told[0]!.value as ConnectionError).message).toContain("no network");
  });

  test.each([
    ["a text for ever", "twk_1", false],
    ["a function", () => "twk_1", true],
  ])("that is %s and is over is worth another attempt: %s", async (_, token, retryable) => {
    const stand = new Stand({ token });
    stand.connection.open();
    stand.socket.accept();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    stand.socket.closeByServer(4010, "access ended");
    expect(stand.told).toMatchObject([
      { name: "end", value: { code: "access-expired", retryable, closeCode: 4010 } },
    ]);
  });
});
