import { connect, type Client, type ConflationEvent, type StreamEvent } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { StreamLedger } from "#test/support/stream-ledger.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

// A bound of bandwidth over real sockets, in time that the test moves: what the client that is
// shipped gets of a busy and of a quiet market, and what it is told.

const BUSY = "fake:BTC-USDT";
const CALM = "fake:ETH-USDT";
const STEP_MS = 10;

describe.each(TRANSPORTS)("a bound of bandwidth over %s", (transport) => {
  let rig: Rig;
  let client: Client;
  let ledger: StreamLedger;
  let told: ConflationEvent[];
  let price = 0;
  /** Their sequences. */
  let trades: number[];

  afterEach(async () => {
    client.close();
    await rig.stop();
  });

  const take = (event: StreamEvent): void => {
    ledger.take(event);
    if (event.type === "conflation") told.push(event);
    if (event.type === "trade") trades.push(event.sequence);
  };

  async function start(
    bounds: { readonly client?: number; readonly gateway?: number },
    topics: readonly string[],
  ): Promise<void> {
    const lags = { lagNoticeMs: 3_600_000, lagMsMax: 7_200_000 };
    const config = { ...lags, bandwidthBytesPerSecondMax: bounds.gateway ?? 0 };
    rig = await Rig.start(transport, { config });
    ledger = new StreamLedger({ isConflated: true });
    told = [];
    trades = [];
    client = await connect(`ws://127.0.0.1:${rig.gateway.port}`, {
      pingIntervalMs: 0,
      compression: false,
      bandwidthBytesPerSecondMax: bounds.client,
    });
    if (topics.length > 0) client.subscribe(topics, take);
    for (let turn = 0; turn < 20; turn += 1) await rig.settle();
  }

  /** So many seconds with so many events of each kind in each hundredth of one. */
  async function pass(seconds: number, events: Readonly<Record<string, number>>): Promise<number> {
    const before = await rig.metric("tickwire_gateway_sent_bytes_total");
    for (let step = 0; step < (seconds * 1_000) / STEP_MS; step += 1) {
      for (const [topic, count] of Object.entries(events)) {
        const symbol = topic.slice(topic.indexOf(":") + 1, topic.indexOf("/"));
        for (let event = 0; event < count; event += 1) {
          price += 1;
          const isTrade = topic.endsWith("trades");
          const at = (price * 7_919) % 1_000_000;
          rig.ingestor.publish([
            isTrade ? rig.ingestor.trade(symbol, at) : rig.ingestor.quote(symbol, at),
          ]);
        }
      }
      await rig.settle();
      rig.clock.advance(STEP_MS);
    }
    await rig.settle();
    const bytes = (await rig.metric("tickwire_gateway_sent_bytes_total")) - before;
    return bytes / seconds;
  }

  test("slows the busy topic and not the calm one, and lets it go again with hysteresis", async () => {
    await start({ client: 2_000 }, [`${BUSY}/quotes`, `${CALM}/quotes`]);
    const busy = { [`${BUSY}/quotes`]: 3 };
    expect(await pass(1, busy)).toBeGreaterThan(4_000);
    await pass(1, { ...busy, [`${CALM}/quotes`]: 1 });
    await pass(9, busy);
    expect(await pass(5, busy)).toBeLessThan(2_000);
    expect(new Set(told.map(({ topic }) => topic))).toEqual(new Set([`${BUSY}/quotes`]));
    const widest = Math.max(...told.map(({ conflationIntervalMs }) => conflationIntervalMs));
    const [first] = told;
    expect(first?.conflationIntervalMs).toBeGreaterThan(0);
    expect(first?.bandwidthBytesPerSecond).toBeGreaterThan(2_000);
    expect(first?.bandwidthBytesPerSecondMax).toBe(2_000);
    expect(first?.message).toContain(`${BUSY}/quotes is sent every`);
    const changes = told.length;
    // It does not swing while nothing changes.
    await pass(10, busy);
    expect(told.length - changes).toBeLessThanOrEqual(2);
    const beforeCalm = told.length;
    await pass(60, { [`${BUSY}/quotes`]: 0 });
    const narrower = told.slice(beforeCalm).map(({ conflationIntervalMs }) => conflationIntervalMs);
    expect(narrower.toSorted((one, other) => other - one)).toEqual(narrower);
    expect(narrower.at(-1)).toBe(0);
    expect(widest).toBeLessThanOrEqual(10_000);
    expect([ledger.faults, ledger.totals().missing]).toEqual([[], 0]);
    const { delivered, conflated } = ledger.totals();
    expect(client.counters).toMatchObject({
      gaps: 0,
      events: delivered,
      conflatedEvents: conflated,
    });
    // All that was published but for what is still held back, of which there is nothing.
    expect(delivered + conflated).toBe(price);
  }, 120_000);

  test("sends trades together, at most a second late, and never leaves one out", async () => {
    await start({ client: 500 }, [`${BUSY}/trades`]);
    await pass(12, { [`${BUSY}/trades`]: 1 });
    rig.clock.advance(1_000);
    await rig.settle();
    expect(Math.max(...told.map(({ conflationIntervalMs }) => conflationIntervalMs))).toBe(1_000);
    await pass(1, {});
    expect(trades).toEqual(Array.from({ length: 1_200 }, (_, index) => index + 1));
    // Trades that are all sent come to more than the bound, which is counted.
    expect(await rig.metric("tickwire_gateway_bandwidth_exceeded_total")).toBeGreaterThan(0);
  }, 120_000);

  test("of gateway and client the smaller one holds, and an update does not get around it", async () => {
    await start({ client: 100_000, gateway: 1_500 }, []);
    const topic = `${BUSY}/quotes`;
    const options = { onNotice: (notice: { type: string }) => void notices.push(notice.type) };
    const notices: string[] = [];
    const subscription = client.onQuotes(BUSY, () => {}, options);
    for (let turn = 0; turn < 20; turn += 1) await rig.settle();
    const busy = { [topic]: 3 };
    await pass(10, busy);
    expect(notices).toContain("conflation");
    const slowed = await pass(4, busy);
    expect(slowed).toBeLessThan(1_500);
    subscription.update({ conflationIntervalMs: 50 });
    await pass(1, busy);
    expect(await pass(3, busy)).toBeLessThan(1_500);
  }, 120_000);

  test("that is not exceeded changes nothing and makes no view", async () => {
    await start({ client: 100_000 }, [`${BUSY}/quotes`]);
    await pass(8, { [`${BUSY}/quotes`]: 2 });
    expect(told).toEqual([]);
    expect(await rig.metric("tickwire_gateway_views")).toBe(0);
    expect(ledger.totals().delivered).toBe(1_600);
  }, 120_000);
});
