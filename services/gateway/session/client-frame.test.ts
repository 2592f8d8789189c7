import { Buffer } from "node:buffer";
import { tickwire } from "@tickwire/proto/protobufjs";
import { beforeEach, describe, expect, test } from "vitest";
import { readClientFrame } from "./client-frame.ts";
import { RateLimits } from "./rate-limits.ts";

const LIMITS = {
  frameBytesMax: 10_000,
  frameFieldsMax: 300,
  frameMessagesMax: 100,
  requestsPerSecondMax: 200,
};

let rates: RateLimits;

beforeEach(() => {
  rates = new RateLimits({ ...LIMITS, topicsPerSecondMax: 1 }, 0);
});

/** `3 requests`, or the fault. */
function read(data: Uint8Array): string {
  const reading = readClientFrame(data, LIMITS, rates, 0);
  return reading.kind === "fault" ? reading.event : `${reading.requests.length} requests`;
}

const repeated = (count: number, ...bytes: number[]) =>
  Buffer.alloc(count * bytes.length, Buffer.from(bytes));
/** Pings: each is a message, its kind, and a nonce. */
const pings = (count: number) => repeated(count, 0x0a, 4, 0x3a, 2, 0x08, 1);
const unknown = (count: number) => repeated(count, 0x78, 0);
/** One message of 250 fields that nobody knows. */
const strange = Buffer.concat([Buffer.from([0x0a, 0xf4, 3]), unknown(250)]);

describe("a frame at its limit is read, and one above is refused", () => {
  test("of bytes", () => {
    const padded = (size: number) => {
      const content = Buffer.alloc(size - 3);
      return Buffer.concat([
        Buffer.from([0x7a, (content.length & 127) | 128, content.length >> 7]),
        content,
      ]);
    };
    expect(read(padded(10_000))).toBe("0 requests");
    expect(read(padded(10_001))).toBe("oversized-frame");
  });

  test("of messages", () => {
    expect(read(pings(99))).toBe("99 requests");
    expect(read(pings(100))).toBe("100 requests");
    expect(read(repeated(101, 0x0a, 0))).toBe("oversized-frame");
  });

  test("of fields", () => {
    const { ClientFrame } = tickwire.v1;
    const subscribe = (topics: number) =>
      ClientFrame.encode({
        messages: [{ subscribe: { topics: Array(topics).fill({ topic: "a" }) } }],
      }).finish();
    // A message, its kind, and two for each topic.
    expect(read(subscribe(149))).toBe("1 requests");
    expect(read(subscribe(150))).toBe("oversized-frame");
  });
});

test.each([
  ["empty messages", repeated(524_000, 0x0a, 0)],
  ["messages of unknown kinds", repeated(260_000, 0x0a, 2, 0x78, 0)],
  ["unknown fields", unknown(500_000)],
  ["groups", repeated(260_000, 0x7b, 0x7c)],
])("half a million %s are refused without being made", (_, data) => {
  const limits = { ...LIMITS, frameBytesMax: 2 ** 20 };
  const reading = readClientFrame(data, limits, rates, 0);
  expect(reading).toMatchObject({ kind: "fault", event: "oversized-frame" });
});

test("messages that mean nothing, and empty frames, are paid for like requests", () => {
  expect(read(repeated(99, 0x0a, 0))).toBe("0 requests");
  expect(read(repeated(100, 0x0a, 0))).toBe("0 requests");
  expect(read(new Uint8Array(0))).toBe("0 requests");
  expect(read(new Uint8Array(0))).toBe("request-rate-exceeded");
});

test("unknown fields are paid for", () => {
  const readings = Array.from({ length: 10 }, () => read(strange));
  // 25 requests for the fields and one for the message that means nothing.
  expect(readings.indexOf("request-rate-exceeded")).toBe(7);
});

test("bytes that are no frame are no frame", () => {
  expect(read(Buffer.alloc(50, 0xff))).toBe("unreadable-frame");
});
