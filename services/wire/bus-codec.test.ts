import { BatchWriter, WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { expect, test } from "vitest";
import {
  decodeAnnouncement,
  decodeCatalogReply,
  decodeQueryReply,
  decodeSnapshotReply,
  encodeAnnouncement,
  encodeCatalogReply,
  encodeQueryError,
  encodeQueryReply,
  encodeSnapshotReply,
} from "./bus-codec.ts";
import { encodeState } from "./event-codec.ts";

const announcement = {
  ingestorId: "i-1",
  venue: "kraken",
  catalogVersion: 2 ** 40,
  announceIntervalMs: 2_000,
  epoch: Number.MAX_SAFE_INTEGER,
  leaving: true,
  progress: [{ symbol: "BTC-USD", channel: "CHANNEL_MARK_PRICE" as const, sequence: 2 ** 52 }],
  fencingToken: 2 ** 21 - 1,
  continuesEpoch: Number.MAX_SAFE_INTEGER - 1,
  shardIndex: 2,
  shardCount: 3,
};

function at(sequence: number, epoch = 4): BusBatch {
  return encodeState({ channel: "book", epoch, sequence }, [], 1)[0]!;
}

function news(): BusBatch {
  const row = { venueTimeUs: undefined, receivedTimeUs: 7, channel: "book", sinceTimeUs: 1 };
  const rows = [{ ...row, state: "live" as const, reason: "data" }];
  const writer = new BatchWriter({ kind: "statuses", epoch: 3, sequence: 8 });
  return writer.write({ kind: "statuses", rows }, { publishedTimeUs: 9 })[0]!;
}

test("an announcement is the same to protobufjs", () => {
  const bytes = encodeAnnouncement(announcement);
  expect(decodeAnnouncement(bytes)).toEqual(announcement);
  const { CHANNEL_MARK_PRICE: channel } = tickwire.v1.Channel;
  const progress = announcement.progress.map((topic) => ({ ...topic, channel }));
  const oracle = tickwire.bus.v1.Announcement.encode({ ...announcement, progress }).finish();
  expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(oracle).toString("hex"));
});

test("a catalog keeps its instruments in order, with what they leave out", () => {
  const instruments = [{ venue: "kraken", symbol: "BTC-USD" }, { symbol: "ETH-USD" }];
  const reply = decodeCatalogReply(encodeCatalogReply({ catalogVersion: 3, instruments }));
  expect(reply.instruments.map(({ symbol }) => symbol)).toEqual(["BTC-USD", "ETH-USD"]);
  expect(reply.instruments[1]).toMatchObject({ venue: "", channels: [], expiryTimeUs: 0 });
});

test("an answer has a payload or an error", () => {
  const payload = Uint8Array.of(1, 2, 3);
  expect(decodeQueryReply(encodeQueryReply(payload))).toEqual({ error: undefined, payload });
  const error = { code: "CODE_NOT_FOUND", message: "no such instrument" } as const;
  expect(decodeQueryReply(encodeQueryError(error))).toEqual({
    error: { ...error, details: [] },
    payload: new Uint8Array(0),
  });
});

test("an error whose code is unknown here is still an error", () => {
  // QueryReply.error of two bytes: code 99.
  const bytes = Uint8Array.of(0x0a, 2, 0x08, 99);
  expect(decodeQueryReply(bytes).error?.code).toBe("CODE_UNKNOWN");
});

test("a snapshot is its batches, all of one place", () => {
  const state = encodeState({ channel: "book", epoch: 4, sequence: 9 }, [], 1);
  const [batch, ...rest] = decodeSnapshotReply(encodeSnapshotReply(state)).batches;
  expect(rest).toEqual([]);
  expect(batch).toMatchObject({ epoch: 4, baseSequence: 9, count: 0, bytes: state[0]!.bytes });
});

test.each([
  ["has no batch", []],
  ["is of two sequences", [at(9), at(10)]],
  ["is of two epochs", [at(9), at(9, 5)]],
  ["has news", [news()]],
  ["only says its place, and that twice", [at(9), at(9)]],
])("a snapshot that %s is refused", (_, batches) => {
  expect(() => decodeSnapshotReply(encodeSnapshotReply(batches))).toThrow(WireError);
});

test("bytes that are no message are refused", () => {
  expect(() => decodeQueryReply(Uint8Array.of(0x12, 9))).toThrow(
    expect.objectContaining({ name: "WireError", code: "truncated" }),
  );
});
