import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Trade } from "#core/market-event.ts";
import { capturePath } from "#test/support/captures.ts";
import { decodeCapture } from "#test/support/decode-capture.ts";
import { levelsOf, plainLevelsOf } from "#test/support/plain-books.ts";
import { bitstamp } from "./adapter.ts";

const PATH = capturePath("bitstamp-10-pairs");

type Line = {
  readonly kind?: string;
  readonly url?: string;
  readonly body?: string;
  readonly text?: string;
};

function readLines(path: string): Line[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8").trimEnd();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** A book made with plain maps and texts, to compare with. */
function plainBooks(lines: readonly Line[]) {
  type Side = Map<string, string>;
  const books = new Map<string, { since: string; bids: Side; asks: Side }>();
  let applied = 0;
  for (const { kind, url = "", body = "", text = "" } of lines) {
    const market = /order_book\/(\w+)$/.exec(url)?.[1];
    if (kind === "http" && market !== undefined) {
      const { microtimestamp: since, bids: bidRows, asks: askRows } = JSON.parse(body);
      books.set(market, { since, bids: new Map(bidRows), asks: new Map(askRows) });
    }
    if (kind !== "received" || !text.includes("diff_order_book") || !text.includes('"bids"'))
      continue;
    const { data, channel } = JSON.parse(text);
    const book = books.get(channel.replace("diff_order_book_", ""));
    if (book === undefined || data.microtimestamp <= book.since) continue;
    applied += 1;
    for (const side of ["bids", "asks"] as const) {
      for (const [price, size] of data[side]) {
        if (/^[0.]+$/.test(size)) book[side].delete(price);
        else book[side].set(price, size);
      }
    }
  }
  return { books, applied };
}

describe.skipIf(PATH === undefined)("ten pairs of Bitstamp", async () => {
  const lines = PATH === undefined ? [] : readLines(PATH);
  const capture = PATH === undefined ? undefined : await decodeCapture(bitstamp, PATH);
  const events = capture?.events ?? [];
  const { books, applied } = plainBooks(lines);

  test("nothing is rejected and every subscription is confirmed", () => {
    const kinds: Record<string, number> = {};
    for (const event of events) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
    expect(kinds).toEqual({ subscribed: 20, trade: 10 });
  });

  test("all 140 pairs of the list are instruments", () => {
    const list = lines.find(
      ({ kind, url = "" }) =>
        kind === "http" && bitstamp.recordedRequest(url)?.kind === "instruments",
    );
    const parsed = bitstamp.parseInstruments(list?.body ?? "", list?.url ?? "");
    expect([parsed?.instruments.length, parsed?.skipped]).toEqual([140, 0]);
  });

  test("what the snapshots cover is dropped, everything after them is applied", () => {
    const deltas = [...(capture?.deltas.values() ?? [])].reduce((sum, count) => sum + count, 0);
    // Of sgbeur there was a snapshot and not one message behind it, so its book never began.
    expect([capture?.snapshots, deltas, capture?.gaps]).toEqual([9, applied, 0]);
    expect(applied).toBe(615);
    const frames = lines.filter(
      ({ kind, text }) => kind === "received" && text?.includes('"bids"') === true,
    );
    expect(frames).toHaveLength(717);
  });

  test("every book ends as one made with plain maps, and uncrossed", () => {
    const live = [...(capture?.builders ?? [])].filter(([, builder]) => builder.isLive);
    expect(live).toHaveLength(9);
    for (const [market, { book }] of live) {
      expect(book.isCrossed()).toBe(false);
      for (const side of ["bids", "asks"] as const) {
        expect(levelsOf(book, side)).toEqual(plainLevelsOf(books.get(market)?.[side], side));
      }
    }
  });

  test("the aggressor's order is the newer of the two, in 10 of 10", () => {
    const newer = new Map<string, string>();
    for (const { text = "" } of lines) {
      if (!text.includes('"event":"trade"')) continue;
      const { id, buy_order_id: buy, sell_order_id: sell } = JSON.parse(text).data;
      newer.set(String(id), buy > sell ? "buyer" : "seller");
    }
    const trades = events.filter((event): event is Trade => event.kind === "trade");
    expect(trades.map((trade) => trade.aggressorSide)).toEqual([...newer.values()]);
    expect(trades).toHaveLength(10);
  });
});
