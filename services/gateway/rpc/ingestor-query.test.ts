import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { encodeQueryError, encodeQueryReply } from "#wire/bus-codec.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { queryIngestor, VenueGates } from "./ingestor-query.ts";

const QUERY = { venue: "fake", query: "trades", symbol: "A-USD" } as const;
const PAYLOAD = Uint8Array.of(1, 2);

const catalog = {
  publisherOf: (venue: string) => (venue === "fake" ? { publisherId: "p-1", epoch: 3 } : undefined),
} as unknown as Catalog;

const asker = { line: idleLine(), signal: new AbortController().signal };
const parts = (bus: Bus) => ({ bus, catalog, queryTimeoutMs: 90, gates: new VenueGates() });

function ask(answer: () => Promise<Uint8Array>) {
  const asked: unknown[] = [];
  const bus = {
    request: (...parameters: unknown[]) => {
      asked.push(...parameters);
      return answer();
    },
  } as unknown as Bus;
  return { asked, answer: queryIngestor(parts(bus), asker, QUERY, PAYLOAD) };
}

describe("the ingestor of a venue", () => {
  test("is asked on its subject, within queryTimeoutMs, and its payload handed on", async () => {
    const { asked, answer } = ask(() => Promise.resolve(encodeQueryReply(Uint8Array.of(9))));
    expect(await answer).toEqual(Uint8Array.of(9));
    expect(asked).toEqual(["rq.v2.fake.p-1.trades.A-USD", PAYLOAD, { timeoutMs: 90 }]);
  });

  test("that does not answer is unavailable, to be tried again, and nothing is said of the bus", async () => {
    const cause = new BusError("no-responders", "nobody answers on rq.v2.fake.trades.A-USD");
    const { answer } = ask(() => Promise.reject(cause));
    await expect(answer).rejects.toMatchObject({
      code: "unavailable",
      message: "the ingestor of fake does not answer",
      detail: { reason: "INGESTOR_UNAVAILABLE", retryAfterMs: 1_000 },
      cause,
    });
  });

  test("that refuses is quoted, with its code", async () => {
    const error = { code: "CODE_INVALID_ARGUMENT", message: "no such token" } as const;
    const { answer } = ask(() => Promise.resolve(encodeQueryError(error)));
    await expect(answer).rejects.toMatchObject({
      code: "invalid_argument",
      message: error.message,
    });
  });

  test("that has not listed yet what the catalog has is to be tried again", async () => {
    const error = { code: "CODE_NOT_FOUND", message: "fake:A-USD is not streamed" } as const;
    const { answer } = ask(() => Promise.resolve(encodeQueryError(error)));
    await expect(answer).rejects.toMatchObject({
      code: "unavailable",
      message: error.message,
      detail: { reason: "NOT_READY", retryAfterMs: 1_000 },
    });
  });

  test("that was never heard of is unavailable, and nobody is asked", async () => {
    const bus = { request: () => Promise.reject(new Error("asked")) } as unknown as Bus;
    const query = { ...QUERY, venue: "other" };
    const answer = queryIngestor(parts(bus), asker, query, PAYLOAD);
    await expect(answer).rejects.toMatchObject({
      code: "unavailable",
      detail: { reason: "INGESTOR_UNAVAILABLE", retryAfterMs: 1_000 },
    });
  });

  test("is asked no more than 8 questions at once, whoever asks, and each venue for itself", async () => {
    const answers: (() => void)[] = [];
    const reply = encodeQueryReply(Uint8Array.of(9));
    const bus = {
      request: () => new Promise((resolve) => answers.push(() => resolve(reply))),
    } as unknown as Bus;
    const everywhere = { publisherOf: () => ({ publisherId: "p", epoch: 1 }) };
    const shared = { ...parts(bus), catalog: everywhere as unknown as Catalog };
    const client = () => ({ ...asker, line: idleLine() });
    const all = Array.from({ length: 20 }, () => queryIngestor(shared, client(), QUERY, PAYLOAD));
    expect(answers).toHaveLength(8);
    all.push(queryIngestor(shared, client(), { ...QUERY, venue: "other" }, PAYLOAD));
    expect(answers).toHaveLength(9);
    while (answers.length > 0) {
      answers.shift()?.();
      await nextTurn();
      expect(answers.length).toBeLessThanOrEqual(9);
    }
    expect(await Promise.all(all)).toHaveLength(21);
  });

  test("is not blamed for a bug of ours", async () => {
    const { answer } = ask(() => Promise.reject(new TypeError("a bug")));
    await expect(answer).rejects.toThrow(TypeError);
  });
});
