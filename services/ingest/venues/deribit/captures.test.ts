import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { deribit } from "./adapter.ts";

const PATH = capturePath("deribit-10-options");

type Message = {
  readonly method?: string;
  readonly params?: {
    readonly channel: string;
    readonly data: {
      readonly type?: string;
      readonly instrument_name: string;
      readonly mark_price?: number;
      readonly open_interest?: number;
      readonly prev_change_id?: number;
      readonly change_id?: number;
    };
  };
};

describe.skipIf(PATH === undefined)("ten options of Deribit", async () => {
  const capture = PATH === undefined ? undefined : await decodeCapture(deribit, PATH);
  const messages = (capture?.frames ?? []).map((frame) => JSON.parse(String(frame)) as Message);
  const of = (name: string) =>
    messages.filter(({ params }) => params?.channel.startsWith(`${name}.`) ?? false);
  const count = (kind: string): number =>
    (capture?.events ?? []).filter((event) => event.kind === kind).length;

  test("nothing is rejected and no sequence has a gap", () => {
    expect(count("rejected")).toBe(0);
    expect(capture?.gaps).toBe(0);
  });

  test("36 changes continue 10 snapshots, each naming the one before", () => {
    const last = new Map<string, number | undefined>();
    let linked = 0;
    for (const { params } of of("book")) {
      const { instrument_name: name = "", type, prev_change_id: previous } = params?.data ?? {};
      if (type === "change" && previous === last.get(name)) linked += 1;
      last.set(name, params?.data.change_id);
    }
    expect([linked, last.size]).toEqual([36, 10]);
    expect(capture?.snapshots).toBe(10);
    expect([...(capture?.deltas.values() ?? [])].reduce((sum, each) => sum + each, 0)).toBe(36);
    for (const { isLive, book } of capture?.builders.values() ?? []) {
      expect([isLive, book.isCrossed()]).toEqual([true, false]);
    }
  });

  test("each of the 89 tickers gives a ticker, a mark price and an open interest", () => {
    expect(of("ticker")).toHaveLength(89);
    expect([count("ticker"), count("mark-price"), count("open-interest")]).toEqual([89, 89, 89]);
    // Options have no funding, and a ticker is no quote.
    expect([count("funding"), count("quote")]).toEqual([0, 0]);
  });
});
