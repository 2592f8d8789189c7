import { describe, expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { FeedSubscription } from "../../feed/feed-adapter.ts";
import { ticketRequest, TicketSubscriptions, type TicketWords } from "./requests.ts";

const WORDS: TicketWords = {
  types: { trades: "trade", quotes: "orderbook", book: "orderbook" },
  plainBookLevel: 0,
  bookCode: ({ venueSymbol }, bookDepth) => `${venueSymbol}.${bookDepth}`,
};

const OPTIONS = { requestId: 7, bookDepth: 15 };

const [A, B] = [fakeInstrument("A"), fakeInstrument("B")];

function wanted(...pairs: readonly [typeof A, Channel][]): FeedSubscription[] {
  return pairs.map(([instrument, channel]) => ({ instrument, channel }));
}

function namesIn(frames: readonly string[]): unknown[] {
  return frames.flatMap((frame) =>
    (JSON.parse(frame) as { type?: string; codes?: string[] }[]).flatMap(({ type, codes = [] }) =>
      codes.map((code) => `${type} ${code}`),
    ),
  );
}

describe("a request with a ticket", () => {
  test("names each code once for each type, and how it is to be answered", () => {
    const all = wanted([A, "trades"], [A, "book"], [A, "quotes"], [B, "trades"], [A, "funding"]);
    expect(JSON.parse(ticketRequest(WORDS, all, OPTIONS) ?? "")).toEqual([
      { ticket: "tickwire-7" },
      { type: "trade", codes: ["A", "B"] },
      { type: "orderbook", codes: ["A.15"] },
      { format: "DEFAULT" },
    ]);
  });

  test("is none where the venue has nothing of what is wanted", () => {
    expect(ticketRequest(WORDS, wanted([A, "funding"]), OPTIONS)).toBeUndefined();
    expect(ticketRequest(WORDS, [], OPTIONS)).toBeUndefined();
  });
});

describe("the requests of one connection", () => {
  test("ask for everything that was asked for before, since they replace it", () => {
    const asked = new TicketSubscriptions(WORDS);
    const [first = ""] = asked.add(wanted([A, "trades"], [A, "book"]), OPTIONS);
    asked.sent(first);
    expect(namesIn(asked.add(wanted([B, "trades"]), OPTIONS))).toEqual([
      "trade A",
      "trade B",
      "orderbook A.15",
    ]);
  });

  test("are made once while one that says the same waits to leave", () => {
    const asked = new TicketSubscriptions(WORDS);
    const [first = ""] = asked.add(wanted([A, "trades"]), OPTIONS);
    expect(asked.add(wanted([A, "trades"]), { ...OPTIONS, requestId: 8 })).toEqual([]);
    asked.sent("PING");
    expect(asked.add(wanted([A, "trades"]), { ...OPTIONS, requestId: 8 })).toEqual([]);
    asked.sent(first);
    expect(asked.add(wanted([A, "trades"]), { ...OPTIONS, requestId: 9 })).toHaveLength(1);
  });

  test("are made anew for more than the one that waits has", () => {
    const asked = new TicketSubscriptions(WORDS);
    asked.add(wanted([A, "trades"]), OPTIONS);
    const [second = ""] = asked.add(wanted([B, "trades"]), { ...OPTIONS, requestId: 8 });
    expect(namesIn([second])).toEqual(["trade A", "trade B"]);
    expect(asked.add(wanted([A, "trades"]), { ...OPTIONS, requestId: 9 })).toEqual([]);
    asked.sent(second);
    expect(asked.add(wanted([A, "trades"]), { ...OPTIONS, requestId: 9 })).toHaveLength(1);
  });

  test("say what is wanted; in a recording, in which nothing was asked for, it is everything", () => {
    const asked = new TicketSubscriptions(WORDS);
    expect(asked.isWanted(A, "quotes")).toBe(true);
    asked.add(wanted([A, "book"]), OPTIONS);
    expect([
      asked.isWanted(A, "book"),
      asked.isWanted(A, "quotes"),
      asked.isWanted(B, "book"),
    ]).toEqual([true, false, false]);
  });
});
