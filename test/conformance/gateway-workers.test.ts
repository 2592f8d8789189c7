import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificates } from "#test/support/certificates.ts";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";
import { WorkerRig } from "#test/support/worker-rig.ts";

const { NoticeKind } = tickwire.v1;
const TRADES = "fake:BTC-USDT/trades";
const QUOTES = "fake:BTC-USDT/quotes";

describe.runIf(UWS_IS_EXPECTED)("a gateway of two workers on one port", () => {
  let rig: WorkerRig;
  beforeAll(async () => {
    rig = await WorkerRig.start({ workerRingBytes: 256 * 1024 });
  });
  afterAll(() => rig.stop());

  test("serves one market on both, over one subscription of the bus", async () => {
    const { ingestor, gateway } = rig;
    const clients = await rig.clientOfEach();
    ingestor.publish([ingestor.trade("BTC-USDT", 100)]);
    const results = await Promise.all(clients.map((client) => client.subscribe(TRADES)));
    ingestor.publish([ingestor.trade("BTC-USDT", 101)]);
    const sequence = ingestor.position("trades", "BTC-USDT");
    for (const [index, client] of clients.entries()) {
      const id = results[index]![0]!.topicId;
      await client.until(() => client.batchesOf(id).some(({ last }) => last === sequence));
    }
    const shared = "tickwire_gateway_worker_shared_subscriptions";
    // Announcements, revocations and those who ask for them, and the topic.
    expect(await rig.metric(shared)).toBe(4);
    const asked = ingestor.queries.filter((subject) => subject.includes("snapshot"));
    expect(asked.length).toBeLessThanOrEqual(2);

    expect(await rig.metric("tickwire_gateway_connections")).toBe(clients.length);
    expect(await rig.metric("tickwire_gateway_subscriptions")).toBe(2);
    const summary = (await gateway.state.summary()) as { sessions: number; workers: object[] };
    expect(summary.sessions).toBe(clients.length);
    expect(summary.workers).toHaveLength(2);
    await rig.until(() => gateway.sessions === clients.length);
  });

  test("answers over HTTP on both, also polls that come to the other one", async () => {
    const { ingestor } = rig;
    const url = `http://127.0.0.1:${rig.gateway.port}`;
    for (let call = 0; call < 4; call += 1) {
      const answer = await fetch(`${url}/tickwire.v1.MarketData/ListInstruments`, {
        method: "POST",
        headers: { "content-type": "application/json", connection: "close" },
        body: "{}",
      });
      const { instruments } = (await answer.json()) as { instruments: object[] };
      expect(instruments).toHaveLength(2);
    }
    const events: object[] = [];
    let cursor = "";
    while (events.length < 4) {
      const query = `topics=${TRADES}&cursor=${cursor}&waitMs=200`;
      const answer = await fetch(`${url}/v1/poll?${query}`, { headers: { connection: "close" } });
      expect(answer.status).toBe(200);
      const body = (await answer.json()) as { cursor: string; events: { event: string }[] };
      cursor = encodeURIComponent(body.cursor);
      events.push(...body.events.filter(({ event }) => event === "trades"));
      ingestor.publish([ingestor.trade("BTC-USDT", 100 + events.length)]);
    }
  });

  test.each(["exit", "throw"] as const)(
    "a worker that dies by %s costs its own sessions their connection and nobody else anything",
    async (fault) => {
      const { ingestor } = rig;
      const position = (): number => ingestor.position("trades", "BTC-USDT");
      const starts = await rig.metric("tickwire_gateway_worker_starts_total");
      const deaths = await rig.metric("tickwire_gateway_worker_deaths_total");
      const [victim, other] = await rig.clientOfEach();
      await victim.subscribe(TRADES);
      const [others] = await other.subscribe(TRADES);
      const counted = await rig.metric("tickwire_gateway_connections_total");
      rig.fail(0, fault);
      expect((await victim.closing()).code).toBe(1006);
      const resume = { epoch: ingestor.epoch, sequence: position() };
      ingestor.publish([ingestor.trade("BTC-USDT", 101)]);
      await other.until(() => other.batchesOf(others!.topicId).at(-1)?.last === position());

      const isBack = async (): Promise<boolean> =>
        (await rig.metric("tickwire_gateway_worker_starts_total")) === starts + 1;
      await rig.until(isBack);
      expect(await rig.metric("tickwire_gateway_worker_deaths_total")).toBe(deaths + 1);
      const countedNow = await rig.metric("tickwire_gateway_connections_total");
      expect(countedNow).toBeGreaterThanOrEqual(counted);
      expect(rig.gateway.notReadyReasons()).toEqual([]);
      // Whoever comes back, to either worker, goes on with everybody else.
      const back = await rig.clientOfEach();
      const results = await Promise.all(
        back.map((client) => client.subscribe({ topic: TRADES, resume })),
      );
      ingestor.publish([ingestor.trade("BTC-USDT", 102)]);
      for (const [at, client] of back.entries()) {
        const { topicId } = results[at]![0]!;
        await client.until(() => client.batchesOf(topicId).at(-1)?.last === position());
      }
      expect(other.closed).toBeUndefined();
    },
  );

  test("a worker that does not read its ring misses messages, visibly, and catches up", async () => {
    const { ingestor } = rig;
    const [slow, quick] = await rig.clientOfEach();
    ingestor.publish([ingestor.quote("BTC-USDT", 1)]);
    // Merged, so that the clients have little to read of the much that the workers get.
    const merged = { topic: QUOTES, conflationIntervalMs: 100 };
    const [mine] = await slow.subscribe(merged);
    const [others] = await quick.subscribe(merged);
    const overruns = await rig.metric("tickwire_gateway_worker_overruns_total");
    const release = await rig.block(0);
    for (let bid = 2; bid <= 4_000; bid += 1) {
      ingestor.publish([ingestor.quote("BTC-USDT", bid)]);
      if (bid % 100 === 0) await rig.bus.flush();
    }
    const count = ingestor.position("quotes", "BTC-USDT");
    await quick.until(() => quick.batchesOf(others!.topicId).at(-1)?.last === count);
    const overrunsNow = await rig.metric("tickwire_gateway_worker_overruns_total");
    expect(overrunsNow).toBeGreaterThan(overruns);
    release();
    await slow.until(() => slow.batchesOf(mine!.topicId).at(-1)?.last === count);
    expect(await rig.metric("tickwire_gateway_worker_overrun_messages_total")).toBeGreaterThan(100);
    expect(await rig.metric("tickwire_gateway_bus_gaps_total")).toBeGreaterThan(0);
  });
});

describe.runIf(UWS_IS_EXPECTED)("limits over two workers", () => {
  let rig: WorkerRig;
  let folder = "";
  const file = (leaf: string): string => join(folder, leaf);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tickwire-workers-"));
    makeCertificates(folder);
    rig = await WorkerRig.start({
      connectionsPerAddressMax: 5,
      connectionsMax: 100,
      tls: { certFile: file("server.crt"), keyFile: file("server.key") },
    });
  });
  afterAll(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  test("a certificate that is read again is that of all workers", async () => {
    const seen = async (): Promise<string> => {
      const socket = connect({ port: rig.gateway.port, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      await once(socket, "close");
      return serialNumber;
    };
    const before = await seen();
    copyFileSync(file("stranger.crt"), file("server.crt"));
    copyFileSync(file("stranger.key"), file("server.key"));
    await rig.gateway.reload();
    // Those that come next go to the workers in turn.
    const after: string[] = [];
    await rig.until(async () => {
      after.push(await seen());
      return after.length >= 4 && after.slice(-4).every((serial) => serial !== before);
    });
    expect(after.at(-1)).not.toBe(before);
    await rig.until(async () => (await rig.connectionsCounted()) === 0);
  });

  test("connections of an address and in all are limited over both", async () => {
    const statuses: number[] = [];
    for (let opened = 1; opened <= 7; opened += 1) statuses.push(await rig.tryToConnect());
    // One of them is still told why, and its socket closes behind the answer.
    expect(statuses).toEqual([101, 101, 101, 101, 101, 429, 429]);
    const sessions = await rig.sessionsOf();
    expect(Math.min(...sessions)).toBeGreaterThan(0);
    expect(sessions[0]! + sessions[1]!).toBe(5);
    const used = 'tickwire_gateway_limit_used_ratio{limit="connectionsMax"}';
    await rig.until(async () => (await rig.gateway.metricsOfThreads()).includes(`${used} 0.05\n`));

    // What a dead worker held is free again.
    rig.fail(0, "exit");
    await rig.until(async () => (await rig.metric("tickwire_gateway_worker_starts_total")) === 3);
    for (let opened = 0; opened < sessions[0]!; opened += 1) {
      // The socket of one that was refused may count until its end is seen.
      await rig.until(async () => (await rig.tryToConnect()) === 101);
    }
    expect(await rig.tryToConnect()).toBe(429);
  });
});

describe.runIf(UWS_IS_EXPECTED)("the end of a gateway of two workers", () => {
  let rig: WorkerRig;
  beforeAll(async () => {
    rig = await WorkerRig.start({ workerSilentMsMax: 3_000 });
  });
  afterAll(() => rig.stop());

  test("a worker that never comes back from a loop is ended, and its sessions resume", async () => {
    const { ingestor } = rig;
    const [victim, other] = await rig.clientOfEach();
    await victim.subscribe(TRADES);
    const [others] = await other.subscribe(TRADES);
    const starts = await rig.metric("tickwire_gateway_worker_starts_total");
    rig.fail(0, "loop");
    expect((await victim.closing()).code).toBe(1006);
    const resume = { epoch: ingestor.epoch, sequence: ingestor.position("trades", "BTC-USDT") };
    ingestor.publish([ingestor.trade("BTC-USDT", 101)]);
    const position = ingestor.position("trades", "BTC-USDT");
    await other.until(() => other.batchesOf(others!.topicId).at(-1)?.last === position);
    const isBack = async (): Promise<boolean> =>
      (await rig.metric("tickwire_gateway_worker_starts_total")) === starts + 1;
    await rig.until(isBack);
    expect(await rig.metric("tickwire_gateway_worker_hangs_total")).toBe(1);
    expect(await rig.metric("tickwire_gateway_worker_deaths_total")).toBe(1);
    expect(rig.logs).toContain("a worker hangs, and is ended");
    const back = await rig.clientOfEach();
    const results = await Promise.all(
      back.map((client) => client.subscribe({ topic: TRADES, resume })),
    );
    ingestor.publish([ingestor.trade("BTC-USDT", 102)]);
    for (const [at, client] of back.entries()) {
      const { topicId } = results[at]![0]!;
      await client.until(() => client.batchesOf(topicId).at(-1)?.last === position + 1);
    }
    expect(other.closed).toBeUndefined();
  });

  test("closing tells the clients of all workers, and ends their threads", async () => {
    const clients = await rig.clientOfEach();
    await rig.gateway.close({ graceMs: 5_000 });
    for (const client of clients) {
      expect((await client.closing()).code).toBe(4000);
      expect(client.notices(NoticeKind.NOTICE_KIND_GOING_AWAY)).toHaveLength(1);
    }
    expect(rig.gateway.sessions).toBe(0);
    await expect(fetch(`http://127.0.0.1:${rig.gateway.port}/`)).rejects.toThrow("fetch failed");
  });
});
