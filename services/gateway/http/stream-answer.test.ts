import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { CallScope } from "../rpc/call-scope.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import { SendResult } from "../transport/transport.ts";
import type { HttpWriter } from "../transport/transport.ts";
import { StreamAnswer } from "./stream-answer.ts";

/** Takes what a stream writes, with results that the test says in advance. */
class FakeWriter implements HttpWriter {
  readonly results: SendResult[] = [];
  readonly chunks: Buffer[] = [];
  outcome: "open" | "ended" | "aborted" = "open";

  write(chunk: Uint8Array): SendResult {
    const result = this.results.shift() ?? SendResult.Sent;
    if (result !== SendResult.Dropped) this.chunks.push(Buffer.from(chunk));
    return result;
  }

  bufferedBytes(): number {
    return 0;
  }

  end(): void {
    this.outcome = "ended";
  }

  abort(): void {
    this.outcome = "aborted";
  }

  /** Flags and text of every envelope. */
  get messages(): readonly [number, string][] {
    return this.chunks.map((chunk) => {
      const body = chunk.subarray(5);
      return [chunk[0] ?? -1, (chunk[0] === 1 ? gunzipSync(body) : body).toString()];
    });
  }
}

let clock: ManualClock;
let scope: CallScope;
let writer: FakeWriter;
let produced: number;
let closed: number;
let ends: unknown[];
beforeEach(() => {
  clock = new ManualClock();
  scope = new CallScope(clock, 1_000);
  writer = new FakeWriter();
  produced = 0;
  closed = 0;
  ends = [];
});

async function* count(to: number, failure?: Error): AsyncGenerator<string> {
  try {
    while (produced < to) yield `"${++produced}"`;
    if (failure !== undefined) throw failure;
  } finally {
    closed += 1;
  }
}

const streamOf = (
  responses: AsyncIterator<unknown>,
  more: { gzipBytesMin?: number; trailers?: ReadonlyMap<string, string[]> } = {},
) =>
  new StreamAnswer({
    responses,
    scope,
    encode: (response) => response as string,
    gzipBytesMin: more.gzipBytesMin,
    trailers: more.trailers ?? new Map(),
    onEnd: (error) => ends.push(error),
  });

/** Lets promises run: a fixed number of turns, no time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

const endsWith = (error: object) => [2, JSON.stringify({ error })] as [number, string];

test("each response is a message, and the last message says that all went well", async () => {
  const stream = streamOf(count(2), { trailers: new Map([["x-two", ["a", "b"]]]) });
  await stream.begin();
  stream.open(writer);
  await settle();
  expect(writer.messages).toEqual([
    [0, '"1"'],
    [0, '"2"'],
    [2, '{"metadata":{"x-two":["a","b"]}}'],
  ]);
  expect([writer.outcome, ends, closed, clock.pending]).toEqual(["ended", [undefined], 1, 0]);
});

test("a failure after some responses is said by the last message", async () => {
  const failure = new RpcError("data_loss", "it is gone");
  const stream = streamOf(count(1, failure));
  await stream.begin();
  stream.open(writer);
  await settle();
  expect(writer.messages).toEqual([
    [0, '"1"'],
    endsWith({ code: "data_loss", message: "it is gone" }),
  ]);
  expect([writer.outcome, ends]).toEqual(["ended", [failure]]);
});

test("a failure before the first response is said by the only message", async () => {
  const stream = streamOf(count(0, new Error("secret")));
  await stream.begin();
  stream.open(writer);
  await settle();
  expect(writer.messages).toEqual([endsWith({ code: "internal", message: "internal error" })]);
});

test("nothing more is produced while the client has not taken what was sent", async () => {
  writer.results.push(SendResult.Sent, SendResult.Buffered);
  const stream = streamOf(count(5));
  await stream.begin();
  const handler = stream.open(writer);
  await settle();
  expect([produced, writer.chunks.length]).toEqual([2, 2]);
  handler.onDrain();
  await settle();
  expect([produced, writer.chunks.length, writer.outcome]).toEqual([5, 6, "ended"]);
});

test("a response that is more than the buffer ends the stream with a reason", async () => {
  writer.results.push(SendResult.Dropped);
  const stream = streamOf(count(5));
  await stream.begin();
  stream.open(writer);
  await settle();
  expect(writer.messages[0]?.[1]).toContain("resource_exhausted");
  expect([produced, closed, writer.outcome]).toEqual([1, 1, "ended"]);
});

test("a last message that does not fit cuts the connection", async () => {
  writer.results.push(SendResult.Sent, SendResult.Dropped);
  const stream = streamOf(count(1));
  await stream.begin();
  stream.open(writer);
  await settle();
  expect(writer.outcome).toBe("aborted");
});

test("the deadline ends a stream that waits for its client", async () => {
  writer.results.push(SendResult.Buffered);
  const stream = streamOf(count(5));
  await stream.begin();
  stream.open(writer);
  await settle();
  clock.advance(1_000);
  await settle();
  expect(writer.messages.at(-1)?.[1]).toContain("deadline_exceeded");
  expect([closed, ends.length, clock.pending]).toEqual([1, 1, 0]);
});

test("the deadline ends a stream whose method says nothing at all", async () => {
  const stream = streamOf({ next: () => new Promise(() => {}) });
  const begun = stream.begin();
  clock.advance(1_000);
  await begun;
  stream.open(writer);
  await settle();
  expect(writer.messages[0]?.[1]).toContain("deadline_exceeded");
});

test("a client that goes away ends its stream, and the signal of the method", async () => {
  writer.results.push(SendResult.Buffered);
  const stream = streamOf(count(5));
  await stream.begin();
  const handler = stream.open(writer);
  await settle();
  handler.onClose(false);
  await settle();
  expect([scope.signal.aborted, closed, produced]).toEqual([true, 1, 1]);
  expect(ends).toMatchObject([{ code: "canceled" }]);
});

test("a client that goes before the body begins ends its stream once", async () => {
  const stream = streamOf(count(5));
  await stream.begin();
  stream.abandon();
  await settle();
  expect([closed, clock.pending]).toEqual([1, 0]);
  expect(ends).toMatchObject([{ code: "canceled" }]);
});

test("messages from the limit on are compressed, the last one never", async () => {
  const stream = streamOf(count(10), { gzipBytesMin: 4 });
  await stream.begin();
  await new Promise<void>((resolve) => {
    const finished = writer.end.bind(writer);
    writer.end = () => {
      finished();
      resolve();
    };
    stream.open(writer);
  });
  expect(writer.messages.map(([flags]) => flags)).toEqual([...Array(9).fill(0), 1, 2]);
  expect(writer.messages.at(-2)).toEqual([1, '"10"']);
});
