import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { isPresent, settle, type FakeGateway } from "./fake-gateway.ts";
import { connectFake, reconnect } from "./fake-session.ts";

const wire = tickwire.v1;

/** Keeps every call unanswered. */
function holdCalls(gateway: FakeGateway): void {
  gateway.onMessage = (_socket, message) => isPresent(message.call);
}

function reply(gateway: FakeGateway, callId: number, response: Uint8Array | undefined, code = 0) {
  const status = { code, message: code === 0 ? "" : "no luck" };
  const body = response === undefined ? {} : { response };
  gateway.socket.deliverMessage({ reply: { callId, ...body, status } });
}

const TIME = wire.GetServerTimeResponse.encode({ serverTimeUs: 1_234 }).finish();

describe("a call", () => {
  test("carries method, request and deadline, and resolves with the decoded response", async () => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const request = { venue: "binance", symbol: "BTC-USDT", depth: 5 };
    const options = { timeoutMs: 2_000, metadata: { trace: "1" } };
    const snapshot = client.rpc.getSnapshot(request, options);
    await settle();
    const [call] = gateway.socket.sent("call");
    expect(call).toMatchObject({
      callId: 1,
      method: "tickwire.v1.MarketData/GetSnapshot",
      timeoutMs: 2_000,
      metadata: { trace: "1" },
    });
    expect(wire.GetSnapshotRequest.decode(call?.request ?? new Uint8Array(0))).toMatchObject(
      request,
    );
    const book = { bids: [{ price: "1", size: "2" }], asks: [] };
    reply(gateway, 1, wire.GetSnapshotResponse.encode({ book }).finish());
    expect((await snapshot).book?.bids).toMatchObject([{ price: 1, sizeText: "2" }]);
  });

  test("rejects with the gateway's code, message and details", async () => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const call = client.rpc.getInstrument({ venue: "binance", symbol: "NO" });
    await settle();
    const detail = { reason: "UNKNOWN_SYMBOL", metadata: { symbol: "NO" }, retryAfterMs: 50 };
    const typeUrl = "type.googleapis.com/tickwire.v1.ErrorDetail";
    const details = [
      { type_url: typeUrl, value: wire.ErrorDetail.encode(detail).finish() },
      { type_url: "type.googleapis.com/other.Thing", value: Uint8Array.of(1) },
    ];
    const status = { code: wire.Code.CODE_NOT_FOUND, message: "no such symbol", details };
    gateway.socket.deliverMessage({ reply: { callId: 1, status } });
    await expect(call).rejects.toMatchObject({
      name: "RpcError",
      code: "not-found",
      message: "no such symbol",
      method: "tickwire.v1.MarketData/GetInstrument",
      sent: true,
      retryable: false,
      details: [detail],
    });
  });

  test.each([
    [wire.Code.CODE_UNAVAILABLE, "unavailable", true],
    [wire.Code.CODE_UNIMPLEMENTED, "unimplemented", false],
    [99, "unknown", false],
  ])("status %i is %s", async (number, code, retryable) => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const call = client.rpc.getServerTime({});
    await settle();
    reply(gateway, 1, undefined, number);
    await expect(call).rejects.toMatchObject({ code, retryable });
  });

  test.each([
    ["no response", undefined],
    ["a response that cannot be read", Uint8Array.of(0xff)],
  ])("success with %s is an internal error", async (_name, response) => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const call = client.rpc.getServerTime({});
    await settle();
    reply(gateway, 1, response);
    await expect(call).rejects.toMatchObject({ code: "internal" });
  });

  test.each([
    [1_999, "pending"],
    [2_000, "deadline-exceeded"],
  ])("%i ms of a deadline of 2000", async (elapsedMs, expected) => {
    const { client, gateway, clock } = await connectFake();
    holdCalls(gateway);
    let outcome = "pending";
    client.rpc.getServerTime({}, { timeoutMs: 2_000 }).catch(({ code }: { code: string }) => {
      outcome = code;
    });
    await settle();
    clock.advance(elapsedMs);
    await settle();
    expect(outcome).toBe(expected);
    const cancelled = gateway.socket.sent("cancel").map(({ callId }) => callId);
    expect(cancelled).toEqual(expected === "pending" ? [] : [1]);
    // A late reply has nobody to go to and harms nobody.
    reply(gateway, 1, TIME);
    expect(client.state).toBe("connected");
  });

  test("an abort cancels it on both sides", async () => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const controller = new AbortController();
    const call = client.rpc.getServerTime({}, { signal: controller.signal });
    await settle();
    controller.abort(new Error("enough"));
    await expect(call).rejects.toMatchObject({
      code: "cancelled",
      sent: true,
      cause: { message: "enough" },
    });
    expect(gateway.socket.sent("cancel")).toMatchObject([{ callId: 1 }]);
  });

  test("a signal that was aborted before sends nothing", async () => {
    const { client, gateway } = await connectFake();
    const call = client.rpc.getServerTime({}, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: "cancelled", sent: false });
    expect(gateway.socket.sent("call")).toHaveLength(0);
  });

  test("calls over concurrentCallsMax 2 wait for a free slot", async () => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const calls = [1, 2, 3].map(() => client.rpc.getServerTime({}));
    await settle();
    expect(gateway.socket.sent("call")).toHaveLength(2);
    reply(gateway, 1, TIME);
    await settle();
    expect(gateway.socket.sent("call").map(({ callId }) => callId)).toEqual([1, 2, 3]);
    reply(gateway, 2, TIME);
    reply(gateway, 3, TIME);
    expect((await Promise.all(calls)).map(({ serverTimeUs }) => serverTimeUs)).toEqual([
      1_234, 1_234, 1_234,
    ]);
  });

  test.each([
    [3, "pending"],
    [4, "pending"],
    [5, "resource-exhausted"],
  ])("call %i with two running and callsQueuedMax 2", async (count, expected) => {
    const { client, gateway } = await connectFake({ callsQueuedMax: 2 });
    holdCalls(gateway);
    let outcome = "pending";
    for (let index = 0; index < count; index++) {
      client.rpc.getServerTime({}).catch(({ code }: { code: string }) => {
        outcome = code;
      });
    }
    await settle();
    expect(outcome).toBe(expected);
  });

  test("is lost with the connection if it was sent, and waits for the next if not", async () => {
    const session = await connectFake();
    const { client, gateway } = session;
    holdCalls(gateway);
    const sent = [client.rpc.getServerTime({}), client.rpc.getServerTime({})];
    const waiting = client.rpc.getServerTime({});
    await settle();
    const outcomes = Promise.allSettled(sent);
    await reconnect(session);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        status: "rejected",
        reason: { code: "unavailable", sent: true, retryable: true },
      });
    }
    expect(gateway.socket.sent("call")).toHaveLength(1);
    reply(gateway, 1, TIME);
    expect((await waiting).serverTimeUs).toBe(1_234);
  });

  test("what cannot be encoded is an invalid argument", async () => {
    const { client } = await connectFake();
    const call = client.rpc.getSnapshot({ venue: "a", symbol: "b", depth: -1 });
    await expect(call).rejects.toMatchObject({ code: "invalid-argument", sent: false });
  });
});

describe("a streaming call", () => {
  const RESPONSE = wire.ReplayResponse.encode({ batch: { topicId: 1 } }).finish();

  function deliver(gateway: FakeGateway, count: number): void {
    for (let index = 0; index < count; index++) {
      gateway.socket.deliverMessage({ reply: { callId: 1, response: RESPONSE } });
    }
  }

  async function started() {
    const session = await connectFake();
    holdCalls(session.gateway);
    const iterator = session.client.rpc.replay({ topic: "a:b/trades" })[Symbol.asyncIterator]();
    const first = iterator.next();
    await settle();
    return { ...session, iterator, first };
  }

  test("yields responses until the status", async () => {
    const { gateway, iterator, first } = await started();
    expect(gateway.socket.sent("call")[0]).toMatchObject({ credits: 16, timeoutMs: 0 });
    deliver(gateway, 2);
    expect((await first).done).toBe(false);
    expect((await iterator.next()).done).toBe(false);
    gateway.socket.deliverMessage({ reply: { callId: 1, status: { code: 0 } } });
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
    expect(gateway.socket.sent("cancel")).toHaveLength(0);
  });

  test("grants credits anew when half of them were read, in one message", async () => {
    const { gateway, iterator, first } = await started();
    deliver(gateway, 16);
    await first;
    for (let read = 1; read < 7; read++) await iterator.next();
    expect(gateway.socket.sent("credit")).toHaveLength(0);
    await iterator.next();
    expect(gateway.socket.sent("credit")).toMatchObject([{ callId: 1, credits: 8 }]);
  });

  test("a gateway that sends more than it had credits for is cut off", async () => {
    const { gateway, iterator, first } = await started();
    deliver(gateway, 17);
    await first;
    for (let read = 1; read < 16; read++) expect((await iterator.next()).done).toBe(false);
    await expect(iterator.next()).rejects.toMatchObject({ code: "internal" });
    expect(gateway.socket.sent("cancel")).toHaveLength(1);
  });

  test("an error is thrown to the loop", async () => {
    const { gateway, first } = await started();
    reply(gateway, 1, undefined, wire.Code.CODE_UNIMPLEMENTED);
    await expect(first).rejects.toMatchObject({ code: "unimplemented" });
  });

  test("leaving the loop cancels the call", async () => {
    const { client, gateway } = await connectFake();
    holdCalls(gateway);
    const loop = (async () => {
      for await (const response of client.rpc.replay({ topic: "a:b/trades" })) return response;
      return undefined;
    })();
    await settle();
    deliver(gateway, 1);
    expect(await loop).toBeDefined();
    expect(gateway.socket.sent("cancel")).toMatchObject([{ callId: 1 }]);
  });

  test("a lost connection is thrown to the loop", async () => {
    const { gateway, first } = await started();
    gateway.socket.closeByServer(1006);
    await expect(first).rejects.toMatchObject({ code: "unavailable", sent: true });
  });
});
