import { connect, type Client } from "@tickwire/client";
import { WebSocket } from "ws";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Rig } from "#test/conformance/gateway-harness.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

// Every market of a large venue in one pattern, with the defaults of the gateway and the client.

/** A socket that a test can cut. */
class CutSocket extends WebSocket {
  static newest: CutSocket | undefined;

  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    CutSocket.newest = this;
  }
}

const SYMBOLS = Array.from({ length: 2_500 }, (_, index) => `S${index}-USDT`);

describe.each(TRANSPORTS)("a venue of 2,500 markets over %s", (transport) => {
  let rig: Rig;
  let client: Client;

  beforeEach(async () => {
    rig = await Rig.start(transport, { symbols: SYMBOLS });
    client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      reconnect: { baseMs: 1, maxMs: 5 },
      webSocket: CutSocket as never,
    });
  });

  afterEach(async () => {
    client.close();
    await rig.stop();
  });

  /** Until the client has been told so often that a topic goes on in this way. */
  function told(continuity: string, times: number) {
    let left = times;
    let resolve: () => void = () => undefined;
    const all = new Promise<void>((done) => {
      resolve = done;
    });
    const onNotice = (notice: { readonly type: string; readonly continuity?: string }) => {
      if (notice.type === "continuity" && notice.continuity === continuity) left -= 1;
      if (left === 0) resolve();
    };
    return { onNotice, all };
  }

  test("is subscribed with one pattern, and comes back with all its positions", async () => {
    const started = told("new", SYMBOLS.length);
    const resumed = told("resumed", SYMBOLS.length);
    const refused: string[] = [];
    const sequences = new Map<string, number[]>();
    client.onTrades(
      "fake:*",
      ({ symbol, sequence }) => {
        const seen = sequences.get(symbol);
        if (seen === undefined) sequences.set(symbol, [sequence]);
        else seen.push(sequence);
      },
      {
        onRefused: ({ message }) => refused.push(message),
        onNotice: (notice) => {
          started.onNotice(notice);
          resumed.onNotice(notice);
        },
      },
    );
    await started.all;
    const publish = (price: number) => {
      for (const symbol of SYMBOLS) rig.ingestor.publish([rig.ingestor.trade(symbol, price)]);
    };
    publish(1);
    await client.rpc.getServerTime({});
    const lost = new Promise<void>((resolve) => {
      client.onState((state) => state === "reconnecting" && resolve());
    });
    CutSocket.newest?.terminate();
    await lost;
    publish(2);
    await resumed.all;
    publish(3);
    while (sequences.get(SYMBOLS.at(-1) ?? "")?.length !== 3) await client.rpc.getServerTime({});
    expect(refused).toEqual([]);
    expect(sequences.size).toBe(SYMBOLS.length);
    expect([...sequences.values()].every((seen) => seen.join() === "1,2,3")).toBe(true);
    expect(client.counters).toMatchObject({ gaps: 0, unknownTopicBatches: 0 });
  });

  test("starts a loop over all its quotes or books without an overflow", async () => {
    for (const symbol of SYMBOLS) {
      rig.ingestor.publish([rig.ingestor.quote(symbol, 100)]);
      rig.ingestor.publish([rig.ingestor.book(symbol, 100, 1)]);
    }
    for (const stream of [client.quotes("fake:*"), client.bookEvents("fake:*")]) {
      const symbols = new Set<string>();
      for await (const { symbol } of stream) {
        symbols.add(symbol);
        if (symbols.size === SYMBOLS.length) break;
      }
      expect(stream.refusals).toEqual([]);
    }
  });
});
