import { CHANNELS } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { booksBatch, FakeGateway, settle } from "../../test/fake-gateway.ts";
import { take } from "../../test/fake-session.ts";
import { createStreamsConnect } from "../streams-connect.ts";
import { LateCode } from "../host/late-code.ts";
import { StreamsClient } from "../streams/streams-client.ts";
import { BOOK_CHANNEL } from "./book-channel.ts";
import { ChannelSource } from "./channel-source.ts";
import type { ChannelPart } from "./channel.ts";
import { lateChannels } from "./late-channels.ts";
import type { SessionLink } from "../session/session-part.ts";
import { TICK_CHANNELS } from "./tick-channels.ts";

const BOOK = "binance:BTC-USDT/book";

type Arrival = {
  readonly resolve: (parts: readonly ChannelPart[]) => void;
  readonly reject: (error: Error) => void;
};

/** A client whose books come when the test says so. */
async function connectLate() {
  const gateway = new FakeGateway();
  gateway.topics.set(BOOK, { epoch: 7, sequence: 100 });
  const clock = new ManualClock();
  const arrivals: Arrival[] = [];
  const load = () =>
    new Promise<readonly ChannelPart[]>((resolve, reject) => {
      arrivals.push({ resolve, reject });
    });
  const connect = createStreamsConnect<object, StreamsClient>((session, options) => {
    const code = new LateCode(load, session.link);
    const channels = new ChannelSource(TICK_CHANNELS, [{ names: ["book"], code }]);
    return new StreamsClient(session, channels, options);
  });
  const options = { webSocket: gateway.WebSocket, clock, random: () => 0.5 };
  const client = await connect("ws://gateway.test", options);
  const deliver = () => {
    const place = { topicId: gateway.ids.get(BOOK) ?? 0, epoch: 7, firstSequence: 101 };
    gateway.socket.deliverBatch(
      booksBatch(place, [{ snapshot: true, bids: [[100, 1]], asks: [[101, 1]] }]),
    );
  };
  return { gateway, client, clock, arrivals, deliver };
}

describe("a channel whose code comes late", () => {
  test("is subscribed when it has come, once for all who wait", async () => {
    const { gateway, client, arrivals, deliver } = await connectLate();
    const first = client.book("binance:BTC-USDT");
    const second = client.book("binance:BTC-USDT");
    await settle();
    expect([arrivals.length, gateway.ids.has(BOOK)]).toEqual([1, false]);
    arrivals[0]!.resolve([BOOK_CHANNEL]);
    await settle();
    deliver();
    for (const stream of [first, second]) {
      expect((await take(stream, 1)).map(({ bbo }) => bbo.bid?.priceText)).toEqual(["100"]);
    }
  });

  test("is not subscribed for who has left meanwhile", async () => {
    const { gateway, client, arrivals } = await connectLate();
    const abort = new AbortController();
    const left = client.book("binance:BTC-USDT", { signal: abort.signal });
    abort.abort();
    expect((await left.next()).done).toBe(true);
    arrivals[0]!.resolve([BOOK_CHANNEL]);
    await settle();
    expect(gateway.ids.has(BOOK)).toBe(false);
  });

  test("ends cleanly with the client while it is awaited", async () => {
    const { client } = await connectLate();
    const stream = client.book("binance:BTC-USDT");
    client.close();
    expect((await stream.next()).done).toBe(true);
  });

  test("that cannot be had ends the stream, and who asks next tries anew", async () => {
    const { gateway, client, clock, arrivals } = await connectLate();
    const failed = client
      .book("binance:BTC-USDT")
      .next()
      .catch((error: unknown) => error);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      arrivals[attempt]!.reject(new Error("offline"));
      await settle();
      clock.advance(30_000);
      await settle();
    }
    expect(await failed).toMatchObject({
      code: "connect-failed",
      message: "the code of the channel could not be loaded",
      retryable: true,
    });
    client.onBook("binance:BTC-USDT", () => undefined);
    arrivals[3]!.resolve([BOOK_CHANNEL]);
    await settle();
    expect(gateway.ids.has(BOOK)).toBe(true);
  });

  test("is subscribed in the view that was asked for last", async () => {
    const { gateway, client, arrivals } = await connectLate();
    const stream = client.book("binance:BTC-USDT");
    stream.update({ depth: 5 });
    arrivals[0]!.resolve([BOOK_CHANNEL]);
    await settle();
    const asked = gateway.socket.sent("subscribe").flatMap(({ topics }) => topics ?? []);
    expect(asked.map(({ topic, depth }) => [topic, depth])).toEqual([[BOOK, 5]]);
  });
});

test("every channel of the schema is one that comes at once or late", () => {
  const link = { clock: new ManualClock(), random: () => 0, backoff: { baseMs: 1, maxMs: 1 } };
  const { names } = lateChannels(link as unknown as SessionLink);
  expect(names).toEqual(CHANNELS);
});
