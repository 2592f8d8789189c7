import { BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import { expect, test } from "vitest";
import { StreamTopic } from "./stream-topic.ts";
import { ToldBatches } from "./told-batches.ts";

const NAMES = {
  topic: "fake:BTC-USDT/trades",
  venue: "fake",
  symbol: "BTC-USDT",
  venueSymbol: "BTCUSDT",
  channel: "trades",
} as const;
const INIT = { publishedTimeUs: 5 };

function trade(receivedTimeUs: number): BatchRows {
  const price = { priceMantissa: 100 + receivedTimeUs, priceScale: 1 };
  const size = { sizeMantissa: 7, sizeScale: 0 };
  const row = { aggressorSide: "buyer", tradeId: "", historical: false } as const;
  return { kind: "trades", rows: [{ venueTimeUs: 1, receivedTimeUs, ...price, ...size, ...row }] };
}

function elementOf(batch: BusBatch, withBase: boolean): Uint8Array {
  const element = new Uint8Array(elementLength(batch, 1, withBase));
  putElement(element, 0, batch, { topicId: 1, withBase });
  return element.subarray(2);
}

test("sessions share what one has been told, and each goes on by itself", () => {
  const counts = { shared: 0, made: 0 };
  const inc = ({ outcome }: { outcome: keyof typeof counts }) => (counts[outcome] += 1);
  const batches = new ToldBatches({ inc } as never);
  const writer = new BatchWriter({ kind: "trades", epoch: 7 });
  const written = [1, 2, 3].flatMap((time) => [...writer.write(trade(time), INIT)]);
  const createTopic = (shared: ToldBatches | undefined) =>
    new StreamTopic(NAMES, {
      position: { epoch: 7, sequence: 0 },
      continuity: "new",
      ended: undefined,
      asked: undefined,
      startsBare: true,
      shared: shared && { batches: shared, topicId: 1, view: "0 0" },
      view: {},
    });
  const tellAll = (topic: StreamTopic): string[] =>
    written.flatMap((batch, index) => {
      const bytes = elementOf(batch, index === 0);
      const told = topic.tell(bytes, { start: 0, end: bytes.byteLength, isLast: true });
      return [...told].flatMap((event) => (event === undefined ? [] : [event.data]));
    });
  const alone = tellAll(createTopic(undefined));
  expect(alone).toHaveLength(3);
  expect(alone[2]).toContain('"price":"10.3"');
  expect(tellAll(createTopic(batches))).toEqual(alone);
  expect(tellAll(createTopic(batches))).toEqual(alone);
  expect(counts).toEqual({ made: 3, shared: 3 });
  // Who leaves the view of the others makes his own, from where he is.
  const leaving = createTopic(batches);
  leaving.leaveOthers();
  expect(tellAll(leaving)).toEqual(alone);
  expect(counts).toEqual({ made: 3, shared: 3 });
});
