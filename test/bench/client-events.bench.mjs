// CPU a trade costs the TypeScript client, from the bytes of a batch to the callback.
//
//   npm run build && node test/bench/client-events.bench.mjs
import { BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import { Consumer } from "../../clients/typescript/dist/topics/consumer.js";
import { TICK_CHANNELS } from "../../clients/typescript/dist/topics/tick-channels.js";
import { TopicStream } from "../../clients/typescript/dist/topics/topic-stream.js";

const TRADES = 120_000;
const ROUNDS = 9;
const START_US = 1_767_225_600_000_000;
const INFO = { topic: "v:A/trades", venue: "v", symbol: "A", venueSymbol: "A", channel: "trades" };
const part = TICK_CHANNELS.find(({ name }) => name === INFO.channel);

function trade(index) {
  return {
    venueTimeUs: START_US + index * 1_000,
    receivedTimeUs: START_US + index * 1_000 + 300,
    priceMantissa: 4_200_000 + ((index * 7_919) % 100),
    priceScale: 2,
    sizeMantissa: 1_000 + ((index * 31) % 5_000),
    sizeScale: 5,
    aggressorSide: index % 2 === 0 ? "seller" : "buyer",
    tradeId: String(1_000_000 + index),
    historical: false,
  };
}

/** Chained batches as a subscriber gets them, each the content of an element of a frame. */
function batchesOf(tradesPerBatch) {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  return Array.from({ length: Math.floor(TRADES / tradesPerBatch) }, (_, index) => {
    const first = index * tradesPerBatch;
    const rows = Array.from({ length: tradesPerBatch }, (__, offset) => trade(first + offset));
    const [batch] = writer.write({ kind: "trades", rows }, { publishedTimeUs: START_US });
    const shape = { topicId: 1, withBase: index === 0 };
    const element = new Uint8Array(elementLength(batch, 1, shape.withBase));
    putElement(element, 0, batch, shape);
    return element.subarray(element[1] < 128 ? 2 : 3);
  });
}

/** Nanoseconds of CPU a trade, median of the rounds. */
function measure(batches, event) {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const counters = { events: 0, duplicateEvents: 0, gaps: 0, unknownTopicBatches: 0 };
    const resync = () => {
      throw new Error("a batch does not follow");
    };
    const stream = new TopicStream(INFO, { part, counters, resync });
    stream.consumers = [new Consumer([INFO.topic], { event, end: () => undefined })];
    stream.start({ topicId: 1, continuity: "new", position: { epoch: 1, sequence: 0 } });
    const before = process.cpuUsage();
    for (const batch of batches) stream.receive(batch, 0, batch.length);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / counters.events;
  });
  return Math.round(rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]);
}

let sink = 0;
const READERS = {
  "price and sequence": ({ price, sequence }) => {
    sink += price + sequence;
  },
  "every decimal": ({ price, priceText, size, sizeText, tradeId }) => {
    sink += price + size + priceText.length + sizeText.length + tradeId.length;
  },
};

for (const tradesPerBatch of [1, 16, 64]) {
  const batches = batchesOf(tradesPerBatch);
  for (const [name, event] of Object.entries(READERS)) {
    const line = `${tradesPerBatch} trades a batch, ${name}`.padEnd(42);
    process.stdout.write(`${line}${String(measure(batches, event)).padStart(6)} ns\n`);
  }
}
if (Number.isNaN(sink)) throw new Error("a price is no number");
