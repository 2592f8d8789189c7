// Streams of responses over real sockets, read by the Connect project's own client.
import { Buffer } from "node:buffer";
import { request as ask } from "node:http";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { MarketData } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ConnectRpc } from "#gateway/http/connect-rpc.ts";
import { PrincipalAccounts } from "#gateway/session/principal-accounts.ts";
import { immediateScheduler } from "#gateway/turns/scheduler.ts";
import { Turns } from "#gateway/turns/turns.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { RpcError } from "#gateway/rpc/rpc-error.ts";
import { bindService } from "#gateway/rpc/service-table.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import { runBuf } from "#test/support/wire-schema.ts";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { TransportStand } from "../transport-stand.ts";

const PROTO = path.join(import.meta.dirname, "../../../proto");
const PAYLOAD_BYTES = 10_000;

/** More than sockets and buffers of both ends hold. */
const MANY = 20_000;

/** A Batch of one field that no schema knows, with a number that tells it from others. */
function batchOf(number: number): Uint8Array {
  // Field 1000, then the length 10000 as a varint.
  const head = Buffer.from([0xc2, 0x3e, 0x90, 0x4e]);
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.writeUInt32BE(number);
  return Buffer.concat([head, payload]);
}

type Unknown = { readonly $unknown: readonly { readonly data: Uint8Array }[] };
type ReplayClient = {
  replay(request: object, options?: object): AsyncIterable<{ readonly batch: Unknown }>;
};

/** The number that a batch was made with. The data begins with its length, in two bytes. */
const numberOf = ({ batch }: { readonly batch: Unknown }): number =>
  Buffer.from(batch.$unknown[0]?.data ?? []).readUInt32BE(2);

let service: DescService;
beforeAll(() => {
  const descriptors = runBuf(PROTO, ["build", "--as-file-descriptor-set", "-o", "-"]);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  service = registry.getService("tickwire.v1.MarketData") as DescService;
});

describe.each(TRANSPORT_FACTORIES)("over %s", (_, create) => {
  const stand = new TransportStand(create);
  let produced: number;
  let closed: number;
  let signal: AbortSignal | undefined;
  beforeEach(() => {
    produced = 0;
    closed = 0;
    signal = undefined;
  });
  afterEach(() => stand.stop());

  async function* replay(total: number): AsyncGenerator<{ batch: Uint8Array }> {
    try {
      while (produced < total) yield { batch: batchOf(produced++) };
      throw new RpcError("out_of_range", "that was all");
    } finally {
      closed += 1;
    }
  }

  async function start(total: number): Promise<string> {
    const metrics = createGatewayMetrics(new Registry());
    const rpc = new ConnectRpc({
      accounts: new PrincipalAccounts(metrics),
      services: bindService(MarketData, {
        replay: (_request: unknown, context: { readonly signal: AbortSignal }) => {
          signal = context.signal;
          return replay(total);
        },
      }),
      turns: new Turns({ clock: new ManualClock(), scheduler: immediateScheduler }),
      clock: new ManualClock(),
      metrics,
      limits: {
        callTimeoutMs: 1_000,
        callTimeoutMsMax: 1_000,
        streamTimeoutMsMax: 1_000,
        requestBytesMax: 1_000,
        compression: true,
        compressBytesMin: 1,
        requestsPerSecondMax: 100,
      },
      onInternalError: (method, error) => {
        throw new Error(`${method} failed`, { cause: error });
      },
    });
    const { recorder, url } = await stand.start();
    recorder.answer = async (request) =>
      (await rpc.serve({ ...request, principal: ANYBODY })) ?? {
        status: 404,
        headers: {},
        body: "",
      };
    return url;
  }

  const clientOf = (baseUrl: string, acceptCompression?: []): ReplayClient =>
    createClient(
      service,
      createConnectTransport({
        baseUrl,
        httpVersion: "1.1",
        ...(acceptCompression === undefined ? {} : { acceptCompression }),
      }),
    ) as unknown as ReplayClient;

  test.each([
    ["compressed", undefined],
    ["plain", [] as []],
  ])("a long stream arrives whole, in order and with its end: %s", async (_form, compression) => {
    const client = clientOf(await start(1_000), compression);
    const numbers: number[] = [];
    const read = async (): Promise<void> => {
      for await (const response of client.replay({})) numbers.push(numberOf(response));
    };
    await expect(read()).rejects.toMatchObject({
      code: Code.OutOfRange,
      rawMessage: "that was all",
    });
    expect(numbers).toEqual(Array.from({ length: 1_000 }, (_number, index) => index));
    expect(closed).toBe(1);
  });

  test("a client that leaves a stream ends it", async () => {
    const client = clientOf(await start(MANY), []);
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const response of client.replay({}, { signal: abort.signal })) {
        if (numberOf(response) === 5) abort.abort();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: Code.Canceled });
    while (closed === 0) await nextTurn();
    expect([signal?.aborted, closed]).toEqual([true, 1]);
    expect(produced).toBeLessThan(MANY);
  });

  test("a client that reads nothing holds up its producer, not the memory of the gateway", async () => {
    const url = new URL(await start(MANY));
    const request = ask({
      host: url.hostname,
      port: url.port,
      method: "POST",
      path: "/tickwire.v1.MarketData/Replay",
      headers: { "content-type": "application/connect+proto" },
    });
    request.on("error", () => {});
    request.end(Buffer.alloc(5));
    request.on("response", (response) => response.pause());
    // It goes on until the kernel takes no more; then turns pass in which nothing is produced.
    for (let idle = 0, before = -1; idle < 2_000; before = produced) {
      await nextTurn();
      idle = produced === before && produced > 0 ? idle + 1 : 0;
    }
    expect(produced).toBeLessThan(MANY / 2);
    expect(closed).toBe(0);
    request.destroy();
    while (closed === 0) await nextTurn();
    expect(signal?.aborted).toBe(true);
  });
});
