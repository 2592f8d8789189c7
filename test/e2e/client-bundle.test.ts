import { describe, expect, test } from "vitest";
import {
  CLIENT_PAGES,
  bundleForBrowser,
  bytesByModule,
  transferSizes,
} from "../support/client-bundle.mjs";

// What a page pays for the client. Sizes are the same on every machine, so that a bound a little
// above them shows what grew; test/bench/client-bundle.bench.mjs prints where the bytes are.

const GZIP_BYTES_MAX = {
  everything: 41_500,
  "streams only": 35_000,
  "ticks only": 30_100,
  "rpc only": 18_900,
} as const;

/** Modules that a page must not load for what it does not do. */
const FORBIDDEN = {
  everything: /node_modules|message-json/,
  "streams only": /node_modules|message-json|client\/src\/rpc|market-data-service/,
  "ticks only":
    /node_modules|message-json|client\/src\/rpc|market-data-service|book|row|gen\/events|vocabulary/,
  "rpc only":
    /node_modules|message-json|(topics|events|streams)\/(?!contract-size|decimal-numbers|event-fields|exact-decimal|increments|times)|batch-|model\/order-book/,
} as const;

/** Names in protobufjs and in long that no minifier changes. */
const TRACES = /skipType|ldelim|LongBits|zzDecode|_slice_pool|WebAssembly|getHighBits|fromBits/;

describe.each(["everything", "streams only", "ticks only", "rpc only"] as const)(
  "a page with %s",
  (page) => {
    const bundle = bundleForBrowser(CLIENT_PAGES[page]);

    test("loads no more than it has to", async () => {
      const { gzipBytes } = transferSizes((await bundle).code);
      expect(gzipBytes).toBeLessThan(GZIP_BYTES_MAX[page]);
      // A bound far above the size would let it grow unseen.
      expect(gzipBytes).toBeGreaterThan(GZIP_BYTES_MAX[page] * 0.9);
    });

    test("loads nothing of protobufjs, long, JSON or what it does not use", async () => {
      const modules = bytesByModule(await bundle).map(({ module }) => module);
      expect(modules.filter((module) => FORBIDDEN[page].test(module))).toEqual([]);
      expect(modules.length).toBeGreaterThan(20);
    });

    test("has no trace of their code, under whatever name", async () => {
      const { code } = await bundle;
      expect(code.match(TRACES)).toBeNull();
      expect(code.match(/\beval\b|\bnew Function\b|\bFunction\(/)).toBeNull();
    });
  },
);

test("the traces would be found", async () => {
  const { code } = await bundleForBrowser(
    `import { tickwire } from "@tickwire/proto/protobufjs"; export { tickwire };`,
  );
  const found = new Set(code.match(new RegExp(TRACES, "g")));
  expect([...found]).toEqual(expect.arrayContaining(["skipType", "ldelim", "WebAssembly"]));
});
