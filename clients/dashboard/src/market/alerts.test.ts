import { describe, expect, test } from "vitest";
import { AlertBook, ALERTS_MAX, alertWish, parseAlerts, type AlertReading } from "./alerts.ts";

const QUIET: AlertReading = { price: undefined, spreadBps: undefined, feed: undefined, gaps: 0 };

/** How often the alert fires with each reading. */
function firings(
  kind: Parameters<AlertBook["add"]>[0]["kind"],
  value: number,
  readings: readonly Partial<AlertReading>[],
): number[] {
  const book = new AlertBook();
  book.add({ topic: "v:A", kind, value });
  return readings.map((reading) => book.check(() => ({ ...QUIET, ...reading })).length);
}

describe("an alert", () => {
  test("fires when a price comes above its value, and again only after it was below", () => {
    const prices = [99, 100, 100.5, 101, 99, 102].map((price) => ({ price }));
    expect(firings("price-above", 100, prices)).toEqual([0, 0, 1, 0, 0, 1]);
    expect(firings("price-below", 100, prices)).toEqual([0, 0, 0, 0, 1, 0]);
  });

  test("does not fire for what was so when it was made, nor for what is not known", () => {
    expect(firings("price-above", 100, [{ price: 101 }, {}, { price: 102 }])).toEqual([0, 0, 0]);
  });

  test("fires for a wide spread, and for a feed that is not live", () => {
    const spreads = [1, 5.1, 4].map((spreadBps) => ({ spreadBps }));
    expect(firings("spread-above", 5, spreads)).toEqual([0, 1, 0]);
    const feeds = (["live", "stale", "down", "live", "gap"] as const).map((feed) => ({ feed }));
    expect(firings("feed", 0, feeds)).toEqual([0, 1, 0, 0, 1]);
  });

  test("of another window comes and goes, and those that stay fire as before", () => {
    const book = new AlertBook();
    const [stays, goes] = [100, 200].map(
      (value) => ({ topic: "v:A", kind: "price-above", value }) as const,
    );
    book.add(stays!);
    book.add(goes!);
    const check = (price: number) =>
      book.check(() => ({ ...QUIET, price })).map(({ alert }) => alert.value);
    expect(check(99)).toEqual([]);
    book.sync([stays!, { topic: "v:A", kind: "price-above", value: 300 }]);
    expect(book.alerts.map(({ value }) => value)).toEqual([100, 300]);
    expect([check(250), check(350)]).toEqual([[100], [300]]);
  });

  test("fires for each new gap, not for those before it", () => {
    const gaps = [3, 3, 4, 4, 6].map((count) => ({ gaps: count }));
    expect(firings("gap", 0, gaps)).toEqual([0, 0, 1, 0, 1]);
  });
});

test("there are at most so many alerts, and one that is removed makes room", () => {
  const book = new AlertBook();
  const alert = { topic: "v:A", kind: "price-above", value: 1 } as const;
  for (let count = 0; count < ALERTS_MAX; count += 1) expect(book.add(alert)).toBe(true);
  expect(book.add(alert)).toBe(false);
  book.remove(book.alerts[0]!.id);
  expect(book.add(alert)).toBe(true);
});

test("what was saved comes back, and what makes no sense does not", () => {
  const alert = { topic: "v:A", kind: "spread-above", value: 2.5 };
  expect(parseAlerts(JSON.stringify([alert]))).toEqual([alert]);
  expect(parseAlerts("not json")).toEqual([]);
  expect(parseAlerts("{}")).toEqual([]);
  const odd = [
    null,
    1,
    { ...alert, kind: "moon" },
    { ...alert, value: "1" },
    { ...alert, topic: 1 },
  ];
  expect(parseAlerts(JSON.stringify(odd))).toEqual([]);
  expect(alertWish({ kind: "spread-above", value: 2.5 })).toBe("spread above 2.5 bp");
});
