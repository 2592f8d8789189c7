import { expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { VenueShard } from "./venue-shard.ts";

const instruments = Array.from({ length: 60 }, (_, index) => {
  return { venue: "fake", symbol: `S${index}-USD`, kind: "spot" } as unknown as Instrument;
});

function shardsOf(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const told: string[] = [];
    const shard = new VenueShard({
      shard: `${index + 1}/${count}`,
      onListing: ({ instrument, change }) => told.push(`${change} ${instrument.symbol}`),
    });
    return { shard, told };
  });
}

test("each instrument is one shard's, and no shard goes without", () => {
  for (const count of [2, 3, 7]) {
    const shards = shardsOf(count);
    for (const instrument of instruments) {
      expect(shards.filter(({ shard }) => shard.has(instrument))).toHaveLength(1);
    }
    for (const { shard } of shards) {
      expect(instruments.filter((each) => shard.has(each)).length).toBeGreaterThan(1);
    }
  }
});

test("the first shard tells what comes, changes and goes of all, the others nothing", () => {
  const [first, second] = shardsOf(2);
  const other = instruments.find((each) => !first!.shard.has(each))!;
  for (const { shard } of [first!, second!]) {
    shard.add([{ instrument: other, channel: "trades" }]);
    expect(shard.knows(other)).toBe(true);
    shard.update([other], "details");
    shard.remove([other], "delisted");
    expect(shard.knows(other)).toBe(false);
  }
  const { symbol } = other;
  expect(first!.told).toEqual([`added ${symbol}`, `changed ${symbol}`, `removed ${symbol}`]);
  expect(second!.told).toEqual([]);
});

test("a venue that is not divided is all ours", () => {
  const shard = new VenueShard({ shard: undefined, onListing: () => {} });
  expect(instruments.every((each) => shard.has(each))).toBe(true);
});
