import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { examineStream } from "#bus/jetstream-examination.ts";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import {
  ANNOUNCE_PATTERN,
  announceSubject,
  DISCOVER_SUBJECT,
  leadershipSubject,
  queryPattern,
  querySubject,
} from "#bus/subject.ts";
import {
  NATS_PASSWORDS,
  startAccountsServer,
  type AccountsServer,
} from "#test/support/nats-accounts.ts";
import { requireNatsServer } from "#test/support/nats-server.ts";

const bytes = new TextEncoder().encode("x");

describe.skipIf(requireNatsServer() === undefined)("what infra/nats/accounts.conf allows", () => {
  const open: Bus[] = [];
  let server: AccountsServer;
  let refusals: string[] = [];

  beforeAll(async () => {
    server = await startAccountsServer();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()));
    refusals = [];
  });
  afterAll(async () => {
    await server.stop();
  });

  async function connectAs(user: string, pass: string): Promise<Bus> {
    const onServerError = (error: Error): void => void refusals.push(String(error));
    const bus = await connectNatsBus({ servers: server.url, user, pass, onServerError });
    open.push(bus);
    return bus;
  }
  const gateway = () => connectAs("gateway", NATS_PASSWORDS.gateway);
  const derive = () => connectAs("derive", NATS_PASSWORDS.derive);
  const ingest = () => connectAs("ingest-simulated", NATS_PASSWORDS.ingest);

  /** What arrives of these subjects when `from` publishes on each, in order. */
  async function arriving(from: Bus, to: Bus, pattern: string, subjects: readonly string[]) {
    const heard: string[] = [];
    const subscription = to.subscribe(pattern, ({ subject }) => heard.push(subject));
    await to.flush();
    for (const subject of subjects) from.publish(subject, bytes);
    await from.flush();
    await to.flush();
    // What has arrived is handed over in a later turn.
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    subscription.unsubscribe();
    return heard;
  }

  test("everything that the two do works: announce, discover, publish, ask and answer", async () => {
    const [consumer, producer] = [await gateway(), await ingest()];
    const event = "md.v2.simulated.trades.BTC-USD";
    expect(await arriving(producer, consumer, event, [event])).toEqual([event]);
    const announced = announceSubject("simulated");
    expect(await arriving(producer, consumer, ANNOUNCE_PATTERN, [announced])).toHaveLength(1);
    expect(await arriving(consumer, producer, DISCOVER_SUBJECT, [DISCOVER_SUBJECT])).toHaveLength(
      1,
    );
    const address = { venue: "simulated", publisherId: "p1" };
    producer.subscribe(queryPattern(address), (message) => message.respond(bytes));
    await producer.flush();
    const subject = querySubject({ ...address, query: "catalog" });
    const answer = await consumer.request(subject, bytes, { timeoutMs: 5_000 });
    expect(answer).toEqual(bytes);
    expect(refusals).toEqual([]);
  });

  test("two ingestors of a venue agree who publishes it, by word and by lease", async () => {
    const [one, other] = [await ingest(), await ingest()];
    const said = leadershipSubject("simulated");
    expect(await arriving(one, other, said, [said])).toEqual([said]);
    const event = "md.v2.simulated.trades.X";
    expect(await arriving(one, other, "md.v2.simulated.>", [event])).toEqual([event]);
    const offer = await one.openLeases?.({ replicas: 1, timeoutMs: 5_000 });
    if (offer?.kind !== "there") throw new Error(`leases are ${offer?.kind}`);
    const { leases } = offer;
    const revision = await leases.write("simulated", { holder: "a", token: 1 }, { revision: 0 });
    expect(await leases.read("simulated")).toEqual({ holder: "a", token: 1, revision });
    expect(await leases.write("simulated", { holder: "b", token: 2 }, { revision: 0 })).toBe(
      "conflict",
    );
    const shard = { holder: "a", token: 1 };
    await leases.write("simulated.1-of-2", shard, { revision: 0 });
    expect(refusals).toEqual([]);
    await expect(leases.write("other", shard, { revision: 0 })).rejects.toMatchObject({
      code: "lease-unavailable",
    });
  });

  test("an ingestor makes the stream of its venue, a gateway reads it, and neither does more", async () => {
    const settings = { storage: "file", replicas: 1, bytesMax: 1e6, ageMsMax: 60_000 } as const;
    const logAs = (user: string, pass: string) =>
      new JetStreamLog({ servers: server.url, user, pass, timeoutMs: 5_000 });
    const making = logAs("ingest-simulated", NATS_PASSWORDS.ingest);
    const reading = logAs("gateway", NATS_PASSWORDS.gateway);
    await making.ensure("simulated", settings);
    await making.ensure("simulated", { ...settings, bytesMax: 2e6 });
    const event = "md.v2.simulated.trades.BTC-USD";
    const producer = await ingest();
    producer.publish(event, bytes);
    await producer.flush();
    await expect.poll(() => reading.last(event)).toMatchObject({ payload: bytes });
    const page = await reading.read(event, { place: 1 }, { entriesMax: 10, bytesMax: 1_000 });
    expect(page).toMatchObject({ entries: [{ payload: bytes }], isLast: true });
    expect(await reading.first(event, 1)).toMatchObject({ payload: bytes });
    await expect(reading.ensure("simulated", settings)).rejects.toThrow("STREAM.UPDATE");
    await expect(reading.ensure("other", settings)).rejects.toThrow("STREAM.CREATE");
    await expect(making.ensure("other", settings)).rejects.toThrow("STREAM.INFO");
    await making.close();
    await reading.close();
    for (const bus of [await gateway(), producer]) {
      for (const what of ["PURGE", "DELETE", "MSG.DELETE"]) {
        const asked = bus.request(`$JS.API.STREAM.${what}.TICKWIRE_simulated`, bytes, {
          timeoutMs: 5_000,
        });
        await expect(asked).rejects.toThrow("the request on");
      }
    }
    expect(refusals.filter((refusal) => refusal.includes("Permissions Violation"))).not.toEqual([]);
  });

  test("what each may do with the stream is found out without doing it", async () => {
    const examine = (user: string, pass: string, venue = "simulated") =>
      examineStream({ servers: server.url, user, pass, timeoutMs: 5_000 }, venue);
    const asIngest = await examine("ingest-simulated", NATS_PASSWORDS.ingest);
    expect(asIngest.refusedToMake).toEqual([]);
    expect(asIngest.refusedToRead).toContain("$JS.API.DIRECT.GET.TICKWIRE_simulated");
    const asGateway = await examine("gateway", NATS_PASSWORDS.gateway);
    expect(asGateway.refusedToRead).toEqual([]);
    expect(asGateway.refusedToMake).toEqual([
      "$JS.API.STREAM.CREATE.TICKWIRE_simulated",
      "$JS.API.STREAM.UPDATE.TICKWIRE_simulated",
    ]);
    expect(asGateway.stream).toMatchObject({
      subjects: ["md.v2.simulated.>"],
      retention: "limits",
      discard: "old",
      storage: "file",
      bytesMax: 2e6,
      ageMsMax: 60_000,
      duplicateWindowMs: 60_000,
      allowsDirect: true,
      entries: 1,
    });
    const other = await examine("gateway", NATS_PASSWORDS.gateway, "other");
    expect(other).toMatchObject({ name: "TICKWIRE_other", isServed: true });
    expect(other.stream).toBeUndefined();
  });

  test("a gateway publishes no market data and no announcements", async () => {
    const [intruder, other] = [await gateway(), await gateway()];
    const forbidden = ["md.v2.simulated.trades.BTC-USD", "md.v2.other.book.X"];
    expect(await arriving(intruder, other, "md.v2.>", forbidden)).toEqual([]);
    const announced = announceSubject("simulated");
    expect(await arriving(intruder, other, ANNOUNCE_PATTERN, [announced])).toEqual([]);
    expect(refusals).toHaveLength(3);
    for (const refusal of refusals) expect(refusal).toMatch(/permission/i);
  });

  test("an ingestor publishes its own venues and no others", async () => {
    const [producer, consumer] = [await ingest(), await gateway()];
    const subjects = [
      "md.v2.other.trades.X",
      "md.v2.simulated.trades.X",
      "md.v2.simulated2.book.X",
    ];
    expect(await arriving(producer, consumer, "md.v2.>", subjects)).toEqual([subjects[1]]);
    expect(refusals).toHaveLength(2);
  });

  test("an ingestor announces its own venues and no others", async () => {
    const [producer, consumer] = [await ingest(), await gateway()];
    const subjects = ["other", "simulated", "simulated2"].map(announceSubject);
    const own = announceSubject("simulated");
    expect(await arriving(producer, consumer, ANNOUNCE_PATTERN, subjects)).toEqual([own]);
    expect(refusals).toHaveLength(2);
  });

  test("an ingestor answers for no other venue, and reads no market data", async () => {
    const [producer, consumer] = [await ingest(), await gateway()];
    producer.subscribe("rq.v2.other.>", (message) => message.respond(bytes));
    producer.subscribe("md.v2.>", () => undefined);
    await producer.flush();
    const asked = consumer.request("rq.v2.other.catalog", bytes, { timeoutMs: 2_000 });
    await expect(asked).rejects.toMatchObject({ code: "no-responders" });
    // Some are told twice: by the connection and by the subscription.
    expect(new Set(refusals).size).toBe(2);
  });

  test("a deriver publishes what it makes, and of its sources it only reads and asks", async () => {
    const [deriver, consumer] = [await derive(), await gateway()];
    const own = ["md.v2.consolidated.quotes.BTC-USD", "md.v2.simulated-derived.candles.BTC-USD"];
    const others = ["md.v2.simulated.trades.X", "md.v2.kraken-derived.candles.X"];
    expect(await arriving(deriver, consumer, "md.v2.>", [...own, ...others])).toEqual(own);
    const announced = ["consolidated", "simulated-derived", "simulated"].map(announceSubject);
    expect(await arriving(deriver, consumer, ANNOUNCE_PATTERN, announced)).toEqual(
      announced.slice(0, 2),
    );
    expect(refusals).toHaveLength(3);
    const producer = await ingest();
    const event = "md.v2.simulated.trades.X";
    expect(await arriving(producer, deriver, event, [event])).toEqual([event]);
    const address = { venue: "simulated", publisherId: "p2" };
    producer.subscribe(queryPattern(address), (message) => message.respond(bytes));
    await producer.flush();
    const asked = querySubject({ ...address, query: "trades", symbol: "X" });
    expect(await deriver.request(asked, bytes, { timeoutMs: 5_000 })).toEqual(bytes);
    // It does not answer for its sources, and leads none of them.
    deriver.subscribe("rq.v2.simulated.>", (message) => message.respond(bytes));
    deriver.subscribe(leadershipSubject("simulated"), () => undefined);
    await deriver.flush();
    expect(new Set(refusals).size).toBe(5);
  });

  test("nobody is let in without a password, or with another's", async () => {
    const refused = { code: "connect-refused" };
    await expect(connectNatsBus({ servers: server.url })).rejects.toMatchObject(refused);
    const wrong = connectAs("gateway", NATS_PASSWORDS.ingest);
    await expect(wrong).rejects.toMatchObject(refused);
  });
});
