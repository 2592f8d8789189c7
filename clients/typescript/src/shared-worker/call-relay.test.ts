import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { ConnectionError } from "../errors.ts";
import type { Limits } from "../session/connection.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import { RequestPacer } from "../session/request-pacer.ts";
import type { SessionLink } from "../session/session-part.ts";
import { CallRelay } from "./call-relay.ts";

const WAITING_MAX = 10_000;
const GONE = new ConnectionError("connection-lost", "gone", { retryable: true });

function callOf(callId: number): ClientMessage {
  return { kind: "call", value: { callId, method: `m${callId}` } };
}

function replyOf(callId: number, isLast = true): ServerMessage {
  const status = isLast
    ? { code: "CODE_UNSPECIFIED" as const, message: "", details: [] }
    : undefined;
  return { kind: "reply", value: { callId, response: Uint8Array.of(callId), status } };
}

/** A tab that writes down what it is told of its calls. */
class FakeTab {
  readonly told: string[] = [];

  deliver(message: ServerMessage): void {
    if (message.kind !== "reply") throw new Error(`a tab is told ${message.kind}`);
    const { callId, response, status } = message.value;
    this.told.push([callId, status?.code ?? "more", response?.join()].filter(Boolean).join(" "));
  }
}

let sent: string[];
let sentOnOld: string[];
let pacer: RequestPacer;
let relay: CallRelay;
const write = (list: string[]) => (messages: readonly ClientMessage[]) => {
  for (const { kind, value } of messages) {
    const method = kind === "call" ? ` ${value.method}` : "";
    list.push(`${kind} ${(value as { callId: number }).callId}${method}`);
  }
};

beforeEach(() => {
  sent = [];
  sentOnOld = [];
  pacer = new RequestPacer(new ManualClock());
  pacer.start(1_000);
  relay = new CallRelay({ pacer, send: write(sent) } as unknown as SessionLink);
});

const connect = (concurrentCallsMax = 16) =>
  relay.handleConnected({ concurrentCallsMax } as Limits);

describe("calls of several tabs on one connection", () => {
  test("have ids of their own there, and answers go to whose they are", () => {
    connect();
    const [one, other] = [new FakeTab(), new FakeTab()];
    relay.send(one, callOf(1));
    relay.send(other, callOf(1));
    relay.send(one, callOf(2));
    expect(sent).toEqual(["call 1 m1", "call 2 m1", "call 3 m2"]);
    relay.handleMessage(replyOf(2));
    relay.handleMessage(replyOf(3, false));
    relay.handleMessage(replyOf(3));
    relay.handleMessage(replyOf(3));
    expect(other.told).toEqual(["1 CODE_UNSPECIFIED 2"]);
    expect(one.told).toEqual(["2 more 3", "2 CODE_UNSPECIFIED 3"]);
  });

  test("wait for a connection, and for a place below the gateway's limit", () => {
    const tab = new FakeTab();
    for (const callId of [1, 2, 3]) relay.send(tab, callOf(callId));
    expect(sent).toEqual([]);
    connect(2);
    expect(sent).toEqual(["call 1 m1", "call 2 m2"]);
    relay.handleMessage(replyOf(1));
    expect(sent.at(-1)).toBe("call 3 m3");
  });

  test("are cancelled and credited under the ids that they have there", () => {
    connect(1);
    const [one, other] = [new FakeTab(), new FakeTab()];
    relay.send(other, callOf(1));
    relay.send(one, callOf(1));
    relay.send(one, { kind: "credit", value: { callId: 1, credits: 3 } });
    expect(sent).toEqual(["call 1 m1"]);
    relay.send(other, { kind: "credit", value: { callId: 1, credits: 3 } });
    relay.send(other, { kind: "cancel", value: { callId: 1 } });
    expect(sent.slice(1, 3)).toEqual(["credit 1", "cancel 1"]);
  });

  test("that wait are taken back without a word to the gateway", () => {
    connect(1);
    const tab = new FakeTab();
    relay.send(tab, callOf(1));
    relay.send(tab, callOf(2));
    relay.send(tab, { kind: "cancel", value: { callId: 2 } });
    relay.handleMessage(replyOf(1));
    expect(sent).toEqual(["call 1 m1"]);
  });

  test("of a tab that is gone are cancelled, and those of others go on", () => {
    connect(3);
    const [one, other] = [new FakeTab(), new FakeTab()];
    for (const callId of [1, 2]) relay.send(one, callOf(callId));
    relay.send(other, callOf(1));
    relay.send(one, callOf(3));
    relay.send(other, callOf(2));
    relay.leave(one);
    expect(sent.slice(3)).toEqual(["cancel 1", "call 4 m2", "cancel 2"]);
    relay.handleMessage(replyOf(3));
    relay.handleMessage(replyOf(4));
    expect(other.told).toEqual(["1 CODE_UNSPECIFIED 3", "2 CODE_UNSPECIFIED 4"]);
    expect(one.told).toEqual([]);
  });

  test("beyond what may wait are refused, and their tab is told", () => {
    const tab = new FakeTab();
    for (let callId = 1; callId <= WAITING_MAX; callId++) relay.send(tab, callOf(callId));
    expect(tab.told).toEqual([]);
    relay.send(tab, callOf(WAITING_MAX + 1));
    expect(tab.told).toEqual([`${WAITING_MAX + 1} CODE_RESOURCE_EXHAUSTED`]);
  });

  test("are lost with the connection, and each tab is told of its own", () => {
    connect(1);
    const [one, other] = [new FakeTab(), new FakeTab()];
    relay.send(one, callOf(1));
    relay.send(other, callOf(5));
    relay.handleDisconnected(GONE);
    expect(one.told).toEqual(["1 CODE_UNAVAILABLE"]);
    expect(other.told).toEqual(["5 CODE_UNAVAILABLE"]);
    connect();
    expect(sent).toEqual(["call 1 m1"]);
  });

  test("that are under way end on the connection that another takes over from", () => {
    connect(1);
    const tab = new FakeTab();
    relay.send(tab, callOf(1));
    relay.send(tab, callOf(2));
    relay.handleMoved({ send: write(sentOnOld) });
    connect(2);
    expect(sent).toEqual(["call 1 m1", "call 1 m2"]);
    expect(relay.needsOld).toBe(true);
    relay.send(tab, { kind: "credit", value: { callId: 1, credits: 1 } });
    expect(sentOnOld).toEqual(["credit 1"]);
    relay.handleMessage(replyOf(1));
    relay.handleOldMessage(replyOf(1));
    expect(tab.told).toEqual(["2 CODE_UNSPECIFIED 1", "1 CODE_UNSPECIFIED 1"]);
    expect(relay.needsOld).toBe(false);
  });

  test("that are still under way when the old connection ends are lost, and their tab is told", () => {
    connect();
    const tab = new FakeTab();
    relay.send(tab, callOf(1));
    relay.handleMoved({ send: write(sentOnOld) });
    connect();
    relay.handleOldEnded(GONE);
    expect(tab.told).toEqual(["1 CODE_UNAVAILABLE"]);
    expect(relay.needsOld).toBe(false);
    relay.handleOldMessage(replyOf(1));
    expect(tab.told).toHaveLength(1);
  });

  test("of a tab that is gone are cancelled on the old connection too", () => {
    connect();
    const tab = new FakeTab();
    relay.send(tab, callOf(1));
    relay.handleMoved({ send: write(sentOnOld) });
    connect();
    relay.leave(tab);
    expect(sentOnOld).toEqual(["cancel 1"]);
    expect(relay.needsOld).toBe(false);
  });
});
