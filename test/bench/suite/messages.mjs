// CPU nanoseconds of control messages and RPC messages by the project's codecs, beside protobufjs's
// generated classes on the same bytes.
import {
  ClientFrameCodec,
  GetTradesResponseCodec,
  ListInstrumentsResponseCodec,
  ServerMessageCodec,
  TickerCodec,
} from "@tickwire/proto/messages";
import { tickwire } from "@tickwire/proto/protobufjs";
import { alternate, row } from "./measure.mjs";

const wire = tickwire.v1;
const TIME_US = 1_767_225_600_000_000;
const TOPICS = 20;

const requests = Array.from({ length: TOPICS }, (_, index) => ({
  topic: `binance:SYM${index}-USDT/trades`,
  depth: 0,
  conflationIntervalMs: 0,
  resume: { epoch: 1_767_225_600_000 + index, sequence: 1_000 * index },
}));
const instruments = requests.map((_, index) => ({
  venue: "binance",
  symbol: `SYM${index}-USDT`,
  venueSymbol: `SYM${index}USDT`,
}));
const topicResults = instruments.map((instrument, index) => ({
  ...instrument,
  requestIndex: index,
  topic: requests[index].topic,
  topicId: index + 1,
  channel: 1,
  position: requests[index].resume,
  continuity: 1,
}));

const subscribe = { requestId: 7, topics: requests };
const ours = (kind, value) => ({ messages: [{ message: { kind, value } }] });
const bytes = {
  subscribe: wire.ClientFrame.encode({ messages: [{ subscribe }] }).finish(),
  result: wire.ServerMessage.encode({
    subscribeResult: { requestId: 7, topics: topicResults },
  }).finish(),
  pong: wire.ServerMessage.encode({ pong: { nonce: 12_345, serverTimeUs: TIME_US } }).finish(),
  instruments: wire.ListInstrumentsResponse.encode({
    instruments: instruments.map((instrument) => ({
      ...instrument,
      base: "SYM",
      quote: "USDT",
      kind: 1,
      channels: [1, 2, 3],
      priceIncrement: "0.01",
      sizeIncrement: "0.000001",
    })),
  }).finish(),
  trades: wire.GetTradesResponse.encode({
    trades: requests.map((_, index) => ({
      sequence: 1_000 + index,
      venueTimeUs: TIME_US + index,
      receivedTimeUs: TIME_US + 100 + index,
      price: `42000.1${index}`,
      size: "0.5",
      aggressorSide: 1 + (index % 2),
      tradeId: String(99_999 + index),
    })),
  }).finish(),
  ticker: wire.Ticker.encode({
    lastPrice: "42000.12",
    lastSize: "0.1",
    openPrice: "41000",
    highPrice: "43000.5",
    lowPrice: "40000.25",
    volume: "1234567.1",
    quoteVolume: "9876543210.12",
    bidPrice: "42000.11",
    askPrice: "42000.12",
  }).finish(),
};
const ticker = TickerCodec.decode(bytes.ticker);
const frames = { subscribe: ours("subscribe", subscribe), ping: ours("ping", { nonce: 12_345 }) };

/** Name, how often a round runs it, ours, protobufjs's. */
const cases = [
  [
    `encode Subscribe of ${TOPICS} topics`,
    2_000,
    () => ClientFrameCodec.encode(frames.subscribe),
    () => wire.ClientFrame.encode({ messages: [{ subscribe }] }).finish(),
  ],
  [
    `decode Subscribe of ${TOPICS} topics`,
    2_000,
    () => ClientFrameCodec.decode(bytes.subscribe),
    () => wire.ClientFrame.decode(bytes.subscribe),
  ],
  [
    `decode SubscribeResult of ${TOPICS} topics`,
    2_000,
    () => ServerMessageCodec.decode(bytes.result),
    () => wire.ServerMessage.decode(bytes.result),
  ],
  [
    "encode Ping",
    50_000,
    () => ClientFrameCodec.encode(frames.ping),
    () => wire.ClientFrame.encode({ messages: [{ ping: { nonce: 12_345 } }] }).finish(),
  ],
  [
    "decode Pong",
    50_000,
    () => ServerMessageCodec.decode(bytes.pong),
    () => wire.ServerMessage.decode(bytes.pong),
  ],
  [
    `decode ${TOPICS} instruments`,
    2_000,
    () => ListInstrumentsResponseCodec.decode(bytes.instruments),
    () => wire.ListInstrumentsResponse.decode(bytes.instruments),
  ],
  [
    `decode ${TOPICS} trades`,
    2_000,
    () => GetTradesResponseCodec.decode(bytes.trades),
    () => wire.GetTradesResponse.decode(bytes.trades),
  ],
  [
    "encode a ticker",
    50_000,
    () => TickerCodec.encode(ticker),
    () => wire.Ticker.encode(ticker).finish(),
  ],
  [
    "decode a ticker",
    50_000,
    () => TickerCodec.decode(bytes.ticker),
    () => wire.Ticker.decode(bytes.ticker),
  ],
];

function repeat(run, count) {
  return () => {
    for (let index = 0; index < count; index += 1) run();
    return count;
  };
}

export const about = "control messages and calls, beside protobufjs's generated classes";

export async function run({ rounds, quick, only = "" }) {
  const rows = [];
  for (const [name, countOfAll, ourRun, oracleRun] of cases) {
    if (!name.includes(only)) continue;
    const count = quick ? 20 : countOfAll;
    const samples = await alternate(
      { tickwire: repeat(ourRun, count), protobufjs: repeat(oracleRun, count) },
      { rounds },
    );
    const reference = samples.protobufjs;
    rows.push(row(name, "protobufjs", "ns/message", reference));
    rows.push(row(name, "tickwire", "ns/message", samples.tickwire, { reference }));
  }
  return rows;
}
