import { afterEach, describe, expect, test } from "vitest";
import { requireNatsServer } from "#test/support/nats-server.ts";
import { StandbyStand } from "./standby-stand.ts";

/** One venue whose instruments several ingestors share. */

describe.skipIf(requireNatsServer() === undefined)("two shards of a venue", () => {
  let stand: StandbyStand | undefined;

  afterEach(async () => {
    await stand?.close();
    stand = undefined;
  });

  test("are one venue to clients, and each is replaced by itself", async () => {
    stand = await StandbyStand.start({ jetstream: true });
    const { ledger, trades } = stand;
    const first = await stand.ingest({}, "1/2");
    const second = await stand.ingest({}, "2/2");
    await stand.serve();
    const spare = await stand.ingest({}, "2/2");
    await spare.waitFor("stderr", /nothing is published here/);
    await stand.flows(3_000);
    const { instruments } = await stand.client.rpc.listInstruments({ venue: "simulated" });
    const symbols = instruments.map(({ symbol }) => symbol);
    expect(symbols).toHaveLength(9);
    expect(symbols).toEqual(symbols.toSorted());
    const { statuses } = await stand.client.rpc.getStatus({ venue: "simulated" });
    expect(new Set(statuses.map(({ symbol }) => symbol)).size).toBe(9);
    const listed = new Set<string>();
    stand.client.subscribe(["simulated:*/listings"], (event) => {
      if (event.type === "listing") listed.add(event.symbol);
    });
    await stand.until(() => listed.size === 9, "the whole list");
    await second.stop("SIGKILL");
    await spare.waitFor("stderr", /this ingestor publishes/);
    await stand.flows();
    expect(ledger.faults).toEqual([]);
    expect([trades.missing, trades.doubled]).toEqual([[], []]);
    expect([ledger.unknownGaps, ledger.totals().missing]).toEqual([0, 0]);
    expect(first.stderr()).not.toContain("another ingestor publishes");
  }, 120_000);
});
