import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_ROWS, takePage } from "./history-page.ts";
import type { KeptRows, NoPage, Page } from "./history-page.ts";

type Row = { readonly key: number; readonly timeUs: number };

const ORDER = { keyOf: ({ key }: Row) => key, timeUsOf: ({ timeUs }: Row) => timeUs };
const SCOPE = { query: "q", epoch: 7 };

function kept(rows: readonly Row[]): KeptRows<Row> {
  return { length: rows.length, at: (index) => rows[index] as Row };
}

/** Keys 1 to `count`, each at ten times its key. */
const numbered = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => ({ key: index + 1, timeUs: (index + 1) * 10 }));

type Asked = {
  readonly fromTimeUs?: number;
  readonly toTimeUs?: number;
  readonly pageSize?: number;
  readonly pageToken?: string;
};

function ask(rows: readonly Row[], asked: Asked = {}, scope = SCOPE): Page<Row> | NoPage {
  const request = { fromTimeUs: 0, toTimeUs: 0, pageSize: 3, pageToken: "", ...asked };
  return takePage(kept(rows), ORDER, request, scope);
}

function pageOf(rows: readonly Row[], asked: Asked = {}): Page<Row> {
  const page = ask(rows, asked);
  if (typeof page === "string") throw new Error(page);
  return page;
}

/** The keys of every page, in the order of the pages. */
function pagesOf(rows: readonly Row[], asked: Asked): number[][] {
  const pages: number[][] = [];
  for (let pageToken = ""; ;) {
    const page = pageOf(rows, { ...asked, pageToken });
    pages.push(page.rows.map(({ key }) => key));
    pageToken = page.nextPageToken;
    if (pageToken === "") return pages;
  }
}

describe("a page", () => {
  test("without a range has the latest rows, and those after it earlier ones", () => {
    expect(pagesOf(numbered(7), {})).toEqual([[5, 6, 7], [2, 3, 4], [1]]);
  });

  test("of a range that begins goes on to later rows", () => {
    expect(pagesOf(numbered(7), { fromTimeUs: 20 })).toEqual([
      [2, 3, 4],
      [5, 6, 7],
    ]);
  });

  test("has what is at the beginning of the range and not what is at its end", () => {
    expect(pagesOf(numbered(7), { fromTimeUs: 20, toTimeUs: 40 })).toEqual([[2, 3]]);
    expect(pagesOf(numbered(7), { fromTimeUs: 21, toTimeUs: 41 })).toEqual([[3, 4]]);
    expect(pagesOf(numbered(7), { toTimeUs: 40 })).toEqual([[1, 2, 3]]);
  });

  test.each([
    [2, 2, false],
    [3, 3, false],
    [4, 3, true],
  ])("of %i rows has %i, and a token if there are more: %s", (count, given, isMore) => {
    for (const fromTimeUs of [0, 1]) {
      const page = pageOf(numbered(count), { fromTimeUs });
      expect([page.rows.length, page.nextPageToken !== ""]).toEqual([given, isMore]);
    }
  });

  test("says since when rows are kept", () => {
    expect(pageOf(numbered(5).slice(2)).keptFromTimeUs).toBe(30);
    expect(
      takePage(NO_ROWS, ORDER, { fromTimeUs: 5, toTimeUs: 0, pageSize: 3, pageToken: "" }, SCOPE),
    ).toEqual({ rows: [], nextPageToken: "", keptFromTimeUs: 0 });
  });
});

describe("a token", () => {
  const first = () => pageOf(numbered(9), { fromTimeUs: 10 }).nextPageToken;

  test("gives the same page again, whatever came since", () => {
    for (const rows of [numbered(9), numbered(12)]) {
      const { rows: next } = pageOf(rows, { fromTimeUs: 10, pageToken: first() });
      expect(next.map(({ key }) => key)).toEqual([4, 5, 6]);
    }
  });

  test("is expired when what it goes on from is not kept any more, and not before", () => {
    const left = (dropped: number) => numbered(9).slice(dropped);
    const next = (dropped: number) => ask(left(dropped), { fromTimeUs: 10, pageToken: first() });
    expect(next(2)).toMatchObject({ rows: [{ key: 4 }, { key: 5 }, { key: 6 }] });
    expect(next(3)).toBe("expired-token");
    expect(next(9)).toBe("expired-token");
  });

  test("of another publisher is expired, of another query it is none", () => {
    const pageToken = first();
    const asked = { fromTimeUs: 10, pageToken };
    expect(ask(numbered(9), asked, { ...SCOPE, epoch: 8 })).toBe("expired-token");
    expect(ask(numbered(9), asked, { ...SCOPE, query: "r" })).toBe("bad-token");
    expect(ask(numbered(9), { pageToken: "nonsense" })).toBe("bad-token");
  });

  test("towards the past ends where the past is dropped", () => {
    const { nextPageToken: pageToken } = pageOf(numbered(9));
    expect(pageOf(numbered(9).slice(5), { pageToken }).rows).toEqual([{ key: 6, timeUs: 60 }]);
    expect(pageOf(numbered(9).slice(7), { pageToken })).toMatchObject({
      rows: [],
      nextPageToken: "",
    });
  });
});

test("all pages together are every row of the range once, in order, at any size of a page", () => {
  const gap = fc.integer({ min: 1, max: 3 });
  // Times may stand still and step back, as those of venues do.
  const row = fc.record({ gap, timeUs: fc.integer({ min: 1, max: 30 }) });
  const bound = fc.integer({ min: 0, max: 32 });
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      bound,
      bound,
      fc.integer({ min: 1, max: 6 }),
      (steps, fromTimeUs, toTimeUs, pageSize) => {
        let key = 0;
        const rows = steps.map((step) => ({ key: (key += step.gap), timeUs: step.timeUs }));
        const wanted = rows
          .filter(({ timeUs }) => timeUs >= fromTimeUs && (toTimeUs === 0 || timeUs < toTimeUs))
          .map((each) => each.key);
        const pages = pagesOf(rows, { fromTimeUs, toTimeUs, pageSize });
        const inOrder = fromTimeUs === 0 ? pages.toReversed() : pages;
        expect(inOrder.flat()).toEqual(wanted);
        expect(pages.slice(0, -1).every((page) => page.length === pageSize)).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});
