import { Registry } from "prom-client";
import { connect, type Client, type ContinuityEvent } from "@tickwire/client";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfigSchema } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { OnceLedger } from "#test/support/once-ledger.ts";
import { TRANSPORTS } from "#test/support/transports.ts";

/**
 * Two gateways on one memory bus, of which the first goes away while clients read every event, and
 * views. What is waited for is an event, never a time.
 */

const WAIT_MS_MAX = 60_000;
const MARKET = { seed: 5, instruments: 2, eventsPerSecond: 100, pace: "even" };
const TOPICS = ["trades", "quotes", "book"].map((channel) => `simulated:*/${channel}`);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each(TRANSPORTS)("two gateways on one memory bus, over %s", (transport) => {
  const clock = new SystemClock();
  let bus: MemoryBus;
  let ingest: RunningIngest;
  let gateways: RunningGateway[] = [];
  let client: Client;
  let states: string[];

  async function start(): Promise<void> {
    bus = new MemoryBus({ clock });
    const common = { bus, clock, logger: silent };
    const config = ingestConfigSchema.parse({
      venues: [{ id: "simulated", simulated: MARKET }],
      announceIntervalMs: 500,
    });
    ingest = await startIngest({ ...common, config, registry: new Registry() });
    await ingest.whenStarted;
    const limits = { lameDuckMs: 0, lagNoticeMs: 50_000, lagMsMax: 60_000 };
    gateways = [];
    for (let index = 0; index < 2; index += 1) {
      const own = {
        config: gatewayConfig({ port: 0, transport, ...limits }),
        registry: new Registry(),
      };
      gateways.push(await startGateway({ ...common, ...own }));
    }
    const urls = gateways.map(({ port }) => `ws://127.0.0.1:${port}`);
    client = await connect({ urls });
    states = [];
    client.onState((state, { code }) => states.push(`${state} ${code}`));
  }

  afterEach(async () => {
    client?.close();
    for (const gateway of gateways) await gateway.close({ graceMs: 0 });
    await ingest?.close();
    await bus?.close();
  });

  test("every event comes once when the first one goes away, and calls are answered", async () => {
    await start();
    const ledger = new OnceLedger();
    client.subscribe(TOPICS, (event) => ledger.take(event));
    await until(() => ledger.totals().delivered > 300, "the market");
    const session = client.sessionId;
    const answers: Promise<unknown>[] = [];
    const asking = setInterval(() => answers.push(client.rpc.getServerTime({})), 5);
    await gateways[0]!.close({ graceMs: 20_000 });
    const nowUs = Date.now() * 1_000;
    await until(() => ledger.publishedTimeUs > nowUs, "what is published now");
    // On a busy machine the timer comes seldom.
    await until(() => answers.length > 10, "calls");
    clearInterval(asking);
    // A call that met the end of a connection would reject.
    expect((await Promise.all(answers)).length).toBeGreaterThan(10);
    const { faults, doubled, epochChanges, unknownGaps } = ledger;
    expect({ faults, doubled, epochChanges, unknownGaps }).toEqual({
      faults: [],
      doubled: 0,
      epochChanges: 0,
      unknownGaps: 0,
    });
    expect(ledger.totals().missing).toBe(0);
    expect(states).toEqual(["connected moved"]);
    expect(client.sessionId).not.toBe(session);
  });

  test("views move as well, and their books are never wrong", async () => {
    await start();
    const book = "simulated:BTC-USD";
    const continuities: ContinuityEvent["continuity"][] = [];
    let isCrossed = false;
    let changes = 0;
    const view = client.onBook(
      book,
      (live) => {
        changes += 1;
        const [bid, ask] = [live.bids[0]?.price ?? 0, live.asks[0]?.price ?? 0];
        isCrossed ||= live.state === "live" && bid >= ask && ask > 0;
      },
      {
        depth: 10,
        conflationIntervalMs: 100,
        onNotice: (notice) => {
          if (notice.type === "continuity") continuities.push(notice.continuity);
          if (notice.type === "gap") continuities.push("replaced");
        },
      },
    );
    await until(() => changes > 10, "the book");
    await gateways[0]!.close({ graceMs: 20_000 });
    const seen = changes;
    await until(() => changes > seen + 10, "the book at the other gateway");
    expect(continuities).toEqual(["new", "resumed"]);
    expect([isCrossed, view.closed, states]).toEqual([false, false, ["connected moved"]]);
  });
});
