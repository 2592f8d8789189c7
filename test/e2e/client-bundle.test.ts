import { describe, expect, test } from "vitest";
import {
  CLIENT_PAGES,
  bundleForBrowser,
  bytesByModule,
  transferSizes,
} from "../support/client-bundle.mjs";

// What a page pays for the client before it can do anything: all files that it loads at start,
// without those that come when they are first needed. Sizes are the same on every machine, so that
// a bound a little above them shows what grew; test/bench/client-bundle.bench.mjs prints where the
// bytes are.

const GZIP_BYTES_MAX = {
  "every export": 15_200,
  everything: 14_050,
  "streams only": 12_400,
  "ticks only": 11_600,
  lite: 8_000,
  "rpc only": 20_300,
} as const;

/** What a page with everything loads later, most of it behind its first events. */
const LATE_GZIP_BYTES_MAX = {
  // What takes over from the opening, and what it shares with channels, calls and replays.
  "take-over": 15_600,
  "tick-channels": 7_200,
  payload: 2_700,
  "wide-integers": 2_300,
  "topic-machine": 1_100,
  "event-channel": 1_000,
  "event-fields": 400,
  "enum-table": 300,
  calls: 5_400,
  "book-channel": 3_500,
  "row-channels": 1_200,
  "event-head": 300,
  "wire-names": 4_300,
  "lag-meter": 1_000,
  "replay-events": 1_200,
  "token-renewal": 600,
  "transport-ladder": 1_200,
  "http-sockets": 2_300,
} as const;

/** All of it, from the first file to the last. */
const ALL_GZIP_BYTES_MAX = 63_500;

/** Modules that a page must not load for what it does not do. */
const WHOLE =
  /node_modules|message-json|proto\/codec|rpc\/(calls|answer-values)|replay-events|lag-|session\/(session|connection)\.|subscriptions|topic-stream|transports/;

const FORBIDDEN = {
  "every export": WHOLE,
  everything: WHOLE,
  "streams only": /node_modules|message-json|proto\/codec|client\/src\/rpc|market-data-service/,
  "ticks only":
    /node_modules|message-json|proto\/codec|client\/src\/rpc|market-data-service|book|row|gen\/events|vocabulary/,
  lite: /node_modules|message-|control-|client\/src\/(rpc|transports|stats)|subscription|book|row|codec\/batch|vocabulary/,
  "rpc only":
    /node_modules|message-json|(topics|events|streams)\/(?!contract-size|decimal-numbers|event-fields|exact-decimal|increments|json-safe|times)|batch-|model\/order-book/,
} as const;

/** Names in protobufjs and in long that no minifier changes. */
const TRACES = /skipType|ldelim|LongBits|zzDecode|_slice_pool|WebAssembly|getHighBits|fromBits/;

const PAGES = [
  "every export",
  "everything",
  "streams only",
  "ticks only",
  "lite",
  "rpc only",
] as const;

describe.each(PAGES)("a page with %s", (page) => {
  const bundle = bundleForBrowser(CLIENT_PAGES[page]);

  test("loads no more than it has to", async () => {
    const { gzipBytes } = transferSizes(...(await bundle).chunks.map(({ code }) => code));
    expect(gzipBytes).toBeLessThan(GZIP_BYTES_MAX[page]);
    // A bound far above the size would let it grow unseen.
    expect(gzipBytes).toBeGreaterThan(GZIP_BYTES_MAX[page] * 0.9);
  });

  test("loads nothing of protobufjs, long, JSON or what it does not use", async () => {
    const modules = bytesByModule((await bundle).chunks).map(({ module }) => module);
    expect(modules.filter((module) => FORBIDDEN[page].test(module))).toEqual([]);
    expect(modules.length).toBeGreaterThan(15);
  });

  test("has no trace of their code, under whatever name", async () => {
    const { chunks, lateChunks } = await bundle;
    const code = [...chunks, ...lateChunks].map((chunk) => chunk.code).join("\n");
    expect(code.match(TRACES)).toBeNull();
    expect(code.match(/\beval\b|\bnew Function\b|\bFunction\(/)).toBeNull();
  });
});

test("what comes later is in files of its own, none of which has grown", async () => {
  const { chunks, lateChunks } = await bundleForBrowser(CLIENT_PAGES.everything);
  const sizes = lateChunks.map(({ name, code }) => [name, transferSizes(code).gzipBytes] as const);
  expect(sizes.map(([name]) => name).sort()).toEqual(Object.keys(LATE_GZIP_BYTES_MAX).sort());
  for (const [name, gzipBytes] of sizes) {
    expect(gzipBytes).toBeLessThan(LATE_GZIP_BYTES_MAX[name as keyof typeof LATE_GZIP_BYTES_MAX]);
  }
  const all = transferSizes(...[...chunks, ...lateChunks].map(({ code }) => code));
  expect(all.gzipBytes).toBeLessThan(ALL_GZIP_BYTES_MAX);
});

test("the small client stays small to its end", async () => {
  const { chunks, lateChunks } = await bundleForBrowser(CLIENT_PAGES.lite);
  expect(lateChunks.map(({ name }) => name)).toEqual(["lite-take-over"]);
  const all = transferSizes(...[...chunks, ...lateChunks].map(({ code }) => code));
  expect(all.gzipBytes).toBeLessThan(14_000);
  const modules = bytesByModule(lateChunks).map(({ module }) => module);
  expect(modules.filter((module) => FORBIDDEN.lite.test(module))).toEqual([]);
});

test("the traces would be found", async () => {
  const { code } = await bundleForBrowser(
    `import { tickwire } from "@tickwire/proto/protobufjs"; export { tickwire };`,
  );
  const found = new Set(code.match(new RegExp(TRACES, "g")));
  expect([...found]).toEqual(expect.arrayContaining(["skipType", "ldelim", "WebAssembly"]));
});
