// What operators see of a running gateway, as the documented schema has it.
import { afterEach, describe, expect, test } from "vitest";
import { LIST_SCHEMAS } from "#cli/process/admin-state.ts";
import { answerState } from "#runtime/state-answer.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

let rig: Rig;
afterEach(() => rig.stop());

type List = keyof typeof LIST_SCHEMAS;

/** The list as JSON, checked against the schema. */
async function read<Name extends List>(name: Name, query = "") {
  const request = { path: name, query: new URLSearchParams(query) };
  const { status, body } = await answerState(request, [rig.gateway.state], {});
  expect(status).toBe(200);
  const parsed = LIST_SCHEMAS[name].parse(JSON.parse(JSON.stringify(body)));
  return parsed as { rows: (typeof LIST_SCHEMAS)[Name]["_zod"]["output"]["rows"]; next: string };
}

async function totals() {
  const request = { path: "", query: new URLSearchParams() };
  const { body } = await answerState(request, [rig.gateway.state], {});
  return (body as { gateway: Record<string, unknown> }).gateway;
}

describe.each(TRANSPORTS)("the state of a gateway on %s", (transport) => {
  test("has its sessions page by page, in the order in which they came", async () => {
    rig = await Rig.start(transport);
    for (let session = 0; session < 5; session += 1) await rig.client();
    const pages: string[][] = [];
    let after = "";
    do {
      const { rows, next } = await read("sessions", `limit=2&after=${after}`);
      pages.push(rows.map(({ id }) => id));
      after = next;
    } while (after !== "");
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    const all = await read("sessions");
    expect(pages.flat()).toEqual(all.rows.map(({ id }) => id));
    expect(new Set(pages.flat()).size).toBe(5);
    expect(all.rows[0]).toMatchObject({ client: "raw", state: "open", topics: 0, lagMs: 0 });
    const [third] = (await read("sessions", `session=${pages.flat()[2]}`)).rows;
    expect(third?.id).toBe(pages.flat()[2]);
  });

  test("shows first who has most of something, and who has a topic", async () => {
    rig = await Rig.start(transport);
    const [few, many] = [await rig.client(), await rig.client()];
    await few.subscribe("fake:BTC-USDT/trades");
    await many.subscribe("fake:BTC-USDT/trades", "fake:ETH-USDT/trades");
    const sorted = await read("sessions", "sort=topics&limit=1");
    expect(sorted.rows.map(({ topics }) => topics)).toEqual([2]);
    expect(sorted.next).toBe("");
    const holders = await read("sessions", "topic=fake:ETH-USDT/trades");
    expect(holders.rows.map(({ topics }) => topics)).toEqual([2]);
    expect((await read("sessions", "topic=fake:XRP-USDT/trades")).rows).toEqual([]);
    const id = sorted.rows[0]?.id ?? "";
    const first = await read("subscriptions", `session=${id}&limit=1`);
    expect(first.rows.map(({ topic }) => topic)).toEqual(["fake:BTC-USDT/trades"]);
    const second = await read("subscriptions", `session=${id}&limit=1&after=${first.next}`);
    expect(second.rows.map(({ topic, state }) => [topic, state])).toEqual([
      ["fake:ETH-USDT/trades", "live"],
    ]);
    expect(second.next).toBe("");
    expect((await read("subscriptions", "session=nobody")).rows).toEqual([]);
  });

  test("shows a client that does not answer as one that lags", async () => {
    rig = await Rig.start(transport);
    const [deaf, other] = [await rig.client(), await rig.client()];
    await other.subscribe("fake:BTC-USDT/trades");
    await deaf.subscribe("fake:BTC-USDT/trades");
    await other.roundTrip();
    deaf.socket.pause();
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 100)]);
    await other.until(() => other.batches.length > 0);
    rig.clock.advance(700);
    const { rows } = await read("sessions", "sort=lag&limit=1");
    expect(rows.map(({ lagMs }) => lagMs)).toEqual([700]);
    deaf.socket.resume();
  });

  test("has the topics with their views and rates, by venue, topic and rate", async () => {
    rig = await Rig.start(transport);
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/trades", "fake:ETH-USDT/trades", {
      topic: "fake:BTC-USDT/book",
      depth: 10,
      conflationIntervalMs: 100,
    });
    await read("topics");
    const publish = async (symbol: string, events: number): Promise<void> => {
      const trades = Array.from({ length: events }, () => rig.ingestor.trade(symbol, 100));
      rig.ingestor.publish(trades);
      await rig.settle();
    };
    await publish("BTC-USDT", 4);
    await publish("ETH-USDT", 6);
    rig.clock.advance(2_000);
    const sorted = await read("topics", "sort=rate&limit=2");
    expect(sorted.rows.map(({ topic, eventsPerSecond }) => [topic, eventsPerSecond])).toEqual([
      ["fake:ETH-USDT/trades", 3],
      ["fake:BTC-USDT/trades", 2],
    ]);
    expect(sorted.rows[0]).toMatchObject({ state: "live", sessions: 1, quietMs: 2_000 });
    const [book] = (await read("topics", "topic=fake:BTC-USDT/book")).rows;
    expect(book?.views).toEqual([{ depth: 10, intervalMs: 100, sessions: 1 }]);
    expect((await read("topics", "venue=nobody")).rows).toEqual([]);
    expect((await read("topics", "channel=book")).rows).toHaveLength(1);
  });

  test("has the venues with whom it follows, and since when one is lost", async () => {
    rig = await Rig.start(transport);
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/trades");
    const [venue] = (await read("venues")).rows;
    expect(venue).toMatchObject({ venue: "fake", state: "followed", topics: 1, topicsLive: 1 });
    const { publisherId, epoch } = rig.ingestor;
    const publisher = { shard: null, state: "followed", lostSinceTimeUs: null };
    expect(venue?.publishers).toEqual([{ ...publisher, publisher: publisherId, epoch }]);
    expect(venue?.instruments).toBe(2);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 100)]);
    await rig.settle();
    const [heard] = (await read("venues", "venue=fake")).rows;
    expect(heard?.latency.publishToReceive?.count).toBe(1);
    rig.ingestor.close();
    for (let minute = 0; minute < 4; minute += 1) {
      rig.clock.advance(60_000);
      await rig.settle();
    }
    const [lost] = (await read("venues")).rows;
    expect(lost?.state).toBe("lost");
    expect(lost?.publishers[0]?.lostSinceTimeUs).toBeLessThan(rig.clock.nowUs());
  });

  test("has totals that do not grow with what there is", async () => {
    rig = await Rig.start(transport);
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/trades");
    expect(await totals()).toMatchObject({
      transport,
      sessions: 1,
      topics: 1,
      subscriptions: 1,
      instruments: 2,
      notReady: [],
      framesPerSecond: null,
    });
    rig.clock.advance(1_000);
    expect((await totals())["framesPerSecond"]).not.toBeNull();
  });
});
