import { setImmediate as nextTurn } from "node:timers/promises";
import { GetServerTimeRequestCodec, GetServerTimeResponseCodec } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { Turns } from "../turns/turns.ts";
import { CallTable } from "./call-table.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import { bindService } from "../rpc/service-table.ts";
import type { RpcContext } from "../rpc/service-table.ts";

const method = (name: string, kind: "unary" | "server-streaming") => ({
  name,
  fullName: `test.Service/${name}`,
  path: `/test.Service/${name}`,
  kind,
  idempotent: true,
  request: GetServerTimeRequestCodec,
  response: GetServerTimeResponseCodec,
});

/** A service that only exists here: the schema has no stream that is served yet. */
const SERVICE = {
  typeName: "test.Service",
  methods: {
    count: method("Count", "server-streaming"),
    silent: method("Silent", "server-streaming"),
    breaks: method("Breaks", "server-streaming"),
    throws: method("Throws", "unary"),
    hangs: method("Hangs", "unary"),
  },
};

let clock: ManualClock;
let replies: string[];
let produced: number;
let finished: string[];
let signals: AbortSignal[];
let internal: unknown[];
let calls: CallTable;
let waitingBytes: number;

const never = new Promise<never>(() => {});

const HANDLERS = {
  async *count() {
    try {
      for (let index = 1; index <= 10; index += 1) {
        produced = index;
        yield { serverTimeUs: index };
      }
    } finally {
      finished.push("count");
    }
  },
  async *silent(_: unknown, context: RpcContext) {
    signals.push(context.signal);
    yield await never;
  },
  async *breaks() {
    yield { serverTimeUs: 1 };
    throw new RpcError("data_loss", "lost");
  },
  throws: () => {
    throw new Error("secret");
  },
  hangs: (_: unknown, context: RpcContext) => {
    signals.push(context.signal);
    return never;
  },
};

beforeEach(() => {
  clock = new ManualClock();
  replies = [];
  waitingBytes = 0;
  produced = 0;
  finished = [];
  signals = [];
  internal = [];
  calls = new CallTable(
    {
      services: bindService(SERVICE, HANDLERS),
      clock,
      metrics: createGatewayMetrics(new Registry()),
      limits: {
        concurrentCallsMax: 2,
        callTimeoutMs: 1_000,
        callTimeoutMsMax: 2_000,
        streamTimeoutMsMax: 2_000,
        requestsPerSecondMax: 7,
        outboundBytesMax: 1_000,
      },
      line: new Turns({ clock, scheduler: { endOfTurn: () => {} } }).open(),
      takeRequests: (requests) => requests <= 7,
      remoteAddress: "127.0.0.1",
      principal: () => ANYBODY,
      onInternalError: (_, error) => internal.push(error),
    },
    {
      get waitingBytes() {
        return waitingBytes;
      },
      response: (callId, bytes, last) => {
        const { serverTimeUs } = GetServerTimeResponseCodec.decode(bytes);
        replies.push(`${callId}: ${serverTimeUs}${last ? " last" : ""}`);
      },
      end: (callId, error) => replies.push(`${callId}: ${error?.code ?? "ok"}`),
    },
  );
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
}

test("a request of very many fields is refused before it is decoded", async () => {
  const call = { method: "test.Service/Throws", timeoutMs: 0, credits: 0, metadata: {} };
  const fields = (count: number) =>
    new Uint8Array(2 * count).map((_, index) => (index % 2 ? 0 : 0x78));
  calls.start({ ...call, callId: 1, request: fields(10_000) });
  calls.start({ ...call, callId: 2, request: fields(10_001) });
  await settle();
  expect(replies.toSorted()).toEqual(["1: internal", "2: invalid_argument"]);
});

function start(callId: number, name: string, credits = 0, timeoutMs = 0): boolean {
  const request = new Uint8Array();
  const fullName = `test.Service/${name}`;
  return calls.start({ callId, method: fullName, request, timeoutMs, credits, metadata: {} });
}

describe("a stream", () => {
  test("sends as many responses as it has credits, and goes on with more", async () => {
    start(1, "Count", 3);
    await settle();
    expect(replies).toEqual(["1: 1", "1: 2", "1: 3"]);
    expect(produced).toBe(4);
    calls.credit(1, 2);
    await settle();
    expect(replies).toHaveLength(5);
    calls.credit(1, 100);
    await settle();
    expect(replies.slice(5)).toEqual(["1: 6", "1: 7", "1: 8", "1: 9", "1: 10", "1: ok"]);
    expect(calls.active).toBe(0);
  });

  test("without credits sends nothing", async () => {
    start(1, "Count");
    await settle();
    expect(replies).toEqual([]);
  });

  test("that is cancelled ends once, and its handler is told", async () => {
    start(1, "Count", 2);
    await settle();
    calls.cancel(1);
    calls.cancel(1);
    calls.credit(1, 5);
    await settle();
    expect(replies).toEqual(["1: 1", "1: 2", "1: canceled"]);
    expect(finished).toEqual(["count"]);
  });

  test("that waits for ever ends with its deadline", async () => {
    start(1, "Silent", 5, 500);
    await settle();
    clock.advance(499);
    await settle();
    expect(replies).toEqual([]);
    clock.advance(1);
    await settle();
    expect(replies).toEqual(["1: deadline_exceeded"]);
    expect(signals[0]?.aborted).toBe(true);
  });

  test("that fails says why after what it has sent", async () => {
    start(1, "Breaks", 5);
    await settle();
    expect(replies).toEqual(["1: 1", "1: data_loss"]);
  });

  test("stops without a word when the session is gone", async () => {
    start(1, "Count", 1);
    start(2, "Silent", 1);
    await settle();
    calls.closeAll();
    calls.closeAll();
    calls.credit(1, 5);
    await settle();
    expect(replies).toEqual(["1: 1"]);
    expect(signals[0]?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe("a call", () => {
  test("that throws is internal without detail, and logged", async () => {
    start(1, "Throws");
    await settle();
    expect(replies).toEqual(["1: internal"]);
    expect(internal).toHaveLength(1);
  });

  test.each([
    [0, 1_000],
    [1_500, 1_500],
    [2_000, 2_000],
    [9_999, 2_000],
  ])("with a timeout of %i ms has a deadline of %i ms", async (asked, effective) => {
    start(1, "Hangs", 0, asked);
    clock.advance(effective - 1);
    await settle();
    expect(replies).toEqual([]);
    clock.advance(1);
    await settle();
    expect(replies).toEqual(["1: deadline_exceeded"]);
  });

  test("above concurrentCallsMax is refused, and one that ended makes room", async () => {
    start(1, "Hangs");
    start(2, "Hangs");
    start(3, "Hangs");
    expect(replies).toEqual(["3: resource_exhausted"]);
    calls.cancel(2);
    await settle();
    start(4, "Hangs");
    expect(calls.active).toBe(2);
  });

  test.each([
    [1_000, undefined],
    [1_001, "resource_exhausted"],
  ])("where %i bytes of replies wait of 1000 that may: %s", async (bytes, refused) => {
    waitingBytes = bytes;
    start(1, "Throws");
    await settle();
    expect(replies).toEqual([`1: ${refused ?? "internal"}`]);
  });

  test("may be refused in place of being served, and keeps the rule of ids", async () => {
    const error = new RpcError("resource_exhausted", "later");
    const call = { callId: 3, method: "test.Service/Hangs", request: new Uint8Array() };
    const rest = { timeoutMs: 0, credits: 0, metadata: {} };
    expect(calls.refuse({ ...call, ...rest }, error)).toBe(true);
    expect(calls.refuse({ ...call, ...rest }, error)).toBe(false);
    await settle();
    expect(replies).toEqual(["3: resource_exhausted"]);
    expect([calls.active, signals.length]).toEqual([0, 0]);
    expect(start(3, "Hangs")).toBe(false);
  });

  test("ids must rise", () => {
    expect([start(0, "Hangs"), start(5, "Hangs"), start(5, "Hangs"), start(4, "Hangs")]).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});
