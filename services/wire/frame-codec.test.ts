import { tickwire } from "@tickwire/proto/protobufjs";
import {
  BatchReader,
  BatchWriter,
  readBusEvents,
  topicIdOf,
  walkServerFrame,
  withBase,
} from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import {
  decodeClientFrame,
  encodeServerMessages,
  packErrorDetail,
  wrapBatch,
} from "./frame-codec.ts";

const row = {
  venueTimeUs: 1_700_000_000_000_000,
  receivedTimeUs: 1_700_000_000_000_500,
  priceMantissa: 4_200_050,
  priceScale: 2,
  sizeMantissa: 10,
  sizeScale: 3,
  aggressorSide: "buyer",
  tradeId: "17",
  historical: false,
} as const;

const writer = new BatchWriter({ kind: "trades", epoch: 7, sequence: 40 });
const [batch] = writer.write(
  { kind: "trades", rows: [row] },
  { publishedTimeUs: 1_700_000_000_000_900 },
) as [BusBatch];

function concatenated(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function batchRanges(frame: Uint8Array): [number, number][] {
  const ranges: [number, number][] = [];
  walkServerFrame(frame, {
    message: () => undefined,
    batch: (start, end) => ranges.push([start, end]),
  });
  return ranges;
}

describe("wrapBatch", () => {
  test.each([1, 127, 128, 16_383, 16_384, 2_097_152, 268_435_456, 4_294_967_295])(
    "puts topic id %i in front of what the publisher wrote",
    (topicId) => {
      const frame = wrapBatch(topicId, batch, true);
      const [decoded] = tickwire.v1.ServerFrame.decode(frame).batches;
      expect(decoded?.topicId).toBe(topicId);
      expect(Number(decoded?.base?.sequence)).toBe(40);
      const [[start, end] = [0, 0]] = batchRanges(frame);
      const reading = new BatchReader().read(frame, start, end);
      expect(reading).toEqual({ outcome: "read", batch: { ...readBusEvents(batch), topicId } });
    },
  );

  test.each([1, 300])("leaves out the base, which can be put in again (topic %i)", (topicId) => {
    const chained = wrapBatch(topicId, batch, false);
    const [decoded] = tickwire.v1.ServerFrame.decode(chained).batches;
    expect(decoded).toMatchObject({ topicId, base: null });
    const base = batch.bytes.slice(batch.baseStart, batch.baseEnd);
    expect(withBase(chained, base)).toEqual(wrapBatch(topicId, batch, true));
  });
});

describe("ServerFrame", () => {
  test("two frames one after the other are one frame, in order", () => {
    const welcome = encodeServerMessages([{ kind: "welcome", value: { protocolVersion: 1 } }]);
    const pong = encodeServerMessages([{ kind: "pong", value: { nonce: 9 } }]);
    const frame = concatenated(welcome, wrapBatch(1, batch, true), pong, wrapBatch(2, batch, true));
    const decoded = tickwire.v1.ServerFrame.decode(frame);
    expect(decoded.messages.map(({ message }) => message)).toEqual(["welcome", "pong"]);
    expect(decoded.batches.map(({ topicId }) => topicId)).toEqual([1, 2]);
    expect(batchRanges(frame).map((range) => topicIdOf(frame, ...range))).toEqual([1, 2]);
  });

  test("carries error details as google.protobuf.Any", () => {
    const detail = packErrorDetail({ reason: "UNKNOWN_TOPIC", metadata: { topic: "x" } });
    const bytes = encodeServerMessages([
      {
        kind: "reply",
        value: { callId: 1, status: { code: "CODE_NOT_FOUND", details: [detail] } },
      },
    ]);
    const [message] = tickwire.v1.ServerFrame.decode(bytes).messages;
    const [any] = message?.reply?.status?.details ?? [];
    expect(any?.type_url).toBe("type.googleapis.com/tickwire.v1.ErrorDetail");
    expect(tickwire.v1.ErrorDetail.decode(any?.value ?? new Uint8Array(0))).toMatchObject({
      reason: "UNKNOWN_TOPIC",
      metadata: { topic: "x" },
    });
  });
});

describe("decodeClientFrame", () => {
  test("gives each message its kind and whole value", () => {
    const bytes = tickwire.v1.ClientFrame.encode({
      messages: [
        { hello: { protocolVersion: 1, clientName: "probe" } },
        { subscribe: { requestId: 5, topics: [{ topic: "binance:BTC-USDT/trades" }] } },
        { ping: { nonce: 2 ** 40 } },
      ],
    }).finish();
    expect(decodeClientFrame(bytes)).toEqual([
      {
        kind: "hello",
        value: {
          protocolVersion: 1,
          clientName: "probe",
          clientVersion: "",
          acceptCompression: false,
          acceptsParts: false,
          answersProbes: false,
          accessToken: "",
          bandwidthBytesPerSecondMax: 0,
        },
      },
      {
        kind: "subscribe",
        value: {
          requestId: 5,
          topics: [
            {
              topic: "binance:BTC-USDT/trades",
              depth: 0,
              conflationIntervalMs: 0,
              snapshot: "SNAPSHOT_MODE_UNSPECIFIED",
              resume: undefined,
              checksum: false,
            },
          ],
        },
      },
      { kind: "ping", value: { nonce: 2 ** 40 } },
    ]);
  });

  test("keeps nothing of the bytes, which a transport reuses", () => {
    const request = Uint8Array.of(1, 2, 3);
    const bytes = tickwire.v1.ClientFrame.encode({ messages: [{ call: { request } }] }).finish();
    const [call] = decodeClientFrame(bytes);
    bytes.fill(0);
    expect(call?.kind === "call" && call.value.request).toEqual(request);
  });

  test("leaves out messages of kinds that it does not know", () => {
    expect(decodeClientFrame(Uint8Array.of(0x0a, 2, 0x7a, 0, 0x0a, 0))).toEqual([]);
  });

  test("an empty frame has no messages", () => {
    expect(decodeClientFrame(new Uint8Array(0))).toEqual([]);
  });

  test("refuses a frame that is cut off, at every byte but the ends of messages", () => {
    const bytes = tickwire.v1.ClientFrame.encode({
      messages: [{ hello: { protocolVersion: 1, clientName: "probe" } }],
    }).finish();
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => decodeClientFrame(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ name: "WireError" }),
      );
    }
  });

  test("refuses an integer beyond 2^53", () => {
    const nonce = Uint8Array.of(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    const bytes = Uint8Array.of(0x0a, 13, 0x3a, 11, ...nonce);
    expect(() => decodeClientFrame(bytes)).toThrow(
      expect.objectContaining({ code: "unsafe-integer" }),
    );
  });
});
