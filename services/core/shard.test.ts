import { expect, test } from "vitest";
import { isShard, parseShard, shardOf, SHARDS_MAX } from "./shard.ts";

test.each([
  ["1/2", { index: 1, count: 2 }],
  ["2/2", { index: 2, count: 2 }],
  [`${SHARDS_MAX}/${SHARDS_MAX}`, { index: SHARDS_MAX, count: SHARDS_MAX }],
])("%s is a shard", (text, shard) => {
  expect(parseShard(text)).toEqual(shard);
  expect(isShard(shard)).toBe(true);
});

test.each(["", "1", "0/2", "3/2", "1/1", "01/2", "1/02", " 1/2", "1/2/3", "-1/2", "1/257", "a/b"])(
  "%j is none",
  (text) => expect(parseShard(text)).toBeUndefined(),
);

test("the shard of a symbol is the same for everybody and for ever", () => {
  // By CRC-32 of IEEE 802.3, as `zlib.crc32(b"BTC-USD") % 3 + 1` gives it in Python.
  expect([shardOf("BTC-USD", 3), shardOf("ETH-USD", 3), shardOf("BTC-USDT-PERP", 3)]).toEqual([
    3, 1, 3,
  ]);
});
