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
  "every export": 36_800,
  everything: 35_200,
  "streams only": 32_400,
  "ticks only": 30_000,
  lite: 9_700,
  "rpc only": 20_300,
} as const;

/** What a page with everything loads later: each when it first needs it. */
const LATE_GZIP_BYTES_MAX = {
  calls: 5_400,
  "book-channel": 3_500,
  "row-channels": 1_200,
  "event-head": 300,
  // What calls, replays and channels of rows share.
  "wire-names": 4_300,
  "lag-meter": 1_000,
  "replay-events": 1_100,
  "token-renewal": 600,
  "transport-ladder": 1_200,
  "http-sockets": 2_300,
} as const;

/** Modules that a page must not load for what it does not do. */
const FORBIDDEN = {
  "every export":
    /node_modules|message-json|rpc\/(calls|answer-values)|replay-events|call-codecs|lag-/,
  everything: /node_modules|message-json|rpc\/(calls|answer-values)|replay-events|call-codecs|lag-/,
  "streams only": /node_modules|message-json|client\/src\/rpc|market-data-service/,
  "ticks only":
    /node_modules|message-json|client\/src\/rpc|market-data-service|book|row|gen\/events|vocabulary/,
  lite: /node_modules|message-|control-|client\/src\/(rpc|transports|stats)|subscription|book|row|codec\/batch|vocabulary/,
  "rpc only":
    /node_modules|message-json|(topics|events|streams)\/(?!contract-size|decimal-numbers|event-fields|exact-decimal|increments|times)|batch-|model\/order-book/,
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
  const { lateChunks } = await bundleForBrowser(CLIENT_PAGES.everything);
  const sizes = lateChunks.map(({ name, code }) => [name, transferSizes(code).gzipBytes] as const);
  expect(sizes.map(([name]) => name).sort()).toEqual(Object.keys(LATE_GZIP_BYTES_MAX).sort());
  for (const [name, gzipBytes] of sizes) {
    expect(gzipBytes).toBeLessThan(LATE_GZIP_BYTES_MAX[name as keyof typeof LATE_GZIP_BYTES_MAX]);
  }
});

test("the traces would be found", async () => {
  const { code } = await bundleForBrowser(
    `import { tickwire } from "@tickwire/proto/protobufjs"; export { tickwire };`,
  );
  const found = new Set(code.match(new RegExp(TRACES, "g")));
  expect([...found]).toEqual(expect.arrayContaining(["skipType", "ldelim", "WebAssembly"]));
});
