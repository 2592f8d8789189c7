import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { acceptsGzip, deflateMessage, inflateMessage } from "./gzip.ts";

test("what is deflated is inflated to the same, up to the limit and not beyond", async () => {
  const deflated = await deflateMessage("x".repeat(1_000));
  expect(Buffer.from(await inflateMessage(deflated, 1_000)).toString()).toBe("x".repeat(1_000));
  await expect(inflateMessage(deflated, 999)).rejects.toMatchObject({
    code: "resource_exhausted",
    message: "the inflated message exceeds requestBytesMax 999",
  });
});

test.each([
  ["no gzip", Buffer.from("{}")],
  ["nothing", Buffer.alloc(0)],
  ["the half of it", gzipSync("x".repeat(1_000)).subarray(0, 20)],
])("%s is refused as bad input", async (_, bytes) => {
  await expect(inflateMessage(bytes, 1_000)).rejects.toMatchObject({ code: "invalid_argument" });
});

test.each([
  [undefined, false],
  ["", false],
  ["gzip", true],
  ["GZIP", true],
  ["br, gzip;q=0.5", true],
  ["gzip;q=0", false],
  ["gzip; q=0.000", false],
  ["gzip;q=0.001", true],
  ["x-gzip", false],
  ["identity", false],
])("accepting %j: gzip is taken: %s", (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});
