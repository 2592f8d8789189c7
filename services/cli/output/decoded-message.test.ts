import { readFileSync } from "node:fs";
import { BatchWriter } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { encodeAnnouncement, encodeSnapshotReply } from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { decodeMessage, formOf, type MessageForm } from "./decoded-message.ts";
import { describeMessage } from "./decoded-text.ts";

const { ClientFrame, ServerFrame } = tickwire.v1;

/** The lines that a message is told in. */
const linesOf = (form: MessageForm, bytes: Uint8Array): string[] =>
  describeMessage(decodeMessage(form, bytes));

/** The frames of an example of the specification. */
function framesOf(vector: string): Uint8Array[] {
  const url = new URL(`../../../proto/vectors/${vector}.json`, import.meta.url);
  const { steps } = JSON.parse(readFileSync(url, "utf8")) as { steps: { frame: string }[] };
  return steps.map(({ frame }) => Uint8Array.from(Buffer.from(frame, "hex")));
}

const [JOINED, CHAINED] = framesOf("trades") as [Uint8Array, Uint8Array];

function busBatch(): Uint8Array {
  const row = { venueTimeUs: undefined, receivedTimeUs: 7, channel: "book", sinceTimeUs: 1 };
  const rows = [{ ...row, state: "live" as const, reason: "data" }];
  const writer = new BatchWriter({ kind: "statuses", epoch: 3, sequence: 8 });
  return writer.write({ kind: "statuses", rows }, { publishedTimeUs: 9 })[0]!.bytes;
}

test("as JSON a frame is what its lines say", () => {
  const decoded = JSON.parse(JSON.stringify(decodeMessage("server-frame", JOINED))) as object;
  expect(decoded).toMatchObject({
    form: "server-frame",
    bytes: JOINED.length,
    messages: [],
    batches: [
      {
        topicId: 5,
        base: { channel: "CHANNEL_TRADES" },
        events: { kind: "trades", epoch: 1, firstSequence: 41, count: 3, skipped: 0 },
      },
    ],
  });
});

describe("a frame of a gateway", () => {
  test("is told base by base, column by column and event by event", () => {
    const [head, batch, base, columns, place, first, ...others] = linesOf("server-frame", JOINED);
    expect(head).toBe(`ServerFrame, ${JOINED.length} bytes`);
    expect(batch).toBe("batch of topic 5, 62 bytes, has its base");
    expect(base).toContain('"channel":"CHANNEL_TRADES","epoch":"1","sequence":"40"');
    expect(columns).toContain('"prices":["77","78","0"],"sizes":["10","2500","7"]');
    expect(place).toBe("  trades: 3 of epoch 1, from 40, published 1767225600000900 us");
    expect(first).toMatch(/^ {2}41 \{.*"price":"42000.5","size":"0.01","aggressorSide":"buyer"/);
    expect(others).toHaveLength(2);
  });

  test("tells the events of a batch that goes on from one in the same bytes", () => {
    const both = Uint8Array.of(...JOINED, ...CHAINED);
    const lines = linesOf("server-frame", both);
    expect(lines.at(-1)).toMatch(/^ {2}44 \{.*"price":"42000.45"/);
    const alone = linesOf("server-frame", CHAINED);
    expect(alone.at(-2)).toContain('"prices":["41"]');
    expect(alone.at(-1)).toBe(
      "  its events cannot be told without the batches before it (no-base)",
    );
  });

  test("says its messages before its batches", () => {
    const messages = ServerFrame.encode({ messages: [{ pong: { nonce: 4 } }] }).finish();
    const lines = linesOf("server-frame", Uint8Array.of(...JOINED, ...messages));
    expect(lines.slice(1, 3)).toEqual(["pong", '  {"pong":{"nonce":"4"}}']);
  });
});

test("other messages are their JSON, and a snapshot is its batches", () => {
  const hello = ClientFrame.encode({ messages: [{ hello: { protocolVersion: 1 } }] }).finish();
  expect(linesOf("client-frame", hello)).toEqual([
    `ClientFrame, ${hello.length} bytes`,
    "hello",
    '  {"hello":{"protocolVersion":1}}',
  ]);
  const announcement = encodeAnnouncement({ ingestorId: "one", venue: "fake" });
  const [, json] = linesOf("announcement", announcement);
  expect(json).toBe('  {"ingestorId":"one","venue":"fake"}');
  const state = encodeState({ channel: "book", epoch: 1, sequence: 2 }, [], 3);
  const lines = linesOf("snapshot", encodeSnapshotReply(state));
  expect(lines.at(-1)).toBe("  books: 0 of epoch 1, from 2, published 3 us");
});

test.each([
  ["a batch of the bus", busBatch(), "batch"],
  ["a frame with a batch", JOINED, "server-frame"],
  ["bytes that are neither", Uint8Array.of(0xff, 0xff), undefined],
  ["no bytes", new Uint8Array(0), undefined],
] as const)("%s is found out", (_, bytes, form) => {
  expect(formOf(bytes)).toBe(form);
});

test("a batch of the bus says what a subscriber gets of it", () => {
  const lines = linesOf("batch", busBatch());
  expect(lines[0]).toMatch(/^BusBatch, \d+ bytes, every subscriber gets its base$/);
  expect(lines.at(-1)).toMatch(/^ {2}9 \{.*"state":"live","reason":"data"/);
});
