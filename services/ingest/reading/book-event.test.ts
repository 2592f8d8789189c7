import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { bookEvent } from "./book-event.ts";
import { ScaleTracker } from "./scale-tracker.ts";

const SUBJECT = { instrument: fakeInstrument("A"), venueTimeUs: 5, receivedTimeUs: 6 };

test("a book event has the levels at their scales, and what the venue says of its place", () => {
  const scales = new ScaleTracker();
  const columns = scales.book([["1.5", "2"]], [["1.75", "0.3"]]);
  if (typeof columns === "string") throw new Error(columns);
  const form = { snapshot: false, lastUpdateId: 9, previousUpdateId: 8 };
  expect(bookEvent(SUBJECT, scales, columns, form)).toEqual({
    kind: "raw-book",
    ...SUBJECT,
    snapshot: false,
    source: "in-band",
    firstUpdateId: undefined,
    lastUpdateId: 9,
    previousUpdateId: 8,
    checksum: undefined,
    depth: undefined,
    priceScale: 2,
    sizeScale: 1,
    bids: { prices: [150], sizes: [20] },
    asks: { prices: [175], sizes: [3] },
  });
});

test("all book events have the same fields in the same order", () => {
  const scales = new ScaleTracker();
  const sides = { bids: { prices: [], sizes: [] }, asks: { prices: [], sizes: [] } };
  const forms = [{ snapshot: true }, { snapshot: false, checksum: 1, depth: 10 }] as const;
  const [plain, proven] = forms.map((form) => Object.keys(bookEvent(SUBJECT, scales, sides, form)));
  expect(plain).toEqual(proven);
});
