// What the `client` benchmark does, in Node and in a browser alike: trades from the bytes of a
// frame to a callback, and beside it the same trades as JSON and as protobufjs reads them.
import { BatchWriter, elementLength, putElement, topicIdOf } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import { tickwire } from "@tickwire/proto/protobufjs";
import {
  FrameCodec,
  FrameReader,
  SESSION_MEMBERS,
} from "../../../clients/typescript/dist/session/frame.js";
import { Consumer } from "../../../clients/typescript/dist/topics/consumer.js";
import { createStreamCounters } from "../../../clients/typescript/dist/topics/stream-counters.js";
import { TICK_CHANNELS } from "../../../clients/typescript/dist/topics/tick-channels.js";
import { TopicStream } from "../../../clients/typescript/dist/topics/topic-stream.js";
import { tradeAt, TRADES_FROM_US } from "../../support/steady-trade.mjs";

const INFO = { topic: "v:A/trades", venue: "v", symbol: "A", venueSymbol: "A", channel: "trades" };
const part = TICK_CHANNELS.find(({ name }) => name === INFO.channel);

/** So many trades in batches of a size. */
export function batchesOf(trades, tradesPerBatch) {
  return Array.from({ length: Math.floor(trades / tradesPerBatch) }, (_, batch) =>
    Array.from({ length: tradesPerBatch }, (__, index) => tradeAt(batch * tradesPerBatch + index)),
  );
}

/** Chained batches as a subscriber gets them, each as a frame. */
export function framesOf(batches) {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  return batches.map((rows, index) => {
    const [batch] = writer.write({ kind: "trades", rows }, { publishedTimeUs: TRADES_FROM_US });
    const shape = { topicId: 1, withBase: index === 0 };
    const frame = new Uint8Array(elementLength(batch, 1, shape.withBase));
    putElement(frame, 0, batch, shape);
    return frame;
  });
}

const textOf = (row) => ({
  venueTimeUs: row.venueTimeUs,
  receivedTimeUs: row.receivedTimeUs,
  price: formatDecimal(row.priceMantissa, row.priceScale),
  size: formatDecimal(row.sizeMantissa, row.sizeScale),
  aggressorSide: row.aggressorSide,
  tradeId: row.tradeId,
});

/** A topic of the client that calls back for each trade of the frames that are read. */
export function createTopic(event) {
  const counters = createStreamCounters();
  const fail = () => {
    throw new Error("a batch does not follow");
  };
  const stream = new TopicStream(INFO, { part, counters, resync: fail, moved: fail });
  stream.consumers = [new Consumer([INFO.topic], { event, end: () => undefined })];
  stream.start({ topicId: 1, continuity: "new", position: { epoch: 1, sequence: 0 } });
  const streams = new Map([[1, stream]]);
  const reader = new FrameReader(new FrameCodec([SESSION_MEMBERS]), {
    message: fail,
    batch: (bytes, start, end) =>
      streams.get(topicIdOf(bytes, start, end)).receive(bytes, start, end),
  });
  return { counters, read: (frame) => reader.read(frame) };
}

/** A message an event, as one would define it without columns. */
function protobufOf(rows) {
  const trades = rows.map((row, index) => ({
    ...textOf(row),
    sequence: index,
    aggressorSide: tickwire.v1.AggressorSide.AGGRESSOR_SIDE_BUYER,
  }));
  return tickwire.v1.GetTradesResponse.encode({ trades }).finish();
}

/**
 * The candidates for so many trades in batches of a size. Each reads all of them, looks at every
 * decimal of each, and returns how many there were.
 */
export function createWork(trades, tradesPerBatch) {
  const batches = batchesOf(trades, tradesPerBatch);
  const frames = framesOf(batches);
  const texts = batches.map((rows) => JSON.stringify(rows.map(textOf)));
  const messages = batches.map(protobufOf);
  let seen = 0;
  // A page has a client all the time. Without one, V8 forgets what its code was compiled for.
  const kept = { event: undefined, read: undefined };
  const client = () => {
    const { counters, read } = createTopic((event) => {
      const { price, priceText, size, sizeText, tradeId } = event;
      seen += price + size + priceText.length + sizeText.length + tradeId.length;
      kept.event = event;
    });
    kept.read = read;
    for (const frame of frames) read(frame);
    return counters.events;
  };
  return {
    client,
    "client again": client,
    "JSON.parse": () => {
      let count = 0;
      for (const text of texts) {
        for (const { price, size, tradeId } of JSON.parse(text)) {
          seen += price.length + size.length + tradeId.length;
          count += 1;
        }
      }
      return count;
    },
    protobufjs: () => {
      let count = 0;
      for (const bytes of messages) {
        for (const { price, size, tradeId } of tickwire.v1.GetTradesResponse.decode(bytes).trades) {
          seen += price.length + size.length + tradeId.length;
          count += 1;
        }
      }
      if (Number.isNaN(seen)) throw new Error("a price is no number");
      return count;
    },
  };
}
