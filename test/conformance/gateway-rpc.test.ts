import { Buffer } from "node:buffer";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, describe, expect, test } from "vitest";
import { announceSubject } from "#bus/subject.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import { Rig } from "./gateway-harness.ts";
import type { RawClient } from "./gateway-raw-client.ts";

const v1 = tickwire.v1;
const { Code } = v1;

describe.each(TRANSPORTS)("RPC over %s", (transport) => {
  let rig: Rig;
  let lastCallId = 0;
  afterEach(() => rig.stop());

  const start = async (options?: Parameters<typeof Rig.start>[1]) => {
    rig = await Rig.start(transport, options);
    lastCallId = 0;
    return rig;
  };

  function call(
    client: RawClient,
    method: string,
    request: Uint8Array,
    timeoutMs = 0,
  ): { callId: number; reply: Promise<tickwire.v1.IReply> } {
    const callId = ++lastCallId;
    const name = method.includes("/") ? method : `tickwire.v1.MarketData/${method}`;
    client.send({ call: { callId, method: name, request, timeoutMs } });
    const find = () =>
      client.messages.find(
        (message) => message.reply?.callId === callId && message.reply.status !== null,
      );
    const reply = client.until(() => find() !== undefined).then(() => find()?.reply ?? {});
    return { callId, reply };
  }

  const post = (method: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${rig.url}/tickwire.v1.MarketData/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: body as NonNullable<RequestInit["body"]>,
    });

  test("every method answers over the socket", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 150)]);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 149, 3)]);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 151, 4)]);
    const client = await rig.client();
    const ask = async (method: string, request: Uint8Array): Promise<Uint8Array> => {
      const reply = await call(client, method, request).reply;
      expect(reply.status?.code ?? 0).toBe(Code.CODE_UNSPECIFIED);
      return reply.response ?? new Uint8Array();
    };
    const empty = new Uint8Array();
    const list = v1.ListInstrumentsResponse.decode(await ask("ListInstruments", empty));
    expect(list.instruments?.map((instrument) => instrument.symbol)).toEqual([
      "BTC-USDT",
      "ETH-USDT",
    ]);
    const byVenueSymbol = v1.GetInstrumentRequest.encode({ venue: "fake", symbol: "ETHUSDT" });
    const one = v1.GetInstrumentResponse.decode(await ask("GetInstrument", byVenueSymbol.finish()));
    expect(one.instrument?.symbol).toBe("ETH-USDT");
    const where = { venue: "fake", symbol: "BTC-USDT" };
    const snapshotRequest = v1.GetSnapshotRequest.encode({ ...where, depth: 1 }).finish();
    const snapshot = v1.GetSnapshotResponse.decode(await ask("GetSnapshot", snapshotRequest));
    expect(snapshot.quote).toMatchObject({ bidPrice: "1.5", askPrice: "1.51", askSize: "2" });
    expect(snapshot.book?.bids).toMatchObject([{ price: "1.51", size: "4" }]);
    expect(Number(snapshot.book?.sequence)).toBe(2);
    expect(snapshot.trade?.price).toBe("1.5");
    expect(snapshot.ticker).toBeNull();
    rig.ingestor.channels.push("candles");
    rig.ingestor.list(["BTC-USDT", "ETH-USDT"]);
    await rig.settle();
    const trades = v1.GetTradesRequest.encode(where).finish();
    expect(v1.GetTradesResponse.decode(await ask("GetTrades", trades)).trades).toHaveLength(1);
    const candles = v1.GetCandlesRequest.encode(where).finish();
    expect(v1.GetCandlesResponse.decode(await ask("GetCandles", candles)).candles).toHaveLength(1);
    const status = v1.GetStatusRequest.encode({ venue: "fake" }).finish();
    expect(v1.GetStatusResponse.decode(await ask("GetStatus", status)).statuses).toHaveLength(1);
    const time = v1.GetServerTimeResponse.decode(await ask("GetServerTime", empty));
    expect(Number(time.serverTimeUs)).toBe(rig.clock.nowUs());
  });

  test("the health of a venue is its ingestor's, with how long the bus takes to here", async () => {
    await start();
    const client = await rig.client();
    const healthOf = async (health: boolean) => {
      const request = v1.GetStatusRequest.encode({ venue: "fake", health }).finish();
      const { response } = await call(client, "GetStatus", request).reply;
      return v1.GetStatusResponse.decode(response ?? new Uint8Array()).health;
    };
    expect(await healthOf(false)).toEqual([]);
    const [quiet] = await healthOf(true);
    expect([quiet?.publisherId, Number(quiet?.gaps)]).toEqual([rig.ingestor.publisherId, 7]);
    expect(quiet?.publishedToGateway).toBeNull();
    await client.subscribe("fake:BTC-USDT/trades");
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    await client.until(() => client.batches.length > 0);
    const [heard] = await healthOf(true);
    expect(Number(heard?.publishedToGateway?.count)).toBe(1);
    expect(heard?.venueToReceived).toBeNull();
  });

  test.each<[string, string, Uint8Array, tickwire.v1.Code]>([
    ["an unknown method", "Nothing", new Uint8Array(), Code.CODE_UNIMPLEMENTED],
    ["another service", "a.B/C", new Uint8Array(), Code.CODE_UNIMPLEMENTED],
    ["history", "Replay", new Uint8Array(), Code.CODE_UNIMPLEMENTED],
    ["bad bytes", "GetTrades", Buffer.from([0x0a, 0x7f]), Code.CODE_INVALID_ARGUMENT],
    [
      "an unknown instrument",
      "GetInstrument",
      v1.GetInstrumentRequest.encode({ venue: "fake", symbol: "X" }).finish(),
      Code.CODE_NOT_FOUND,
    ],
    [
      "a limit above the maximum",
      "GetTrades",
      v1.GetTradesRequest.encode({ venue: "fake", symbol: "BTC-USDT", pageSize: 1001 }).finish(),
      Code.CODE_INVALID_ARGUMENT,
    ],
  ])("%s is a typed error and the session goes on", async (_, method, request, code) => {
    await start();
    const client = await rig.client();
    const reply = await call(client, method, request).reply;
    expect(reply.status?.code).toBe(code);
    expect(reply.status?.message).not.toBe("");
    await client.roundTrip();
  });

  test("an ingestor that does not answer in time is UNAVAILABLE, a shorter deadline DEADLINE_EXCEEDED", async () => {
    await start({ config: { queryTimeoutMs: 500 } });
    rig.ingestor.held = [];
    const client = await rig.client();
    const request = v1.GetTradesRequest.encode({ venue: "fake", symbol: "BTC-USDT" }).finish();
    const patient = call(client, "GetTrades", request, 10_000).reply;
    const hasty = call(client, "GetTrades", request, 100).reply;
    while (rig.ingestor.held.length < 2) await rig.settle();
    rig.clock.advance(100);
    expect((await hasty).status?.code).toBe(Code.CODE_DEADLINE_EXCEEDED);
    rig.clock.advance(400);
    const { status } = await patient;
    expect(status?.code).toBe(Code.CODE_UNAVAILABLE);
    expect(status?.details?.[0]?.type_url).toMatch(/\/tickwire\.v1\.ErrorDetail$/);
    const detail = v1.ErrorDetail.decode(status?.details?.[0]?.value ?? new Uint8Array());
    expect(detail).toMatchObject({ reason: "INGESTOR_UNAVAILABLE", retryAfterMs: 1_000 });
  });

  test("calls up to concurrentCallsMax run at once, one more is refused; a cancelled one makes room", async () => {
    await start({ config: { concurrentCallsMax: 3 } });
    rig.ingestor.held = [];
    const client = await rig.client();
    const request = v1.GetTradesRequest.encode({ venue: "fake", symbol: "BTC-USDT" }).finish();
    const running = [1, 2, 3].map(() => call(client, "GetTrades", request));
    const refused = call(client, "GetTrades", request);
    expect((await refused.reply).status?.code).toBe(Code.CODE_RESOURCE_EXHAUSTED);
    const [first] = running;
    client.send({ cancel: { callId: first?.callId ?? 0 } }, { cancel: { callId: 99 } });
    expect((await first?.reply)?.status?.code).toBe(Code.CODE_CANCELLED);
    const next = call(client, "GetServerTime", new Uint8Array());
    expect((await next.reply).status?.code ?? 0).toBe(0);
    const { held } = rig.ingestor;
    rig.ingestor.held = undefined;
    for (const answer of held) answer();
    for (const { reply } of running.slice(1)) expect((await reply).response).not.toBeNull();
  });

  test("instruments come in pages without repetition", async () => {
    const symbols = Array.from({ length: 25 }, (_, index) => `C${index}-USDT`);
    await start({ symbols });
    const seen: string[] = [];
    let pageToken = "";
    do {
      const body = JSON.stringify({ pageSize: 10, pageToken });
      const page = (await (await post("ListInstruments", body)).json()) as {
        instruments: { symbol: string }[];
        nextPageToken?: string;
      };
      expect(page.instruments.length).toBeLessThanOrEqual(10);
      seen.push(...page.instruments.map((instrument) => instrument.symbol));
      pageToken = page.nextPageToken ?? "";
    } while (pageToken !== "");
    expect(seen).toEqual([...symbols].sort());
    const foreign = await post("ListInstruments", '{"pageToken":"!!"}');
    expect(foreign.status).toBe(400);
    const large = await post("ListInstruments", '{"pageSize":1001}');
    expect(large.status).toBe(400);
  });

  describe("by HTTP", () => {
    test("JSON in, JSON out, 64-bit integers as text", async () => {
      await start();
      const response = await post("GetServerTime", "{}", { "connect-protocol-version": "1" });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.json()).toEqual({ serverTimeUs: String(rig.clock.nowUs()) });
    });

    test("protobuf in, protobuf out", async () => {
      await start();
      const request = v1.GetInstrumentRequest.encode({
        venue: "fake",
        symbol: "BTC-USDT",
      }).finish();
      const response = await post("GetInstrument", request, {
        "content-type": "application/proto",
      });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/proto");
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(v1.GetInstrumentResponse.decode(bytes).instrument?.venueSymbol).toBe("BTCUSDT");
    });

    test.each([
      [
        "a field that is not in the schema",
        "GetInstrument",
        '{"nonsense":1}',
        400,
        "invalid_argument",
      ],
      ["text that is not JSON", "GetInstrument", "{", 400, "invalid_argument"],
      ["text of brackets alone", "GetInstrument", "[".repeat(20_000), 400, "invalid_argument"],
      ["an unknown instrument", "GetInstrument", '{"venue":"fake","symbol":"X"}', 404, "not_found"],
      ["an unknown method", "Nothing", "{}", 404, "unimplemented"],
    ])("%s", async (_, method, body, status, code) => {
      await start();
      const response = await post(method, body);
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.json()).toMatchObject({ code, message: expect.stringMatching(/./) });
    });

    test.each([
      ["another content type", { "content-type": "text/plain" }, 415],
      ["the gRPC content type", { "content-type": "application/grpc" }, 415],
      ["another protocol version", { "connect-protocol-version": "2" }, 400],
      ["a timeout that is no number", { "connect-timeout-ms": "soon" }, 400],
      ["a body in another compression than gzip", { "content-encoding": "br" }, 501],
      ["a body that is not the gzip that it should be", { "content-encoding": "gzip" }, 400],
    ])("%s", async (_, headers, status) => {
      await start();
      expect((await post("GetServerTime", "{}", headers)).status).toBe(status);
    });

    test("an error carries its detail as the Connect protocol writes it", async () => {
      await start();
      const response = await post("GetInstrument", '{"venue":"fake","symbol":"X"}');
      const { details } = (await response.json()) as { details: { type: string; value: string }[] };
      expect(details[0]?.type).toBe("tickwire.v1.ErrorDetail");
      const bytes = Buffer.from(details[0]?.value ?? "", "base64");
      const detail = v1.ErrorDetail.decode(bytes);
      expect(detail.reason).toBe("UNKNOWN_SYMBOL");
      expect(detail.metadata).toEqual({ alternatives: "" });
    });

    test.each([
      ["fake", "BTCUSD", 404, "UNKNOWN_SYMBOL", "BTC-USDT"],
      ["nowhere", "BTC-USDT", 404, "UNKNOWN_VENUE", "fake late"],
      ["late", "BTC-USDT", 503, "NOT_READY", undefined],
    ])("%s:%s is %i, %s", async (venue, symbol, status, reason, alternatives) => {
      await start();
      const late = { ingestorId: "late", venue: "late", catalogVersion: 0 };
      rig.bus.publish(announceSubject("late"), encodeAnnouncement(late));
      await rig.settle();
      const response = await post("GetSnapshot", JSON.stringify({ venue, symbol }));
      expect(response.status).toBe(status);
      const { details } = (await response.json()) as { details: { value: string }[] };
      const bytes = Buffer.from(details[0]?.value ?? "", "base64");
      const detail = v1.ErrorDetail.decode(bytes);
      expect([detail.reason, detail.metadata["alternatives"]]).toEqual([reason, alternatives]);
    });

    test("a streaming method has no unary HTTP form", async () => {
      await start();
      expect((await post("Replay", "{}")).status).toBe(415);
    });

    test("GET asks what has no side effects", async () => {
      await start();
      const query = `encoding=json&message=${encodeURIComponent('{"venue":"fake","symbol":"ETH-USDT"}')}`;
      const path = `${rig.url}/tickwire.v1.MarketData/GetInstrument`;
      const response = await fetch(`${path}?${query}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ instrument: { symbol: "ETH-USDT" } });
      const head = await fetch(`${path}?${query}`, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
      expect((await fetch(path)).status).toBe(415);
    });

    test("another method is 405 with Allow", async () => {
      await start();
      const path = `${rig.url}/tickwire.v1.MarketData/`;
      const response = await fetch(`${path}GetServerTime`, { method: "PUT" });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET, HEAD, POST, OPTIONS");
      const stream = await fetch(`${path}Replay`);
      expect([stream.status, stream.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    });

    test("a deadline that passes is 504 deadline_exceeded", async () => {
      await start({ config: { queryTimeoutMs: 5_000 } });
      rig.ingestor.held = [];
      const body = '{"venue":"fake","symbol":"BTC-USDT"}';
      const response = post("GetTrades", body, { "connect-timeout-ms": "100" });
      while (rig.ingestor.held.length === 0) await rig.settle();
      rig.clock.advance(100);
      expect((await response).status).toBe(504);
      expect(await (await response).json()).toMatchObject({ code: "deadline_exceeded" });
    });
  });
});
