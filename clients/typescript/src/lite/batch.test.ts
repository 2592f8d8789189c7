import { readFileSync, readdirSync } from "node:fs";
import {
  BatchWriter,
  ChainReader,
  elementLength,
  payloadTable,
  putElement,
  QUOTES_PAYLOAD,
  TRADES_PAYLOAD,
  WireError,
  topicIdOf,
  walkServerFrame,
  type BatchRows,
  type DecodedBatch,
} from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteEvent, tradeEvent } from "../events/hot-events.ts";
import { LiteReader, type Batch } from "./batch.ts";
import { applyTexts } from "./texts.ts";
import { fieldsOf } from "./wire.ts";

// The small reader is held to the one of all channels: on the examples of the specification, on
// numbers of every size, and on bytes that are damaged.

const PAYLOADS = payloadTable([TRADES_PAYLOAD, QUOTES_PAYLOAD]);

const INFO = {
  topic: "v:A/trades",
  venue: "v",
  symbol: "A",
  venueSymbol: "a",
  channel: "trades",
} as const;

type Seen = Readonly<Record<string, unknown>> | "refused";

function generalReading(reader: ChainReader, bytes: Uint8Array): Seen | "other" {
  try {
    const reading = reader.read(bytes);
    if (reading.outcome === "unknown-channel") return "other";
    if (reading.outcome !== "read") return "refused";
    const { batch } = reading;
    return { ...headOf({ ...batch, channel: 0 }), events: eventsOf(batch) };
  } catch (error) {
    if (error instanceof WireError) return "refused";
    throw error;
  }
}

function smallReading(reader: LiteReader, bytes: Uint8Array): Seen {
  try {
    const batch = reader.read(fieldsOf(bytes), INFO);
    return batch === undefined ? "refused" : { ...headOf(batch), events: batch.events };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return "refused";
    throw error;
  }
}

/** What both say of a batch, as far as all of its kinds have it. */
function headOf({ epoch, firstSequence, count, skipped, snapshot }: Omit<Batch, "events">): object {
  return { epoch, firstSequence, count, skipped, snapshot };
}

/** The events as the large client makes them. */
function eventsOf(batch: DecodedBatch): object[] {
  return Array.from({ length: batch.count }, (_, index) => {
    if (batch.kind === "trades") return tradeEvent(INFO, batch, index);
    if (batch.kind === "quotes") return quoteEvent(INFO, batch, index);
    throw new Error(`${batch.kind} are not read`);
  });
}

type Vector = { readonly name: string; readonly steps: readonly { readonly frame: string }[] };

const folder = new URL("../../../../proto/vectors/", import.meta.url);
const vectors = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Vector,
);

/** Calls back with every batch of a frame that can be walked so far. */
function eachBatch(frame: Uint8Array, batch: (bytes: Uint8Array) => void): void {
  try {
    walkServerFrame(frame, {
      message: () => undefined,
      batch: (start, end) => batch(frame.subarray(start, end)),
    });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

function fieldsOfEach(seen: Seen): string[][] {
  if (seen === "refused") return [];
  return (seen as { readonly events: readonly object[] }).events.map((each) => Object.keys(each));
}

/** Both readers on the batches of each topic, as far as they are trades and quotes. */
function compare(frames: readonly Uint8Array[]): number {
  const general = new Map<number, ChainReader>();
  const small = new Map<number, LiteReader>();
  let read = 0;
  for (const frame of frames) {
    eachBatch(frame, (bytes) => {
      let topicId = -1;
      try {
        topicId = topicIdOf(bytes, 0, bytes.length);
      } catch {
        // Bytes that say no topic come to none.
        return;
      }
      const chain = general.get(topicId) ?? new ChainReader(PAYLOADS);
      const lite = small.get(topicId) ?? new LiteReader(applyTexts);
      general.set(topicId, chain);
      small.set(topicId, lite);
      const expected = generalReading(chain, bytes);
      const seen = smallReading(lite, bytes);
      expect(seen).toEqual(expected === "other" ? "refused" : expected);
      // Fields in the same order: what is shown as JSON is the same text.
      expect(fieldsOfEach(seen)).toEqual(expected === "other" ? [] : fieldsOfEach(expected));
      if (seen !== "refused") read += 1;
    });
  }
  return read;
}

describe("the small reader of batches", () => {
  test.each(vectors.map(({ name, steps }) => [name, steps] as const))(
    "reads of %s what the general one reads",
    (_, steps) => {
      const frames = steps.map(({ frame }) => Buffer.from(frame, "hex"));
      expect(compare(frames)).toBeGreaterThanOrEqual(0);
    },
  );

  test("reads most of the examples", () => {
    const counts = vectors.map(({ steps }) =>
      compare(steps.map(({ frame }) => Buffer.from(frame, "hex"))),
    );
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(10);
  });

  test("passes no damaged batch that the general one refuses or reads otherwise", () => {
    const batches: Uint8Array[] = [];
    for (const { steps } of vectors) {
      for (const { frame } of steps) {
        eachBatch(Buffer.from(frame, "hex"), (bytes) => batches.push(Uint8Array.from(bytes)));
      }
    }
    const damage = (which: number, place: number, byte: number) => {
      const bytes = Uint8Array.from(batches[which % batches.length]!);
      bytes[place % bytes.length] = byte;
      const seen = smallReading(new LiteReader(applyTexts), bytes);
      const expected = generalReading(new ChainReader(PAYLOADS), bytes);
      expect([expected, "refused"]).toContainEqual(seen);
    };
    const any = [fc.nat(), fc.nat(), fc.nat({ max: 255 })] as const;
    fc.assert(fc.property(...any, damage), { numRuns: 4_000 });
  });

  const mantissa = fc.oneof(
    fc.nat({ max: 1_000_000 }),
    fc.integer({ min: -1_000, max: 1_000 }),
    fc.maxSafeNat(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  );
  const size = mantissa.filter((value) => value >= 0);
  const time = fc.integer({ min: 1_600_000_000_000_000, max: 1_800_000_000_000_000 });
  const times = { receivedTimeUs: time, venueTimeUs: fc.option(time, { nil: undefined }) };
  const scales = { priceScale: fc.nat({ max: 12 }), sizeScale: fc.nat({ max: 12 }) };
  const trade = fc.record({
    ...times,
    ...scales,
    priceMantissa: mantissa,
    sizeMantissa: size,
    aggressorSide: fc.constantFrom("buyer", "seller", "none"),
    tradeId: fc.oneof(
      fc.nat().map(String),
      fc.nat({ max: 999 }).map((id) => `T-${String(id).padStart(5, "0")}`),
      fc.bigInt({ min: 0n, max: 10n ** 27n }).map(String),
      fc.string({ maxLength: 12 }),
    ),
    historical: fc.boolean(),
  });
  const quote = fc.record({
    ...times,
    ...scales,
    bidPriceMantissa: mantissa,
    bidSizeMantissa: size,
    askPriceMantissa: mantissa,
    askSizeMantissa: size,
  });

  test.each([
    ["trades", trade],
    ["quotes", quote],
  ] as const)("reads %s of all kinds as the general one does", (kind, row) => {
    const check = (batches: readonly (readonly object[])[]) => {
      const writer = new BatchWriter({ kind, epoch: 5 });
      const frames = batches.flatMap((rows, place) =>
        writer
          .write({ kind, rows } as unknown as BatchRows, { publishedTimeUs: 1_700_000_000_000_000 })
          .map((part) => {
            const withBase = place % 3 === 0;
            const frame = new Uint8Array(elementLength(part, 1, withBase));
            putElement(frame, 0, part, { topicId: 1, withBase });
            return frame;
          }),
      );
      expect(compare(frames)).toBeGreaterThan(0);
    };
    const batches = fc.array(fc.array<object>(row, { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(fc.property(batches, check), { numRuns: 150 });
  });
});
