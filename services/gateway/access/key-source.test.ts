// The keys of tokens from a real address, which rotates them, goes away, and answers badly. Time is
// the test's own but for the timeout of one request.
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { HttpStand } from "#test/support/http-stand.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { signingKey } from "#test/support/tokens.ts";
import type { SigningKey } from "#test/support/tokens.ts";
import { createAccessMetrics } from "./access-metrics.ts";
import { fetchKeySet } from "./key-set-fetch.ts";
import { KeySource } from "./key-source.ts";

const [REFETCH_MS, REFRESH_MS, BYTES_MAX] = [10_000, 300_000, 10_000];

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let [old, next]: [SigningKey, SigningKey] = [] as never;
let stand: HttpStand;
let clock: ManualClock;
let registry: Registry;
let answer: Answer;
let requests: number;
let keysGone: number;
let warnings: string[];
let source: KeySource;

beforeAll(async () => {
  [old, next] = [await signingKey("ES256", "old"), await signingKey("ES256", "next")];
});

beforeEach(async () => {
  stand = new HttpStand();
  clock = new ManualClock();
  [requests, keysGone, warnings] = [0, 0, []];
  answer = answers(setOf(old));
  const { port } = await stand.serve((request, response) => {
    requests += 1;
    answer(request, response);
  });
  source = sourceOf(`http://127.0.0.1:${port}/keys`);
});

afterEach(async () => {
  source.close();
  await stand.stop();
});

function sourceOf(url: string, timeoutMs = 5_000): KeySource {
  const warn = (fields: object, message: string): void => {
    warnings.push(`${message} ${JSON.stringify(fields)}`);
  };
  registry = new Registry();
  return new KeySource({
    clock,
    logger: { debug() {}, info() {}, warn, error: warn },
    metrics: createAccessMetrics(registry),
    name: url,
    origin: "url",
    fetchText: () => fetchKeySet(url, { timeoutMs, bytesMax: BYTES_MAX }),
    refetchMsMin: REFETCH_MS,
    refreshMs: REFRESH_MS,
    onKeysGone: () => void (keysGone += 1),
  });
}

const setOf = (...keys: SigningKey[]) =>
  JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) });

function answers(text: string, status = 200, headers: Record<string, string> = {}): Answer {
  return (_, response) => void response.writeHead(status, headers).end(text);
}

async function reads(outcome: "read" | "failed"): Promise<number> {
  const metric = await registry.getSingleMetric("tickwire_gateway_token_key_reads_total")?.get();
  return metric?.values.find(({ labels }) => labels["outcome"] === outcome)?.value ?? 0;
}

/** Until the address was asked so often and its answer was taken. */
async function read(times: number): Promise<void> {
  while ((await reads("read")) + (await reads("failed")) < times) await nextTurn();
}

const find = async (kid: string) => (await source.find(kid, "ES256"))?.kid;

test("a key that comes into the set is found by the first token that names it", async () => {
  await source.start();
  expect(await find("old")).toBe("old");
  answer = answers(setOf(old, next));
  clock.advance(REFETCH_MS);
  expect(await find("next")).toBe("next");
  expect([requests, keysGone]).toEqual([2, 0]);
});

test("an unknown key is looked for no more often than agreed, however many tokens name it", async () => {
  await source.start();
  clock.advance(REFETCH_MS - 1);
  await Promise.all(["a", "b", "c"].map(find));
  expect(requests).toBe(1);
  clock.advance(1);
  expect(await Promise.all(["a", "b", "c"].map(find))).toEqual([undefined, undefined, undefined]);
  expect(requests).toBe(2);
});

test("a key that is taken out goes without any token that asks, and that is told", async () => {
  await source.start();
  answer = answers(setOf(next));
  clock.advance(REFRESH_MS - 1);
  expect(requests).toBe(1);
  clock.advance(1);
  await read(2);
  expect(keysGone).toBe(1);
  expect([await find("old"), await find("next")]).toEqual([undefined, "next"]);
  // It goes on being looked at.
  clock.advance(REFRESH_MS);
  await read(3);
  expect([requests, keysGone]).toEqual([3, 1]);
});

test("a key that was exchanged under the name of another is found when a signature does not fit", async () => {
  await source.start();
  const known = await source.find("old", "ES256");
  if (known === undefined) throw new Error("the set has the key");
  expect(await source.findInsteadOf(known)).toBeUndefined();
  const exchanged = { ...next, publicJwk: { ...next.publicJwk, kid: "old" } };
  answer = answers(setOf(exchanged));
  clock.advance(REFETCH_MS);
  const other = await source.findInsteadOf(known);
  expect(other?.kid).toBe("old");
  expect(other?.print).not.toBe(known.print);
});

test("an address that is away at the start is asked again when a token comes", async () => {
  const working = answer;
  answer = (request) => void request.destroy();
  await source.start();
  expect(source.hasKeys).toBe(false);
  expect(await find("old")).toBeUndefined();
  expect(requests).toBe(1);
  answer = working;
  clock.advance(REFETCH_MS);
  expect(await find("old")).toBe("old");
});

test("nobody answers at the address: it is said why, and where", async () => {
  const { server, port } = await stand.serve(() => undefined);
  server.close();
  await once(server, "close");
  source = sourceOf(`http://127.0.0.1:${port}/keys`);
  await source.start();
  expect(warnings.join()).toContain("ECONNREFUSED");
  expect(source.hasKeys).toBe(false);
});

const huge = JSON.stringify({ keys: [], filler: "x".repeat(BYTES_MAX) });
const endless: Answer = (_, response) => {
  const more = (): void => void (response.destroyed || response.write("x".repeat(1_000), more));
  more();
};

test.each<[string, Answer, string]>([
  ["nothing", (request) => void request.destroy(), "fetch failed"],
  ["a page", answers("<html>"), "not JSON"],
  ["an empty set", answers('{"keys":[]}'), "no key that tokens can have"],
  ["half a set", answers(setOfHalf()), "not JSON"],
  ["an error", answers("{}", 500), "status 500"],
  ["no content", answers("", 204), "status 204"],
  ["a redirect", answers("", 302, { location: "http://127.0.0.1:1/keys" }), "redirect"],
  ["too much", answers(huge), `longer than ${BYTES_MAX} bytes`],
  ["more and more", endless, `longer than ${BYTES_MAX} bytes`],
  ["secrets", answers('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'), "is a secret"],
])("an address that answers %s later costs nobody his key", async (_, bad, reason) => {
  await source.start();
  answer = bad;
  clock.advance(REFRESH_MS);
  await read(2);
  expect(await reads("failed")).toBe(1);
  expect(warnings.join()).toContain(reason);
  expect(warnings.join()).not.toContain("c2VjcmV0");
  expect([await find("old"), keysGone]).toEqual(["old", 0]);
});

test("an address that takes too long for its whole answer is given up", async () => {
  const { port } = await stand.serve((_, response) => void response.write("{"));
  source = sourceOf(`http://127.0.0.1:${port}/keys`, 30);
  await source.start();
  expect(warnings.join()).toContain("timeout");
  expect(source.hasKeys).toBe(false);
});

test("a redirect is not followed, also to the same place", async () => {
  let followed = false;
  const { port } = await stand.serve((request, response) => {
    followed ||= request.url === "/other";
    if (request.url === "/other") response.end(setOf(old));
    else response.writeHead(307, { location: "/other" }).end();
  });
  source = sourceOf(`http://127.0.0.1:${port}/keys`);
  await source.start();
  expect([followed, source.hasKeys]).toEqual([false, false]);
});

test("a source that is closed asks no more", async () => {
  await source.start();
  source.close();
  clock.advance(REFRESH_MS * 3);
  expect([requests, clock.pending]).toEqual([1, 0]);
});

function setOfHalf(): string {
  return '{"keys":[{"kty":"EC","crv":"P-256"';
}
