import type { BookRow } from "@tickwire/proto/codec";
import { OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { CutBookContent, TOUCHED_LEVELS_MAX, WholeBookContent } from "./book-content.ts";
import type { ViewContent } from "./view-content.ts";

type Levels = readonly (readonly [price: number, size: number])[];

function row(bids: Levels, asks: Levels = [], options: Partial<BookRow> = {}): BookRow {
  const columns = (levels: Levels) => ({
    prices: levels.map(([price]) => price),
    sizes: levels.map(([, size]) => size),
  });
  const times = { venueTimeUs: undefined, receivedTimeUs: 1 };
  const scales = { priceScale: 0, sizeScale: 0 };
  const sides = { bids: columns(bids), asks: columns(asks) };
  return { ...times, snapshot: false, ...scales, ...sides, ...options };
}

/** A book that changes, and a content of it, as a source drives them. */
class Rig {
  readonly book = new OrderBook();
  readonly content: ViewContent;
  #sequence = 0;

  constructor(create: (book: OrderBook) => ViewContent, whole: BookRow) {
    this.book.applySnapshot(whole);
    this.content = create(this.book);
    this.content.replace([whole]);
  }

  apply(...rows: BookRow[]): this {
    for (const each of rows) {
      this.content.before(each);
      if (each.snapshot) this.book.applySnapshot(each);
      else this.book.applyDelta(each);
      this.#sequence += 1;
      this.content.add(each, this.#sequence);
    }
    return this;
  }

  /** What is told: `sequence: bids | asks`, `whole` before it if it replaces the book. */
  get told(): string[] {
    return this.content.take().map(({ rows, lastSequence }) => {
      return `${lastSequence}: ${text(rows.rows[0] as BookRow)}`;
    });
  }

  get state(): string {
    const rows = this.content.state();
    return rows === undefined ? "unknown" : text(rows.rows[0] as BookRow);
  }
}

function text({ snapshot, bids, asks, priceScale, sizeScale }: BookRow): string {
  const side = ({ prices, sizes }: BookRow["bids"]) =>
    prices
      .map(
        (price, at) => `${Number(sizes[at]) / 10 ** sizeScale}@${Number(price) / 10 ** priceScale}`,
      )
      .join(" ");
  return `${snapshot ? "whole " : ""}${side(bids)} | ${side(asks)}`;
}

const WHOLE = row(
  [
    [10, 1],
    [9, 2],
    [8, 3],
  ],
  [
    [11, 1],
    [12, 2],
  ],
  { snapshot: true },
);
const cut = () => new Rig((book) => new CutBookContent(book, 2), WHOLE);
const all = () => new Rig((book) => new WholeBookContent(book), WHOLE);

describe("a book cut to two levels", () => {
  test("begins with the best two of each side", () => {
    expect([cut().state, cut().told]).toEqual(["whole 1@10 2@9 | 1@11 2@12", []]);
  });

  test("does not tell of levels below, not even of many", () => {
    const rig = cut().apply(
      row([
        [8, 9],
        [7, 7],
      ]),
      row([[6, 1]], [[13, 4]]),
    );
    expect(rig.told).toEqual([]);
    expect(rig.state).toBe("whole 1@10 2@9 | 1@11 2@12");
  });

  test("tells of a level that enters because another left, and of the one that it pushes out", () => {
    expect(cut().apply(row([[10, 0]])).told).toEqual(["1: 0@10 3@8 | "]);
    expect(cut().apply(row([[10, 4]])).told).toEqual(["1: 4@10 | "]);
    expect(cut().apply(row([], [[10, 5]])).told).toEqual(["1:  | 5@10 0@12"]);
  });

  test("tells of nothing that is as it was", () => {
    expect(cut().apply(row([[10, 0]]), row([[10, 1]])).told).toEqual([]);
  });

  test("tells a book that was replaced as a whole", () => {
    const rig = cut().apply(row([[5, 5]], [[6, 6]], { snapshot: true }), row([[5, 4]]));
    expect(rig.told).toEqual(["2: whole 4@5 | 6@6"]);
    expect(rig.apply(row([[4, 4]])).told).toEqual(["3: 4@4 | "]);
  });

  test("goes on through finer scales", () => {
    const rig = cut().apply(
      row([[1005, 7]], [], { priceScale: 2 }),
      row([[9, 25]], [], { sizeScale: 1 }),
    );
    expect(rig.told).toEqual(["2: 7@10.05 0@9 | "]);
  });

  test("does not know its state before it has one", () => {
    const rig = cut();
    rig.content.clear();
    expect([rig.state, rig.told]).toEqual(["unknown", []]);
    expect(rig.apply(row([[3, 3]], [], { snapshot: true })).told).toEqual(["1: whole 3@3 | "]);
  });
});

describe("a whole book", () => {
  test("tells the net change of all its levels", () => {
    const rig = all().apply(
      row([
        [8, 9],
        [7, 7],
      ]),
      row(
        [
          [8, 3],
          [10, 0],
        ],
        [[20, 1]],
      ),
    );
    expect(rig.told).toEqual(["2: 0@10 7@7 | 1@20"]);
    expect(rig.told).toEqual([]);
  });

  test("keeps the state that was told while more waits", () => {
    const rig = all().apply(
      row([
        [8, 9],
        [7, 7],
        [10, 0],
      ]),
    );
    expect(rig.state).toBe("whole 1@10 2@9 3@8 | 1@11 2@12");
    rig.content.take();
    expect(rig.state).toBe("whole 2@9 9@8 7@7 | 1@11 2@12");
  });

  test("keeps it although the book was replaced, once or more", () => {
    const rig = all().apply(row([[7, 7]]));
    rig.apply(row([[5, 5]], [], { snapshot: true }), row([[4, 4]]));
    rig.apply(row([[6, 6]], [], { snapshot: true }), row([[3, 3]]));
    expect(rig.state).toBe("whole 1@10 2@9 3@8 | 1@11 2@12");
    expect(rig.told).toEqual(["5: whole 6@6 3@3 | "]);
    expect(rig.state).toBe("whole 6@6 3@3 | ");
  });

  test("goes on through finer scales, and knows what a level was at the coarser one", () => {
    const rig = all().apply(
      row([[10, 5]]),
      row([[1_000, 10]], [], { priceScale: 2, sizeScale: 1 }),
    );
    expect(rig.told).toEqual([]);
    rig.apply(row([[1_005, 25]], [], { priceScale: 2, sizeScale: 1 }));
    expect(rig.told).toEqual(["3: 2.5@10.05 | "]);
  });

  test("knows nothing after it was lost, until it comes whole", () => {
    const rig = all();
    rig.content.clear();
    expect([rig.state, rig.told]).toEqual(["unknown", []]);
    expect(rig.apply(row([[3, 3]], [], { snapshot: true })).told).toEqual(["1: whole 3@3 | "]);
  });

  test("is to be sent ahead of its time with TOUCHED_LEVELS_MAX levels, and not below", () => {
    const rig = all();
    for (let price = 1; price < TOUCHED_LEVELS_MAX; price += 1)
      rig.apply(row([], [[100 + price, 1]]));
    expect(rig.content.isFull).toBe(false);
    rig.apply(row([[1, 1]]));
    expect(rig.content.isFull).toBe(true);
    rig.content.take();
    expect(rig.content.isFull).toBe(false);
  });
});

describe.each([
  ["cut to three levels", (book: OrderBook) => new CutBookContent(book, 3)],
  ["with all of its levels", (book: OrderBook) => new WholeBookContent(book)],
])("a book of a combo %s", (_name, create) => {
  test("goes through zero, and on below it at a finer scale", () => {
    const rig = new Rig(create, row([[1, 4]], [[2, 5]], { snapshot: true }));
    rig.apply(row([[1, 0]]), row([], [[0, 7]]), row([[-1, 3]]));
    expect(rig.told).toEqual(["3: 0@1 3@-1 | 7@0"]);
    rig.apply(row([[-5, 6]], [[-3, 8]], { priceScale: 1 }));
    expect(rig.told).toEqual(["4: 6@-0.5 | 8@-0.3"]);
    const whole = row([[-5, 6]], [[-3, 8]], { priceScale: 1 });
    rig.apply({ ...whole, bids: { prices: [-5], sizes: [0] } });
    expect(rig.told).toEqual(["5: 0@-0.5 | "]);
    expect(rig.state).toMatch(/^whole 3@-1 \| 8@-0.3 7@0/);
  });
});
