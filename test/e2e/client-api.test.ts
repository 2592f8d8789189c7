import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiReport, surfaceOf } from "../support/client-api.mjs";

const REPORT = join(import.meta.dirname, "../../clients/typescript/api.txt");

test("the public surface of the client is the one under version control", async () => {
  // Where this fails the surface changed: `node test/support/client-api.mjs` writes the new one,
  // for its reader to see what users will.
  expect(apiReport()).toBe(await readFile(REPORT, "utf8"));
});

test("the report has everything that a user can see, and nothing that nobody can", () => {
  const surface = surfaceOf("index.d.ts");
  const text = (name: string) => surface.get(name)?.text;
  expect(text("Trade")).toBe('type Trade = EventHead<"trade"> & TradeFields;');
  expect(text("TradeFields")).toContain("readonly priceText: string;");
  expect(text("EventHead")).toContain("readonly venueTimeUs: number | undefined;");
  expect(text("dateOfUs")?.split("\n")).toHaveLength(2);
  expect(text("RpcError")).toContain("constructor(");
  expect(text("CHANNELS")).toBe("declare const CHANNELS: ChannelList;");
  expect(text("ChannelList")).toContain('"mark-price"');
  expect(text("LiveBook")).toContain("snapshot(depth?: number): BookSnapshot;");
  for (const name of ["LiveBook", "EventStream", "Client", "Trade"]) {
    expect(text(name)).not.toMatch(/#private|constructor|\bfedBy\(|\bpush\(/);
  }
  // A book is changed by its topic alone; a stream has a view that its user may change.
  expect(text("LiveBook")).not.toContain("update(");
  expect(text("EventStream")).toContain("update(options: ViewOptions): void;");
  expect([...surface.keys()]).not.toContain("Session");
});
