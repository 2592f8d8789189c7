import { expect, test } from "vitest";
import { ToldBatches } from "./told-batches.ts";

const PLACE = {
  topicId: 1,
  view: "0 0",
  epoch: 7,
  firstSequence: 5,
  count: 2,
  skipped: 0,
  snapshot: false,
};

function create(sizeMax: number) {
  const counts = { shared: 0, made: 0 };
  const inc = (labels: { outcome?: unknown }) => {
    counts[labels.outcome as keyof typeof counts] += 1;
  };
  return { counts, batches: new ToldBatches({ inc } as never, sizeMax) };
}

test("a batch is told once for all who have the same view of its topic", () => {
  const { batches, counts } = create(1_000);
  const bytes = Uint8Array.of(1, 2, 3);
  expect(batches.find(PLACE, bytes)).toBeUndefined();
  batches.keep(PLACE, bytes, "{}");
  expect(batches.find({ ...PLACE }, Uint8Array.of(1, 2, 3))).toBe("{}");
  expect(counts).toEqual({ shared: 1, made: 1 });
});

test.each([
  ["topicId", 2],
  ["view", "10 0"],
  ["epoch", 8],
  ["firstSequence", 6],
  ["count", 3],
  ["skipped", 1],
  ["snapshot", true],
])("nothing is shared with one that has another %s", (field, value) => {
  const { batches } = create(1_000);
  batches.keep(PLACE, Uint8Array.of(1), "{}");
  expect(batches.find({ ...PLACE, [field]: value }, Uint8Array.of(1))).toBeUndefined();
});

test("nor with other bytes in its place, though the buffer that they came in is used again", () => {
  const { batches } = create(1_000);
  const bytes = Uint8Array.of(1, 2);
  batches.keep(PLACE, bytes, "{}");
  bytes[0] = 9;
  expect(batches.find(PLACE, bytes)).toBeUndefined();
  expect(batches.find(PLACE, Uint8Array.of(1, 2))).toBe("{}");
});

test.each([
  ["below", 31, [1, 2, 3]],
  ["at", 30, [1, 2, 3]],
  ["above", 29, [2, 3]],
])("what is kept longest goes when there is too much, and not before: %s", (_, sizeMax, kept) => {
  const { batches } = create(sizeMax);
  const place = (firstSequence: number) => ({ ...PLACE, firstSequence });
  for (const one of [1, 2, 3]) batches.keep(place(one), new Uint8Array(4), "123456");
  const found = [1, 2, 3].filter(
    (one) => batches.find(place(one), new Uint8Array(4)) !== undefined,
  );
  expect(found).toEqual(kept);
  expect(batches.size).toBe(kept.length * 10);
});
