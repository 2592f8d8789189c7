import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { RpcError, type RpcErrorCode } from "../errors.ts";
import { interceptStream, interceptUnary, type InterceptedCall } from "./call-chain.ts";
import { sendMetadata, traceCalls } from "./call-interceptors.ts";
import { retryCalls } from "./retry-calls.ts";

const METHOD = { fullName: "tickwire.v1.MarketData/GetTrades", idempotent: true };

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

function call(given: Partial<InterceptedCall> = {}): InterceptedCall {
  return { method: METHOD, request: {}, options: {}, clock, random: () => 0.999_999, ...given };
}

function failure(
  code: RpcErrorCode,
  { retryable = true, sent = true, retryAfterMs = undefined as number | undefined } = {},
): RpcError {
  const details = [{ reason: "RATE_LIMITED", metadata: {}, retryAfterMs }];
  return new RpcError(code, code, { retryable, details, method: METHOD.fullName, sent });
}

/** Fails with these in order, then answers; remembers when it was asked, in milliseconds. */
function gateway(...failures: readonly RpcError[]) {
  const askedMs: number[] = [];
  const timeouts: (number | undefined)[] = [];
  const startUs = clock.nowUs();
  return {
    askedMs,
    timeouts,
    answer: async ({ options }: InterceptedCall): Promise<string> => {
      askedMs.push((clock.nowUs() - startUs) / 1_000);
      timeouts.push(options.timeoutMs);
      const error = failures[askedMs.length - 1];
      if (error !== undefined) throw error;
      return "answer";
    },
  };
}

/** Lets time pass until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  let isOver = false;
  const result = Promise.allSettled([promise]);
  void result.then(() => (isOver = true));
  for (let ms = 0; ms < 100_000 && !isOver; ms += 1) {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    if (!isOver) clock.advance(1);
  }
  return (await result)[0];
}

describe("a call that fails", () => {
  const busy = () => failure("unavailable");

  test("is made again, later and later, until it succeeds", async () => {
    const { askedMs, answer } = gateway(busy(), busy(), busy());
    const result = await settled(interceptUnary([retryCalls()], call(), answer));
    expect(result).toMatchObject({ value: "answer" });
    expect(askedMs).toEqual([0, 100, 300, 700]);
  });

  test("is made attemptsMax times at most, and fails as the last did", async () => {
    const { askedMs, answer } = gateway(busy(), failure("resource-exhausted"));
    const retry = retryCalls({ attemptsMax: 2 });
    const result = await settled(interceptUnary([retry], call(), answer));
    expect(result).toMatchObject({ reason: { code: "resource-exhausted" } });
    expect(askedMs).toHaveLength(2);
  });

  test("waits at least as long as the gateway says", async () => {
    const { askedMs, answer } = gateway(failure("resource-exhausted", { retryAfterMs: 2_000 }));
    await settled(interceptUnary([retryCalls()], call(), answer));
    expect(askedMs).toEqual([0, 2_100]);
  });

  test.each([
    ["for a reason that does not pass", failure("not-found", { retryable: false }), true],
    ["and may have had an effect", failure("unavailable"), false],
  ])("%s is made once", async (_, error, idempotent) => {
    const { askedMs, answer } = gateway(error);
    const method = { ...METHOD, idempotent };
    const result = await settled(interceptUnary([retryCalls()], call({ method }), answer));
    expect(result.status).toBe("rejected");
    expect(askedMs).toEqual([0]);
  });

  test("without having been sent is made again, whatever it does", async () => {
    const { answer } = gateway(failure("unavailable", { sent: false }));
    const method = { ...METHOD, idempotent: false };
    const result = await settled(interceptUnary([retryCalls()], call({ method }), answer));
    expect(result.status).toBe("fulfilled");
  });

  test("keeps its deadline over all attempts", async () => {
    const { askedMs, timeouts, answer } = gateway(busy(), busy(), busy());
    const options = { timeoutMs: 350 };
    const result = await settled(interceptUnary([retryCalls()], call({ options }), answer));
    expect(result).toMatchObject({ reason: { code: "unavailable" } });
    expect(askedMs).toEqual([0, 100, 300]);
    expect(timeouts).toEqual([350, 250, 50]);
  });

  test("is not made again once it is aborted, and leaves no timer", async () => {
    const { askedMs, answer } = gateway(busy());
    const abort = new AbortController();
    const options = { signal: abort.signal };
    const promise = interceptUnary([retryCalls()], call({ options }), answer);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect(clock.pending).toBe(1);
    abort.abort();
    expect((await settled(promise)).status).toBe("rejected");
    expect([askedMs, clock.pending]).toEqual([[0], 0]);
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
  ])("of %i that fail, a budget of 2 has %i made again", async (count, retried) => {
    const retry = retryCalls({ budget: 2, attemptsMax: 2 });
    let attempts = 0;
    for (let index = 0; index < count; index += 1) {
      const { askedMs, answer } = gateway(busy(), busy());
      await settled(interceptUnary([retry], call(), answer));
      attempts += askedMs.length - 1;
    }
    expect(attempts).toBe(retried);
  });

  test("may be made again when ten others have succeeded", async () => {
    const retry = retryCalls({ budget: 1, attemptsMax: 2 });
    const fails = async () => {
      const { askedMs, answer } = gateway(busy(), busy());
      await settled(interceptUnary([retry], call(), answer));
      return askedMs.length;
    };
    expect([await fails(), await fails()]).toEqual([2, 1]);
    for (let index = 0; index < 9; index += 1) {
      await settled(interceptUnary([retry], call(), gateway().answer));
    }
    expect(await fails()).toBe(1);
    for (let index = 0; index < 2; index += 1) {
      await settled(interceptUnary([retry], call(), gateway().answer));
    }
    expect(await fails()).toBe(2);
  });
});

describe("a streaming call that fails", () => {
  const streams = (...lives: readonly (readonly (number | RpcError)[])[]) => {
    let attempt = 0;
    return async function* open(): AsyncIterable<number> {
      for (const item of lives[attempt++] ?? []) {
        if (item instanceof RpcError) throw item;
        yield item;
      }
    };
  };
  const read = async (open: () => AsyncIterable<number>) => {
    const seen: (number | string)[] = [];
    const reading = (async () => {
      for await (const item of interceptStream([retryCalls()], call(), open)) seen.push(item);
    })();
    const result = await settled(reading);
    return [...seen, result.status];
  };

  test("is made again as long as nothing has come", async () => {
    expect(await read(streams([failure("unavailable")], [1, 2]))).toEqual([1, 2, "fulfilled"]);
  });

  test("is not made again after that", async () => {
    expect(await read(streams([1, failure("unavailable")], [1, 2]))).toEqual([1, "rejected"]);
  });
});

describe("interceptors", () => {
  test("are passed from the first to the last, and back", async () => {
    const seen: string[] = [];
    const named = (name: string) => ({
      async unary<Response>(
        given: InterceptedCall,
        next: (given: InterceptedCall) => Promise<Response>,
      ) {
        seen.push(`${name} asks`);
        const response = await next(given);
        seen.push(`${name} answers`);
        return response;
      },
    });
    const list = [named("outer"), {}, named("inner")];
    await interceptUnary(list, call(), async () => void seen.push("gateway"));
    expect(seen).toEqual(["outer asks", "inner asks", "gateway", "inner answers", "outer answers"]);
  });

  test("send metadata that is asked for anew each time, under that of the caller", async () => {
    let asked = 0;
    const list = [sendMetadata(async () => ({ token: `t${++asked}`, app: "mine" }))];
    const options = { metadata: { app: "theirs" } };
    const sent = async ({ options: { metadata } }: InterceptedCall) => metadata;
    const of = () => interceptUnary(list, call({ options }), sent);
    expect([await of(), await of()]).toEqual([
      { token: "t1", app: "theirs" },
      { token: "t2", app: "theirs" },
    ]);
  });

  test("trace each call to its end", async () => {
    const ends: unknown[] = [];
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const list = [traceCalls(() => ({ traceparent, end: (error) => ends.push(error) }))];
    const metadata = await interceptUnary(list, call(), async ({ options }) => options.metadata);
    expect(metadata).toEqual({ traceparent });
    const error = failure("internal");
    const failing = interceptUnary(list, call(), async () => Promise.reject(error));
    await expect(failing).rejects.toBe(error);
    async function* one() {
      yield 1;
      yield 2;
    }
    for await (const _ of interceptStream(list, call(), one)) break;
    expect(ends).toEqual([undefined, error, undefined]);
  });
});
