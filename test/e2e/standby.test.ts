import { afterEach, describe, expect, test } from "vitest";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { requireNatsServer } from "#test/support/nats-server.ts";
import { startTcpProxy } from "#test/support/tcp-proxy.ts";
import { clockOff, pause, StandbyStand } from "./standby-stand.ts";

/** Real ingestors over a real nats-server, one of which publishes and the other stands by. */

/** On a machine at rest it is 2 s, as test/bench/standby.bench.mjs shows. */
const OUTAGE_MS_MAX = 15_000;
/** So much later than the others is a leader let back to the bus. */
const LATER_MS = 1_500;
/** A wait of the standby to reconnect, its grace for the leader, and a busy machine. */
const REPLACED_MS_MAX = 40_000;
/** Where nobody is to take over: a leader that gets no processor for a second is no dead one. */
const UNHURRIED = { TICKWIRE_INGEST__STANDBY__HEARTBEAT_MS: "1500" };

describe.skipIf(requireNatsServer() === undefined)("over a real nats-server", () => {
  let stand: StandbyStand | undefined;
  /** Beside it, where two are tried at once. */
  let other: StandbyStand | undefined;

  afterEach(async () => {
    await stand?.close();
    await other?.close();
    stand = undefined;
    other = undefined;
  });

  /** What went wrong with what the client got. */
  const lossesOf = ({ ledger, trades }: StandbyStand) => ({
    faults: ledger.faults,
    trades: [...trades.missing, ...trades.doubled],
    gaps: ledger.unknownGaps + ledger.totals().missing,
  });
  const NONE = { faults: [], trades: [], gaps: 0 };

  test.each([
    { jetstream: false, how: "who is heard", offsetMs: 0 },
    { jetstream: true, how: "a lease", offsetMs: 0 },
    { jetstream: false, how: "who is heard", offsetMs: -120_000 },
    { jetstream: true, how: "a lease", offsetMs: 120_000 },
  ])(
    "by $how, with a clock $offsetMs ms off: one that is killed is replaced without a loss",
    async ({ jetstream, offsetMs }) => {
      stand = await StandbyStand.start({ jetstream });
      const { leader, standby } = await stand.run({ standby: clockOff(offsetMs) });
      stand.trades.measure();
      await leader.stop("SIGKILL");
      await standby.waitFor("stderr", /this ingestor publishes/);
      await stand.flows();
      const { ledger } = stand;
      // What was under way before it may take this process a while to read.
      await stand.until(() => ledger.continuations > 0, "the next term");
      await stand.flows();
      expect(lossesOf(stand)).toEqual(NONE);
      expect(stand.trades.pauseMsMax).toBeLessThan(OUTAGE_MS_MAX);
    },
    120_000,
  );

  test("one that is stopped for 10 s and continued publishes nothing that a client gets", async () => {
    const stopLeaderOf = async (of: StandbyStand): Promise<void> => {
      const { leader, standby } = await of.run({});
      leader.child.kill("SIGSTOP");
      await standby.waitFor("stderr", /this ingestor publishes/);
      await pause(10_000);
      leader.child.kill("SIGCONT");
      await leader.waitFor("stderr", /this one stands by/);
      await of.ready(leader);
      expect(lossesOf(of)).toEqual(NONE);
      // It has learnt what it missed, and takes over in its turn.
      await standby.stop("SIGKILL");
      await of.flows();
      expect(lossesOf(of)).toEqual(NONE);
    };
    stand = await StandbyStand.start({ jetstream: false });
    other = await StandbyStand.start({ jetstream: true });
    // Most of it is waiting, so both ways to a leader are tried at once.
    await Promise.all([stopLeaderOf(stand), stopLeaderOf(other)]);
  }, 180_000);

  test.each([{ jetstream: false }, { jetstream: true }])(
    "a nats-server that is started anew changes nobody who publishes: %j",
    async ({ jetstream }) => {
      stand = await StandbyStand.start({ jetstream });
      const { standby } = await stand.run({ leader: UNHURRIED, standby: UNHURRIED });
      await stand.nats.restart();
      await stand.flows(5_000);
      expect(lossesOf(stand)).toEqual(NONE);
      expect(standby.stderr()).not.toContain("this ingestor publishes");
    },
    120_000,
  );

  test("a leader that is back later than the others leads on, and one that died is replaced", async () => {
    stand = await StandbyStand.start({ jetstream: true });
    const proxy = await startTcpProxy(stand.nats.port);
    const behind = { TICKWIRE_BUS__NATS__SERVERS: `nats://127.0.0.1:${proxy.port}` };
    const late = { ...behind, ...UNHURRIED };
    const { leader, standby } = await stand.run({ leader: late, standby: UNHURRIED });
    await stand.nats.stop();
    proxy.cut();
    await stand.nats.restart();
    await pause(LATER_MS);
    proxy.join();
    // What it would do at a takeover is proven anew.
    await stand.ready(standby);
    expect(lossesOf(stand)).toEqual(NONE);
    expect(standby.stderr()).not.toContain("this ingestor publishes");
    await stand.nats.stop();
    await leader.stop("SIGKILL");
    await proxy.close();
    await stand.nats.restart();
    const backAtMs = performance.now();
    await standby.waitFor("stderr", /this ingestor publishes/);
    expect(performance.now() - backAtMs).toBeLessThan(REPLACED_MS_MAX);
    await stand.flows();
    expect(lossesOf(stand)).toEqual(NONE);
  }, 120_000);

  test("one that is cut off from the bus is replaced, and nothing of it comes when it is back", async () => {
    stand = await StandbyStand.start({ jetstream: true });
    const proxy = await startTcpProxy(stand.nats.port);
    const behind = { TICKWIRE_BUS__NATS__SERVERS: `nats://127.0.0.1:${proxy.port}` };
    const { leader, standby } = await stand.run({ leader: behind });
    proxy.cut();
    await standby.waitFor("stderr", /this ingestor publishes/);
    await stand.flows();
    proxy.join();
    await leader.waitFor("stderr", /this one stands by/);
    await stand.flows(3_000);
    await proxy.close();
    expect(lossesOf(stand)).toEqual(NONE);
  }, 120_000);

  test("leases that somebody has deleted are made anew, and the next takeover is as good", async () => {
    stand = await StandbyStand.start({ jetstream: true });
    const { leader, standby } = await stand.run({});
    const nats = await connectNats({ servers: stand.nats.url });
    const manager = await jetstreamManager(nats);
    await manager.streams.delete("KV_tickwire-leases");
    await stand.flows(3_000);
    expect(lossesOf(stand)).toEqual(NONE);
    expect(standby.stderr()).not.toContain("this ingestor publishes");
    expect((await manager.streams.info("KV_tickwire-leases")).state.messages).toBe(1);
    await nats.close();
    await leader.stop("SIGKILL");
    await standby.waitFor("stderr", /this ingestor publishes/);
    await stand.flows();
    expect(lossesOf(stand)).toEqual(NONE);
  }, 120_000);

  test("a node of three that is killed costs nobody an event", async () => {
    stand = await StandbyStand.start({ jetstream: true, nodes: 3 });
    await stand.run({});
    for (const node of stand.nodes.slice(0, 1)) await node.stop();
    await stand.flows(5_000);
    expect(lossesOf(stand)).toEqual(NONE);
  }, 120_000);
});
