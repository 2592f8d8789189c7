// The Connect project's own clients against a gateway, over both transports.
import { Buffer } from "node:buffer";
import path from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport as createNodeClient,
} from "@connectrpc/connect-node";
import { createConnectTransport as createWebClient } from "@connectrpc/connect-web";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { runBuf } from "#test/support/wire-schema.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "../gateway-harness.ts";

type AnyMessage = Message & Readonly<Record<string, unknown>>;
type Options = { readonly signal?: AbortSignal; readonly timeoutMs?: number };
/** A client whose methods are known by the schema alone, which is read while the test runs. */
type AnyClient = Readonly<
  Record<string, (request: object, options?: Options) => Promise<AnyMessage>>
> & { replay(request: object, options?: Options): AsyncIterable<AnyMessage> };

const PROTO = path.join(import.meta.dirname, "../../../proto");

let service: DescService;
let errorDetail: DescMessage;
beforeAll(() => {
  const descriptors = runBuf(PROTO, ["build", "--as-file-descriptor-set", "-o", "-"]);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  service = registry.getService("tickwire.v1.MarketData") as DescService;
  errorDetail = registry.getMessage("tickwire.v1.ErrorDetail") as DescMessage;
});

const CLIENTS: readonly (readonly [string, (baseUrl: string) => Transport])[] = [
  ["connect-node, protobuf", (baseUrl) => createNodeClient({ baseUrl, httpVersion: "1.1" })],
  [
    "connect-node, JSON and gzip from the first byte",
    (baseUrl) =>
      createNodeClient({
        baseUrl,
        httpVersion: "1.1",
        useBinaryFormat: false,
        compressMinBytes: 0,
        sendCompression: compressionGzip,
      }),
  ],
  [
    "connect-node by GET",
    (baseUrl) => createNodeClient({ baseUrl, httpVersion: "1.1", useHttpGet: true }),
  ],
  ["connect-web, JSON", (baseUrl) => createWebClient({ baseUrl })],
  [
    "connect-web by GET, protobuf",
    (baseUrl) => createWebClient({ baseUrl, useHttpGet: true, useBinaryFormat: true }),
  ],
];

/** The code that a call fails with; undefined if it succeeds. */
async function codeOf(call: Promise<unknown> | undefined): Promise<Code | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  describe.each(CLIENTS)("%s", (_, transportTo) => {
    let rig: Rig;
    afterEach(() => rig.stop());

    const start = async (config: Parameters<typeof Rig.start>[1] = {}): Promise<AnyClient> => {
      rig = await Rig.start(transport, config);
      return createClient(
        service,
        transportTo(`${rig.url}${config.config?.pathPrefix ?? ""}`),
      ) as unknown as AnyClient;
    };

    test("every unary method answers", async () => {
      // Everything is compressed that may be.
      const client = await start({ config: { compressBytesMin: 1, pathPrefix: "/md" } });
      rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 150)]);
      rig.ingestor.channels.push("candles");
      rig.ingestor.list(["BTC-USDT", "ETH-USDT"]);
      await rig.settle();
      const where = { venue: "fake", symbol: "BTC-USDT" };
      expect(await client["listInstruments"]?.({})).toMatchObject({
        instruments: [{ symbol: "BTC-USDT" }, { symbol: "ETH-USDT" }],
      });
      expect(await client["getInstrument"]?.(where)).toMatchObject({
        instrument: { symbol: "BTC-USDT" },
      });
      expect(await client["getSnapshot"]?.(where)).toMatchObject({ quote: { bidPrice: "1.5" } });
      expect(await client["getTrades"]?.(where)).toMatchObject({ trades: [{ price: "1.5" }] });
      expect((await client["getCandles"]?.(where))?.["candles"]).toHaveLength(1);
      expect((await client["getStatus"]?.({ venue: "fake" }))?.["statuses"]).toHaveLength(1);
      expect(await client["getServerTime"]?.({})).toMatchObject({
        serverTimeUs: BigInt(rig.clock.nowUs()),
      });
    });

    test("an error has its code, message and detail", async () => {
      const client = await start();
      const error: unknown = await client["getInstrument"]?.({ venue: "fake", symbol: "X" }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ConnectError);
      const { code, rawMessage, details } = error as ConnectError;
      expect([code, rawMessage]).toEqual([Code.NotFound, "fake has no X here"]);
      const [detail] = details as { type: string; value: Uint8Array }[];
      expect(detail?.type).toBe("tickwire.v1.ErrorDetail");
      expect(fromBinary(errorDetail, Buffer.from(detail?.value ?? []))).toMatchObject({
        reason: "UNKNOWN_SYMBOL",
      });
    });

    test("a stream ends with the error that the method gives", async () => {
      const client = await start();
      const read = async (): Promise<void> => {
        for await (const response of client.replay({})) expect(response).toBe("none");
      };
      await expect(read()).rejects.toMatchObject({ code: Code.Unimplemented });
    });

    test("a call that the client gives up is given up by the gateway", async () => {
      const client = await start();
      rig.ingestor.held = [];
      const abort = new AbortController();
      const where = { venue: "fake", symbol: "BTC-USDT" };
      const call = client["getTrades"]?.(where, { signal: abort.signal });
      const outcome = codeOf(call);
      while (rig.ingestor.held.length === 0) await rig.settle();
      abort.abort();
      expect(await outcome).toBe(Code.Canceled);
      const canceled = async (): Promise<boolean> => {
        const metric = await rig.registry.getSingleMetric("tickwire_gateway_calls_total")?.get();
        return metric?.values.some(({ labels }) => labels["code"] === "canceled") ?? false;
      };
      while (!(await canceled())) await rig.settle();
    });

    test("a deadline travels with the call", async () => {
      const client = await start();
      rig.ingestor.held = [];
      const where = { venue: "fake", symbol: "BTC-USDT" };
      const call = client["getTrades"]?.(where, { timeoutMs: 30_000 });
      const outcome = codeOf(call);
      while (rig.ingestor.held.length === 0) await rig.settle();
      rig.clock.advance(30_000);
      expect(await outcome).toBe(Code.DeadlineExceeded);
    });
  });
});
