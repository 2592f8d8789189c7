import { tickwire } from "@tickwire/proto/protobufjs";
import {
  BatchCodec,
  BookCodec,
  CallCodec,
  ClientMessageCodec,
  GetCandlesRequestCodec,
  GetSnapshotResponseCodec,
  InstrumentCodec,
  ListInstrumentsRequestCodec,
  ReplayResponseCodec,
  RpcStatusCodec,
  SubscribeCodec,
  TopicResultCodec,
  TradeCodec,
} from "@tickwire/proto/messages";
import { MessageJsonError, messageFromJson, messageToJson } from "@tickwire/proto/service";
import type { FieldProblem } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { WireError } from "./wire-error.ts";

const trade = {
  sequence: 2 ** 53 - 1,
  venueTimeUs: 0,
  receivedTimeUs: -5,
  price: "0.00000001",
  size: "1",
  aggressorSide: "AGGRESSOR_SIDE_SELLER",
  tradeId: "ü-1",
  historical: true,
} as const;

function problemsOf(read: () => unknown): readonly FieldProblem[] {
  try {
    read();
  } catch (error) {
    if (error instanceof MessageJsonError) return error.problems;
    throw error;
  }
  return [];
}

describe("bytes", () => {
  test("are those of protobufjs, in both directions", () => {
    const bytes = TradeCodec.encode(trade);
    const oracle = tickwire.v1.Trade.encode({ ...trade, aggressorSide: 2 }).finish();
    expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(oracle).toString("hex"));
    expect(TradeCodec.decode(oracle)).toEqual(trade);
  });

  test("of enums in a list and of a bool survive protobufjs", () => {
    const instrument = {
      venue: "kraken",
      symbol: "BTC-USD",
      kind: "INSTRUMENT_KIND_SPOT",
      inverse: true,
      expiryTimeUs: 5,
      channels: ["CHANNEL_TRADES", "CHANNEL_BOOK"],
    } as const;
    const decoded = tickwire.v1.Instrument.decode(InstrumentCodec.encode(instrument));
    expect(InstrumentCodec.decode(tickwire.v1.Instrument.encode(decoded).finish())).toMatchObject(
      instrument,
    );
  });

  test("fields left out get their defaults; absence is kept where it means something", () => {
    expect(TradeCodec.decode(TradeCodec.encode({}))).toEqual({
      sequence: 0,
      venueTimeUs: undefined,
      receivedTimeUs: 0,
      price: "",
      size: "",
      aggressorSide: "AGGRESSOR_SIDE_UNSPECIFIED",
      tradeId: "",
      historical: false,
    });
    expect(GetSnapshotResponseCodec.decode(new Uint8Array(0))).toEqual({
      instrument: undefined,
      book: undefined,
      quote: undefined,
      trade: undefined,
      ticker: undefined,
    });
  });

  test("a oneof is one member with its kind, or undefined", () => {
    const bytes = ClientMessageCodec.encode({ message: { kind: "cancel", value: { callId: 3 } } });
    expect(ClientMessageCodec.decode(bytes).message).toEqual({
      kind: "cancel",
      value: { callId: 3 },
    });
    expect(ClientMessageCodec.decode(new Uint8Array(0)).message).toBeUndefined();
    // Field 15 does not exist.
    expect(ClientMessageCodec.decode(Uint8Array.of(0x7a, 0)).message).toBeUndefined();
  });

  test("of two members of a oneof the last counts, and pieces of one are merged", () => {
    const bytes = Uint8Array.of(
      ...tickwire.v1.ClientMessage.encode({ cancel: { callId: 1 } }).finish(),
      ...tickwire.v1.ClientMessage.encode({ call: { callId: 2 } }).finish(),
      ...tickwire.v1.ClientMessage.encode({ call: { method: "x" } }).finish(),
    );
    expect(ClientMessageCodec.decode(bytes).message).toMatchObject({
      kind: "call",
      value: { callId: 2, method: "x" },
    });
  });

  test("a Batch inside a message stays bytes, put together from its pieces", () => {
    const piece = ReplayResponseCodec.encode({ batch: Uint8Array.of(0x20, 1) });
    const other = ReplayResponseCodec.encode({ batch: Uint8Array.of(0x10, 2) });
    expect(ReplayResponseCodec.decode(Uint8Array.of(...piece, ...other)).batch).toEqual(
      Uint8Array.of(0x20, 1, 0x10, 2),
    );
    expect(ReplayResponseCodec.decode(new Uint8Array(0)).batch).toBeUndefined();
  });

  test("metadata may have any key, even one that objects treat in a special way", () => {
    const metadata = { a: "1", constructor: "2", ["__proto__"]: "3" };
    const { metadata: decoded } = CallCodec.decode(CallCodec.encode({ metadata }));
    expect(Object.entries(decoded)).toEqual(Object.entries(metadata));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("an enum number that the schema does not know is read as unspecified", () => {
    expect(TradeCodec.decode(Uint8Array.of(0x30, 99)).aggressorSide).toBe(
      "AGGRESSOR_SIDE_UNSPECIFIED",
    );
  });

  test("an error that the schema does not know is not taken for success", () => {
    expect(RpcStatusCodec.decode(Uint8Array.of(0x08, 99)).code).toBe("CODE_UNKNOWN");
    expect(TopicResultCodec.decode(Uint8Array.of(0x18, 99)).error).toBe("TOPIC_ERROR_UNKNOWN");
  });

  test("columns keep every integer of 64 bits", () => {
    const bidPrices = [0, -1, 2n ** 63n - 1n, -(2n ** 63n), 2 ** 53 - 1];
    const sizes = [2n ** 64n - 1n, 0];
    const decoded = BatchCodec.decode(BatchCodec.encode({ bidPrices, sizes }));
    expect(decoded).toMatchObject({ bidPrices, sizes });
  });

  test.each([
    ["a number beyond 2^53", "unsafe-integer", { sequence: 2 ** 53 }],
    ["a fraction", "unsafe-integer", { sequence: 0.5 }],
    ["a negative unsigned integer", "unsafe-integer", { sequence: -1 }],
    ["a word that is no value of the enum", "malformed", { aggressorSide: "buyer" as never }],
    ["a value of another type", "malformed", { price: 5 as never }],
  ])("refuse %s", (_, code, value) => {
    expect(() => TradeCodec.encode(value)).toThrow(expect.objectContaining({ code }));
  });

  test.each([-1, 2 ** 32, 1.5, NaN])("refuse %d in a field of 32 bits", (pageSize) => {
    expect(() => GetCandlesRequestCodec.encode({ pageSize })).toThrow(WireError);
  });

  test("refuse an integer beyond 2^53 on reading, and name its field", () => {
    const bytes = tickwire.v1.Trade.encode({ sequence: 2 ** 53 }).finish();
    expect(() => TradeCodec.decode(bytes)).toThrow(/tickwire\.v1\.Trade\.sequence.*beyond 2\^53/);
  });

  test("refuse a nested message that is longer than what holds it", () => {
    // Book.bids of 2 bytes, whose price claims 5.
    expect(() => BookCodec.decode(Uint8Array.of(0x22, 2, 0x0a, 5, 49, 49, 49, 49, 49))).toThrow(
      WireError,
    );
  });
});

describe("JSON", () => {
  test("follows the rules of proto3", () => {
    expect(messageToJson(TradeCodec, trade)).toEqual({
      sequence: "9007199254740991",
      venueTimeUs: "0",
      receivedTimeUs: "-5",
      price: "0.00000001",
      size: "1",
      aggressorSide: "AGGRESSOR_SIDE_SELLER",
      tradeId: "ü-1",
      historical: true,
    });
    expect(
      messageToJson(CallCodec, { request: Uint8Array.of(255, 254), metadata: { a: "b" } }),
    ).toEqual({
      request: "//4=",
      metadata: { a: "b" },
    });
  });

  test("leaves out what has its default", () => {
    expect(messageToJson(TradeCodec, TradeCodec.decode(new Uint8Array(0)))).toEqual({});
  });

  test("gives back what it was made from", () => {
    expect(messageFromJson(TradeCodec, messageToJson(TradeCodec, trade))).toEqual(trade);
  });

  test("takes names of the schema, numbers for 64 bits, text for 32, and enums by number", () => {
    expect(
      messageFromJson(GetCandlesRequestCodec, {
        interval_ms: 60_000,
        venue: "binance",
        page_size: "7",
      }),
    ).toMatchObject({ intervalMs: 60_000, venue: "binance", pageSize: 7 });
    expect(messageFromJson(ListInstrumentsRequestCodec, { kind: 2 }).kind).toBe(
      "INSTRUMENT_KIND_PERPETUAL",
    );
  });

  test("null is the default", () => {
    const all = { venue: null, symbol: null, intervalMs: null, pageSize: null };
    expect(messageFromJson(GetCandlesRequestCodec, all)).toEqual(
      messageFromJson(GetCandlesRequestCodec, {}),
    );
  });

  test("base64 of both alphabets, padded or not", () => {
    for (const request of ["//4=", "__4", "__4="]) {
      expect(messageFromJson(CallCodec, { request }).request).toEqual(Uint8Array.of(255, 254));
    }
  });

  test("a Batch inside a message is written out", () => {
    const response = { batch: BatchCodec.encode({ topicId: 1, sizes: [2n ** 63n] }) };
    const json = messageToJson(ReplayResponseCodec, response);
    expect(json).toEqual({ batch: { topicId: 1, sizes: ["9223372036854775808"] } });
    expect(messageFromJson(ReplayResponseCodec, json)).toMatchObject(response);
  });

  test("names every bad field", () => {
    const json = {
      requestId: -1,
      topics: [
        { topic: 5 },
        { depth: 1.5, snapshot: "NO", colour: "red" },
        { resume: { epoch: "9007199254740993", sequence: "x" } },
        null,
      ],
    };
    expect(problemsOf(() => messageFromJson(SubscribeCodec, json))).toEqual([
      { field: "requestId", problem: "must be from 0 to 4294967295" },
      { field: "topics[0].topic", problem: "must be a string" },
      { field: "topics[1].depth", problem: "must be an integer" },
      {
        field: "topics[1].snapshot",
        problem:
          "must be one of SNAPSHOT_MODE_UNSPECIFIED, SNAPSHOT_MODE_NONE, SNAPSHOT_MODE_WHOLE",
      },
      { field: "topics[1].colour", problem: "is not a field of tickwire.v1.TopicRequest" },
      { field: "topics[2].resume.epoch", problem: "must not be beyond 2^53" },
      {
        field: "topics[2].resume.sequence",
        problem: "must be an integer, as text if it is beyond 2^53",
      },
      { field: "topics[3]", problem: "must be an object" },
    ]);
  });

  test("the message of the error has all of it", () => {
    expect(() => messageFromJson(GetCandlesRequestCodec, { venue: 1, pageSize: true })).toThrow(
      "tickwire.v1.GetCandlesRequest: venue must be a string; pageSize must be an integer",
    );
  });

  test.each([
    ["no object", [], [{ field: "", problem: "must be an object" }]],
    ["text", "{}", [{ field: "", problem: "must be an object" }]],
    [
      "one field under two names",
      { intervalMs: 1, interval_ms: 2 },
      [{ field: "interval_ms", problem: "is given as intervalMs too" }],
    ],
    [
      "an integer beyond 64 bits",
      { intervalMs: "18446744073709551616" },
      [{ field: "intervalMs", problem: "must fit an unsigned 64-bit integer" }],
    ],
    [
      "an integer as an endless text",
      { intervalMs: "1".repeat(1_000) },
      [{ field: "intervalMs", problem: "must be an integer, as text if it is beyond 2^53" }],
    ],
  ])("refuses %s", (_, json, problems) => {
    expect(problemsOf(() => messageFromJson(GetCandlesRequestCodec, json))).toEqual(problems);
  });

  test("refuses two members of a oneof", () => {
    const json = { cancel: { callId: 1 }, ping: {} };
    expect(problemsOf(() => messageFromJson(ClientMessageCodec, json))).toEqual([
      { field: "ping", problem: "excludes cancel, which is given too" },
    ]);
  });

  test.each(["a", "====", "ab*d", 5])("refuses %j as bytes", (request) => {
    expect(problemsOf(() => messageFromJson(CallCodec, { request }))).toEqual([
      { field: "request", problem: "must be base64" },
    ]);
  });

  test("can let unknown fields pass", () => {
    const json = { venue: "x", future: 1 };
    expect(
      messageFromJson(GetCandlesRequestCodec, json, { ignoreUnknownFields: true }),
    ).toMatchObject({
      venue: "x",
    });
  });
});
