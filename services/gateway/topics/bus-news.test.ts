import { BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BusMessage } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { channelNumberOf } from "#wire/codes.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { plainTrades, topicHistories } from "#test/support/wire-arbitraries.ts";
import { readNews } from "./bus-news.ts";

const TRADES = channelNumberOf("trades");

/** The batches of one topic, as a publisher writes them. */
function batchesOf(histories: readonly BatchRows[]): BusBatch[] {
  const [first] = histories;
  if (first === undefined) return [];
  const writer = new BatchWriter({ kind: first.kind, epoch: 4_711, sequence: 10 });
  const init = { publishedTimeUs: 1_767_225_600_000_000 };
  return histories.flatMap((rows) => writer.write(rows, init));
}

async function published(batches: readonly BusBatch[]): Promise<BusMessage[]> {
  const bus = new MemoryBus({ clock: new ManualClock() });
  const messages: BusMessage[] = [];
  bus.subscribe("topic", (message) => void messages.push(message));
  for (const batch of batches) bus.publish("topic", batch.bytes, batch);
  await bus.flush();
  return messages;
}

function trades(count: number): BusBatch {
  return batchesOf([plainTrades(1, count)])[0] as BusBatch;
}

describe("a batch that was published in this process", () => {
  test("is what reading its payload gives", async () => {
    await fc.assert(
      fc.asyncProperty(topicHistories, async (histories) => {
        const batches = batchesOf(histories);
        const messages = await published(batches);
        expect(messages).toHaveLength(batches.length);
        for (const { payload, content } of messages) {
          const { channel } = content as BusBatch;
          const read = readNews({ payload }, channel);
          expect(read).toBeDefined();
          expect(readNews({ payload, content }, channel)).toEqual(read);
        }
      }),
    );
  });

  test("is not read again", async () => {
    const batch = trades(3);
    const [message] = await published([batch]);
    expect(readNews(message as BusMessage, TRADES)).toBe(batch);
  });

  test("is none of another channel", () => {
    const batch = trades(3);
    const content = batch;
    expect(readNews({ payload: batch.bytes, content }, channelNumberOf("quotes"))).toBeUndefined();
  });

  test("is no news if it is a state or leaves something out", () => {
    const batch = trades(3);
    for (const other of [{ snapshot: true }, { skipped: 1 }]) {
      const content = { ...batch, ...other };
      expect(readNews({ payload: batch.bytes, content }, TRADES)).toBeUndefined();
    }
  });
});

describe("the payload counts", () => {
  test("if the content is that of another one", () => {
    const [batch, other] = [trades(3), trades(4)];
    expect(readNews({ payload: batch.bytes, content: other }, TRADES)?.count).toBe(3);
    const copy = batch.bytes.slice();
    expect(readNews({ payload: copy, content: batch }, TRADES)?.bytes).toBe(copy);
  });

  test("if the content is no batch", () => {
    const { bytes } = trades(3);
    expect(readNews({ payload: bytes, content: { bytes } }, TRADES)?.count).toBe(3);
  });

  test("and is left aside if it cannot be read", () => {
    const { bytes } = trades(3);
    expect(readNews({ payload: bytes.subarray(1) }, TRADES)).toBeUndefined();
    expect(readNews({ payload: new Uint8Array(0) }, TRADES)).toBeUndefined();
  });
});
