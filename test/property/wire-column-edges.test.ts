// Where a number of a column takes another byte, or is written another way, the bytes are those
// that the general way gives.
import { BatchWriter, PendingTrades, rowsOfPending } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import { expect, test } from "vitest";

const EPOCH = 1_767_225_600_000_001;
const INIT = { publishedTimeUs: EPOCH };

type Trade = {
  readonly receivedTimeUs: number;
  readonly venueTimeUs: number;
  readonly price: number;
  readonly size: number;
  readonly id: number;
};

function columnsOf(trades: readonly Trade[]): PendingTrades {
  const columns = new PendingTrades();
  for (const [index, trade] of trades.entries()) {
    columns.reserve();
    columns.receivedTimesUs[index] = trade.receivedTimeUs;
    columns.venueTimesUs[index] = trade.venueTimeUs;
    columns.prices[index] = trade.price;
    columns.sizes[index] = trade.size;
    columns.sides[index] = 1 + (index % 2);
    columns.ids[index] = trade.id;
    columns.count = index + 1;
  }
  return columns;
}

/** Rows whose prices are bigints, which only the general way writes. */
function slowRowsOf(columns: PendingTrades): BatchRows {
  const rows = rowsOfPending(columns).rows.map((row) => {
    const { priceMantissa } = row as { readonly priceMantissa: number };
    return { ...row, priceMantissa: BigInt(priceMantissa) };
  });
  return { kind: "trades", rows } as unknown as BatchRows;
}

function shown({ bytes, ...said }: BusBatch): unknown {
  return { ...said, hex: Buffer.from(bytes).toString("hex") };
}

/** The batches of one chain, by columns and by the general way. */
function bothWays(batches: readonly (readonly Trade[])[]): readonly [unknown[], unknown[]] {
  const [writer, slow] = [0, 1].map(() => new BatchWriter({ kind: "trades", epoch: EPOCH })) as [
    BatchWriter,
    BatchWriter,
  ];
  const columns = batches.map(columnsOf);
  return [
    columns.map((batch) => shown(writer.writeColumns(batch, INIT))),
    columns.flatMap((batch) => slow.write(slowRowsOf(batch), INIT).map(shown)),
  ];
}

const FIRST: Trade = {
  receivedTimeUs: EPOCH,
  venueTimeUs: EPOCH - 40_000,
  price: 0,
  size: 1,
  id: 1_000,
};

const STEPS = [
  6, 7, 13, 14, 20, 21, 24, 25, 26, 27, 28, 30, 31, 32, 34, 35, 39, 40, 41, 48,
].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);

test.each([
  ["prices that rise", (step: number) => ({ ...FIRST, price: step })],
  ["prices that fall", (step: number) => ({ ...FIRST, price: -step })],
  ["sizes", (step: number) => ({ ...FIRST, size: step })],
  ["ids", (step: number) => ({ ...FIRST, id: FIRST.id + step })],
  ["received times", (step: number) => ({ ...FIRST, receivedTimeUs: EPOCH + step })],
  ["venue times ahead", (step: number) => ({ ...FIRST, venueTimeUs: EPOCH + step })],
  ["venue times behind", (step: number) => ({ ...FIRST, venueTimeUs: EPOCH - step })],
  [
    "both times",
    (step: number) => ({
      ...FIRST,
      receivedTimeUs: EPOCH + step,
      venueTimeUs: FIRST.venueTimeUs + step,
    }),
  ],
] as const)("%s of any length give the bytes of the general way", (_, after) => {
  for (const step of STEPS) {
    const next = { ...after(step), id: after(step).id + 1 };
    const [made, expected] = bothWays([[FIRST], [next], [{ ...next, id: next.id + 1 }]]);
    expect([step, ...made]).toEqual([step, ...expected]);
  }
});

test.each([0, 1, 999, 1_000, 1_001, 2 ** 31, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 1])(
  "venue times in whole milliseconds, %i microseconds later, give the bytes of the general way",
  (laterUs) => {
    const first = { ...FIRST, venueTimeUs: 1_767_225_600_000_000 };
    const next = {
      ...first,
      id: 1_001,
      receivedTimeUs: EPOCH + laterUs,
      venueTimeUs: first.venueTimeUs + Math.ceil(laterUs / 1_000) * 1_000,
    };
    const [made, expected] = bothWays([[first], [next]]);
    expect(made).toEqual(expected);
  },
);

test.each([1, 3, 1_500])("there is room for %i trades whose numbers are all long", (count) => {
  const far = (batch: number) =>
    Array.from({ length: count }, (_, index): Trade => {
      const step = batch * count + index;
      const away = step % 2 === 0 ? 1 : -1;
      const receivedTimeUs = step * 2 ** 40;
      return {
        receivedTimeUs,
        venueTimeUs: receivedTimeUs + away * (2 ** 26 - 2),
        price: away * 2 ** 47,
        size: Number.MAX_SAFE_INTEGER - step,
        id: step % 2 === 0 ? 0 : 2 ** 50,
      };
    });
  const [made, expected] = bothWays([far(0), far(1)]);
  expect(made).toEqual(expected);
});
