// Traces of the control plane with an SDK in memory: who asks, whom the gateway asks, who answers.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { trace } from "@opentelemetry/api";
import type { Bus } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { tracedBus } from "#bus/traced-bus.ts";
import type { Tracing } from "#core/tracing.ts";
import { createTracing } from "#runtime/tracing.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { SpanRecorder } from "#test/support/span-recorder.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

test("without an SDK nothing is traced, and nobody has anything to do with it", () => {
  expect(createTracing("1")).toBeUndefined();
});

describe("with an SDK", () => {
  let recorder: SpanRecorder;
  let tracing: Tracing;
  beforeAll(() => {
    recorder = new SpanRecorder();
    const created = createTracing("1");
    if (created === undefined) throw new Error("the SDK was not found");
    tracing = created;
  });
  afterAll(() => recorder.close());

  let rig: Rig;
  let close = async (): Promise<void> => {};
  afterEach(async () => {
    await rig.stop();
    await close();
    close = async () => {};
    recorder.clear();
  });

  /** A gateway and an ingestor, both of which trace, on a bus of the kind. */
  async function start(transport: "uws" | "node", kind: "memory" | "nats"): Promise<void> {
    const buses = await openBuses(kind);
    rig = await Rig.start(transport, { buses, tracing });
    await rig.client();
    await expect.poll(() => rig.gateway.notReadyReasons()).toEqual([]);
    recorder.clear();
  }

  async function openBuses(kind: "memory" | "nats") {
    if (kind === "memory") {
      const bus = tracedBus(new MemoryBus({ clock: new ManualClock() }), tracing);
      return { gateway: bus, ingestor: bus };
    }
    const server: NatsServer = await startNatsServer();
    const open = async (): Promise<Bus> => {
      const bus = await connectNatsBus({ servers: [server.url], name: "test" });
      return tracedBus(bus, tracing);
    };
    const buses = { gateway: await open(), ingestor: await open() };
    close = async () => {
      await buses.ingestor.close();
      await server.stop();
    };
    return buses;
  }

  const paths = () => recorder.spans.map((span) => recorder.pathOf(span).join(" > "));

  describe.each(TRANSPORTS)("on %s", (transport) => {
    test("a call over HTTP belongs to the trace of its headers", async () => {
      await start(transport, "memory");
      const response = await fetch(`${rig.url}/tickwire.v1.MarketData/GetServerTime`, {
        method: "POST",
        headers: { "content-type": "application/json", traceparent: TRACEPARENT },
        body: "{}",
      });
      expect(response.status).toBe(200);
      const [span] = recorder.spans;
      expect(span?.name).toBe("tickwire.v1.MarketData/GetServerTime");
      expect(span?.spanContext().traceId).toBe(TRACE_ID);
      expect(span?.parentSpanContext?.spanId).toBe(SPAN_ID);
    });

    test("a call over the socket belongs to the trace of its metadata", async () => {
      await start(transport, "memory");
      const client = await rig.client();
      const metadata = { traceparent: TRACEPARENT };
      const method = "tickwire.v1.MarketData/GetServerTime";
      client.send({ call: { callId: 1, method, metadata } });
      await client.until(() => client.messages.some(({ reply }) => reply?.callId === 1));
      const [span] = recorder.spans;
      expect([span?.name, span?.spanContext().traceId]).toEqual([method, TRACE_ID]);
    });
  });

  test("a call that fails says so, without what is nobody's business", async () => {
    await start("node", "memory");
    const client = await rig.client();
    const method = "tickwire.v1.MarketData/Replay";
    client.send({ call: { callId: 1, method } });
    await client.until(() => client.messages.some(({ reply }) => reply?.callId === 1));
    const [span] = recorder.spans;
    expect([span?.name, span?.status.code]).toEqual([method, 2]);
  });

  requireNatsServer();
  test.each(["memory", "nats"] as const)(
    "what the gateway asks for a call, and the ingestor's answer, belong to it on %s",
    async (kind) => {
      await start("node", kind);
      const response = await fetch(`${rig.url}/tickwire.v1.MarketData/GetSnapshot`, {
        method: "POST",
        headers: { "content-type": "application/json", traceparent: TRACEPARENT },
        body: JSON.stringify({ venue: "fake", symbol: "BTC-USDT" }),
      });
      expect(response.status).toBe(200);
      const call = "tickwire.v1.MarketData/GetSnapshot";
      await expect.poll(paths).toContain(`${call} > ask snapshot > answer snapshot`);
      const ids = recorder.spans.map((span) => span.spanContext().traceId);
      expect(new Set(ids)).toEqual(new Set([TRACE_ID]));
    },
  );

  test("a subscribe request has its span, and the snapshot that it needs is part of it", async () => {
    await start("node", "memory");
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/book", "fake:ETH-USDT/trades");
    await client.roundTrip();
    expect(paths()).toContain("subscribe");
    expect(paths()).toContain("subscribe > ask snapshot > answer snapshot");
    const subscribe = recorder.spans.find(({ name }) => name === "subscribe");
    expect(subscribe?.attributes["tickwire.topics"]).toBe(2);
  });

  test("events have no spans, and no headers", async () => {
    await start("node", "memory");
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/trades");
    recorder.clear();
    for (let event = 0; event < 50; event += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", event)]);
    }
    await client.until(() => client.batches.length >= 1);
    await client.roundTrip();
    expect(paths()).toEqual([]);
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});
