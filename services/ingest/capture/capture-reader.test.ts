import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { formatCaptureHeader, formatCaptureRecord } from "./capture-format.ts";
import type { CaptureLine } from "./capture-format.ts";
import { readCaptureStream } from "./capture-reader.ts";

const FRAMES = 2_000;
const text =
  formatCaptureHeader({ venue: "kraken", source: "test" }) +
  Array.from({ length: FRAMES }, (_, index) =>
    formatCaptureRecord({
      kind: "received",
      atUs: index,
      connection: 1,
      frame: `€ ${(index * 7919) % 10007} ${"x".repeat(index % 50)}`,
    }),
  ).join("");

async function read(bytes: Buffer, chunkBytes = bytes.length || 1): Promise<CaptureLine[]> {
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    chunks.push(bytes.subarray(start, start + chunkBytes));
  }
  const lines: CaptureLine[] = [];
  for await (const line of readCaptureStream(Readable.from(chunks))) lines.push(line);
  return lines;
}

test("plain and gzip read the same, however they are cut into chunks", async () => {
  const plain = await read(Buffer.from(text));
  expect(plain).toHaveLength(FRAMES + 1);
  expect(plain.filter(({ kind }) => kind === "damaged")).toEqual([]);
  expect(await read(Buffer.from(text), 7)).toEqual(plain);
  expect(await read(gzipSync(text))).toEqual(plain);
  expect(await read(gzipSync(text), 13)).toEqual(plain);
  expect(await read(Buffer.concat([gzipSync(text), gzipSync("")]), 1_000)).toEqual(plain);
});

test("a gzip end that is missing is reported after what could be read", async () => {
  const zipped = gzipSync(text);
  const lines = await read(zipped.subarray(0, zipped.length >> 1), 1_000);
  const damaged = lines.filter(({ kind }) => kind === "damaged");
  expect(lines.length).toBeGreaterThan(FRAMES / 4);
  expect(damaged.length).toBeGreaterThanOrEqual(1);
  expect(lines.slice(0, 100)).toEqual((await read(Buffer.from(text))).slice(0, 100));
});

test("gzip bytes that are damaged are reported after what could be read", async () => {
  const zipped = Buffer.from(gzipSync(text));
  zipped.fill(0xff, zipped.length >> 1, (zipped.length >> 1) + 200);
  const lines = await read(zipped, 500);
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.some(({ kind }) => kind === "damaged")).toBe(true);
});

test("a damaged line and a line that was cut off are reported, the others are read", async () => {
  const lines = await read(Buffer.from(`${text}garbage\n${text.slice(0, 100)}`));
  expect(lines.filter(({ kind }) => kind === "received")).toHaveLength(FRAMES);
  expect(lines.filter(({ kind }) => kind === "damaged")).toHaveLength(2);
  expect(lines.filter(({ kind }) => kind === "header")).toHaveLength(2);
});

test("nothing at all, an empty line and a last line without newline are no damage", async () => {
  expect(await read(Buffer.alloc(0))).toEqual([]);
  expect(await read(gzipSync(""))).toEqual([]);
  const lines = await read(Buffer.from(`\n\r\n${text.trimEnd()}`));
  expect(lines).toHaveLength(FRAMES + 1);
});
