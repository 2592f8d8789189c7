import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { MemoryBus } from "./memory-bus.ts";
import { MemoryLog } from "./memory-log.ts";

const ENTRY_BYTES = 128;
const SUBJECT = "md.v2.binance.trades.BTC";
const OTHER = "md.v2.binance.trades.ETH";

let clock: ManualClock;
let bus: MemoryBus;

beforeEach(() => {
  clock = new ManualClock();
  bus = new MemoryBus({ clock });
});

function openLog(limits: Partial<ConstructorParameters<typeof MemoryLog>[0]["limits"]> = {}) {
  const all = { bytesMax: 10_000, subjectBytesMax: 10_000, ageMsMax: 1_000, ...limits };
  return new MemoryLog({ bus, clock, limits: all });
}

async function publish(subject: string, ...sizes: readonly number[]): Promise<void> {
  for (const size of sizes) bus.publish(subject, new Uint8Array(size));
  await bus.flush();
}

async function sizesOf(log: MemoryLog, subject: string): Promise<number[]> {
  const { entries } = await log.read(subject, { place: 0 }, { entriesMax: 1e3, bytesMax: 1e6 });
  return entries.map(({ payload }) => payload.byteLength);
}

test.each([
  { below: 1, kept: [100, 101] },
  { below: 0, kept: [100, 101] },
  { below: -1, kept: [101] },
])("a subject keeps its bytes up to the limit ($below below it)", async ({ below, kept }) => {
  const limit = 2 * ENTRY_BYTES + 201 + below;
  const log = openLog({ subjectBytesMax: limit });
  await publish(SUBJECT, 100, 101);
  expect(await sizesOf(log, SUBJECT)).toEqual(kept);
  expect(log.counters.evicted).toBe(2 - kept.length);
});

test.each([
  { below: 1, kept: [[100], [101]] },
  { below: 0, kept: [[100], [101]] },
  { below: -1, kept: [[], [101]] },
])("all subjects keep their bytes up to the limit ($below below it)", async ({ below, kept }) => {
  const limit = 2 * ENTRY_BYTES + 201 + below;
  const log = openLog({ bytesMax: limit, subjectBytesMax: limit });
  await publish(SUBJECT, 100);
  await publish(OTHER, 101);
  expect([await sizesOf(log, SUBJECT), await sizesOf(log, OTHER)]).toEqual(kept);
});

test("what is too old is gone, and not counted as evicted", async () => {
  const log = openLog({ ageMsMax: 1_000 });
  await publish(SUBJECT, 1);
  clock.advance(500);
  await publish(SUBJECT, 2);
  clock.advance(500);
  expect(await sizesOf(log, SUBJECT)).toEqual([1, 2]);
  clock.advance(1);
  expect(await sizesOf(log, SUBJECT)).toEqual([2]);
  clock.advance(1_000);
  expect(await log.last(SUBJECT)).toBeUndefined();
  expect(log.counters).toEqual({ entries: 0, bytes: 0, evicted: 0 });
});

test("a message larger than all that is kept of its subject leaves the others there", async () => {
  const log = openLog({ subjectBytesMax: 1_000 });
  await publish(SUBJECT, 10, 2_000, 20);
  expect(await sizesOf(log, SUBJECT)).toEqual([10, 20]);
});

test("counts exactly what it keeps over a long life of many subjects", async () => {
  const log = openLog({ bytesMax: 5_000, subjectBytesMax: 2_000 });
  for (let round = 0; round < 500; round += 1) {
    await publish(`md.v2.binance.trades.${round % 7}`, (round * 37) % 400);
    clock.advance(round % 11);
  }
  let entries = 0;
  let bytes = 0;
  for (let subject = 0; subject < 7; subject += 1) {
    const sizes = await sizesOf(log, `md.v2.binance.trades.${subject}`);
    entries += sizes.length;
    bytes += sizes.reduce((sum, size) => sum + size + ENTRY_BYTES, 0);
    expect(bytes).toBeLessThanOrEqual(5_000);
  }
  expect(log.counters).toMatchObject({ entries, bytes });
  expect(entries).toBeGreaterThan(5);
});

test("takes the events of the bus and nothing else", async () => {
  const log = openLog();
  await publish("ct.v2.announce.binance", 10);
  await publish("rq.v2.binance.x.ping", 10);
  expect(log.counters.entries).toBe(0);
});
