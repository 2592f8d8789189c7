import { connect as dialSocket, createServer, type AddressInfo, type Socket } from "node:net";
import { connect, type Client, type LiveBook, type NoticeEvent } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { announceSubject } from "#bus/subject.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

// The published entry for Node with its default WebSocket, against a listening gateway.

let rig: Rig;
let client: Client;

async function start(): Promise<void> {
  rig = await Rig.start("node");
  client = await connect(`ws://127.0.0.1:${rig.gateway.port}`);
}

describe.each(TRANSPORTS)("a gateway below a path prefix over %s", (transport) => {
  test("is reached by an address with the prefix, for streams and calls", async () => {
    rig = await Rig.start(transport, { config: { pathPrefix: "/md" } });
    const address = `http://127.0.0.1:${rig.gateway.port}`;
    client = await connect(`${address}/md`);
    await expect(client.rpc.getServerTime({})).resolves.toBeDefined();
    const quotes = client.quotes("fake:BTC-USDT");
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 100)]);
    expect((await quotes.next()).value?.bidPriceText).toBe("1");
    await expect(connect(`${address}/elsewhere`)).rejects.toMatchObject({
      code: "connect-failed",
      message:
        `cannot reach ws://127.0.0.1:${rig.gateway.port}/elsewhere/v1/ws: the server answered 404 at ` +
        "the path /elsewhere/v1/ws: there is no WebSocket at /elsewhere/v1/ws; it is at /md/v1/ws",
    });
  });
});

afterEach(async () => {
  client.close();
  await rig.stop();
});

/** Resolves with the first notice of this kind. */
function noticed(kind: string): { onNotice: (notice: NoticeEvent) => void; seen: Promise<void> } {
  let resolve: () => void = () => undefined;
  const seen = new Promise<void>((done) => {
    resolve = done;
  });
  const onNotice = (notice: NoticeEvent) => {
    if (notice.type === "continuity" && notice.continuity === kind) resolve();
  };
  return { onNotice, seen };
}

describe("the client against a gateway", () => {
  test("receives trades that are published after it subscribed, each once", async () => {
    await start();
    const started = noticed("new");
    const trades = client.trades("fake:BTC-USDT", { onNotice: started.onNotice });
    await started.seen;
    const prices = [101, 102, 103];
    rig.ingestor.publish(prices.map((price) => rig.ingestor.trade("BTC-USDT", price)));
    const received: string[] = [];
    for await (const trade of trades) {
      received.push(`${trade.sequence} ${trade.priceText} ${trade.venueSymbol}`);
      if (received.length === prices.length) break;
    }
    expect(received).toEqual(["1 1.01 BTCUSDT", "2 1.02 BTCUSDT", "3 1.03 BTCUSDT"]);
  });

  test("keeps a book equal to the ingestor's", async () => {
    await start();
    for (const price of [100, 101, 102]) {
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, price)]);
    }
    const books = client.book("fake:BTC-USDT");
    const next = async (): Promise<LiveBook> => {
      const { value } = await books.next();
      if (value === undefined) throw new Error("the stream ended");
      return value;
    };
    let book = await next();
    expect(book.bids.map(({ priceMantissa }) => priceMantissa)).toEqual([102, 101, 100]);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 101, 0)]);
    while (book.sequence < 4) book = await next();
    expect([...rig.ingestor.bids("BTC-USDT")]).toEqual([
      ["100", 100],
      ["102", 102],
    ]);
    expect(book.bids.map(({ priceText, sizeText }) => [priceText, sizeText])).toEqual([
      ["1.02", "102"],
      ["1", "100"],
    ]);
  });

  test("a pattern covers every instrument", async () => {
    await start();
    const quotes = client.quotes("fake:*");
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 100)]);
    rig.ingestor.publish([rig.ingestor.quote("ETH-USDT", 200)]);
    const symbols = new Set<string>();
    for await (const quote of quotes) {
      symbols.add(`${quote.symbol} ${quote.bidPriceText}`);
      if (symbols.size === 2) break;
    }
    expect([...symbols].sort()).toEqual(["BTC-USDT 1", "ETH-USDT 2"]);
  });

  test("that is there before the venue's list gets its topics when the list is there", async () => {
    rig = await Rig.start("node", { symbols: [] });
    rig.ingestor.incomplete = true;
    rig.ingestor.list(["ETH-USDT"]);
    await rig.settle();
    client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      reconnect: { baseMs: 20, maxMs: 20 },
    });
    const [waits, begins, alias] = [noticed("unavailable"), noticed("new"), noticed("new")];
    const named = client.trades("fake:BTC-USDT", {
      onNotice: (notice) => {
        waits.onNotice(notice);
        begins.onNotice(notice);
      },
    });
    const byVenueSymbol = client.trades("fake:BTCUSDT", { onNotice: alias.onNotice });
    await waits.seen;
    rig.ingestor.incomplete = false;
    rig.ingestor.list(["BTC-USDT", "ETH-USDT"]);
    await Promise.all([begins.seen, alias.seen]);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 101)]);
    const { topic } = (await named.next()).value ?? {};
    expect(topic).toBe("fake:BTC-USDT/trades");
    expect((await byVenueSymbol.next()).value).toMatchObject({ topic, priceText: "1.01" });
  });

  test("refuses an unknown topic with a typed error", async () => {
    await start();
    await expect(client.trades("fake:NO-SUCH").next()).rejects.toMatchObject({
      name: "TopicRefusedError",
      code: "topic-unknown-symbol",
    });
  });

  test("a lost event on the bus is told as a gap", async () => {
    await start();
    const gaps: NoticeEvent[] = [];
    const started = noticed("new");
    const trades = client.trades("fake:BTC-USDT", {
      onNotice: (notice) => {
        started.onNotice(notice);
        if (notice.type === "gap") gaps.push(notice);
      },
    });
    await started.seen;
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 2)], { lost: true });
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 3)]);
    const received: number[] = [];
    for await (const trade of trades) {
      received.push(trade.sequence);
      if (received.length === 2) break;
    }
    expect(received).toEqual([1, 3]);
    expect(gaps).toMatchObject([{ missingFirst: 2, missingLast: 2, reason: "server-dropped" }]);
  });

  test("calls are typed and answered on the same socket", async () => {
    await start();
    const { instruments } = await client.rpc.listInstruments({ venue: "fake" });
    expect(instruments.map(({ symbol }) => symbol)).toEqual(["BTC-USDT", "ETH-USDT"]);
    const missing = client.rpc.getInstrument({ venue: "fake", symbol: "NO-SUCH" });
    await expect(missing).rejects.toMatchObject({ code: "not-found", sent: true });
    const replay = client.rpc.replay({ topic: "fake:BTC-USDT/trades" })[Symbol.asyncIterator]();
    await expect(replay.next()).rejects.toMatchObject({ code: "unimplemented" });
  });

  test("outlives an ingestor that has just started and has no catalog yet", async () => {
    await start();
    const started = noticed("new");
    const trades = client.trades("fake:BTC-USDT", { onNotice: started.onNotice });
    await started.seen;
    const known = [...rig.ingestor.instruments];
    rig.ingestor.instruments.clear();
    const announcement = { ingestorId: "two", venue: "fake", catalogVersion: 0 };
    rig.bus.publish(announceSubject("fake"), encodeAnnouncement(announcement));
    await rig.settle();
    for (const [symbol, instrument] of known) rig.ingestor.instruments.set(symbol, instrument);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 101)]);
    expect((await trades.next()).value?.sequence).toBe(1);
  });

  test("loses and doubles nothing when its connection is cut again and again", async () => {
    await start();
    client.close();
    const wire = await Wire.open(rig.gateway.port);
    // By WebSocket alone: over HTTP a cut connection is nothing that a session notices.
    const reconnect = { baseMs: 1, maxMs: 5 };
    client = await connect(`ws://127.0.0.1:${wire.port}`, { reconnect, transport: "websocket" });
    const sequences: number[] = [];
    const continuity: string[] = [];
    let told: () => void = () => undefined;
    const next = () =>
      new Promise<void>((resolve) => {
        told = resolve;
      });
    const started = next();
    client.onTrades("fake:BTC-USDT", (trade) => sequences.push(trade.sequence), {
      onNotice: (notice) => {
        continuity.push(notice.type === "continuity" ? notice.continuity : notice.type);
        told();
      },
    });
    await started;
    for (let round = 0; round < 10; round += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 100 + round)]);
      const back = next();
      wire.cut();
      rig.ingestor.publish([1, 2].map((price) => rig.ingestor.trade("BTC-USDT", price)));
      await back;
    }
    const last = next();
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)], { lost: true });
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 2)]);
    await last;
    while (sequences.at(-1) !== 32) await client.rpc.getServerTime({});
    expect(sequences).toEqual([...Array.from({ length: 30 }, (_, index) => index + 1), 32]);
    expect(continuity).toEqual(["new", ...Array.from({ length: 10 }, () => "resumed"), "gap"]);
    expect(client.counters).toMatchObject({ events: 31, duplicateEvents: 0 });
    client.close();
    await wire.close();
  });
});

/** A network between a client and the gateway that can be cut. */
class Wire {
  readonly port: number;
  readonly #sockets: Set<Socket>;
  readonly #close: () => Promise<void>;

  private constructor(port: number, sockets: Set<Socket>, close: () => Promise<void>) {
    this.port = port;
    this.#sockets = sockets;
    this.#close = close;
  }

  static async open(gatewayPort: number): Promise<Wire> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = dialSocket(gatewayPort, "127.0.0.1");
      for (const socket of [near, far]) {
        sockets.add(socket);
        // A cut shows as an error on the other side; the client tells of it.
        socket.on("error", () => undefined);
        socket.once("close", () => {
          sockets.delete(socket);
          (socket === near ? far : near).destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const close = () => new Promise<void>((resolve) => void server.close(() => resolve()));
    return new Wire((server.address() as AddressInfo).port, sockets, close);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    this.cut();
    return this.#close();
  }
}
