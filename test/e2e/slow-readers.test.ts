import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ThrottledReader } from "#test/support/throttled-reader.ts";
import type { ReaderKind } from "#test/support/throttled-reader.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, startCli } from "./cli-process.ts";
import type { CliProcess } from "./cli-process.ts";

/**
 * Ten readers of one gateway, from fast to stopped, each behind a line of its own: whatever becomes
 * of the slow ones is said, and the fast ones do not notice. TICKWIRE_SLOW_READERS_SECONDS makes it
 * longer than a test should take; what was measured is printed.
 */

const SECONDS = Number(process.env["TICKWIRE_SLOW_READERS_SECONDS"] ?? 14);
/** Of each instrument. */
const EVENTS_PER_SECOND = Number(process.env["TICKWIRE_SLOW_READERS_EVENTS"] ?? 100);
const MARKET = {
  seed: 5,
  instruments: 10,
  perpetuals: 3,
  eventsPerSecond: EVENTS_PER_SECOND,
  pace: "even",
};
const TOPICS = ["trades", "quotes", "book", "ticker"].map((channel) => `simulated:*/${channel}`);
const VIEW = { depth: 10, conflationIntervalMs: 100 };
const MIB = 1024 * 1024;
const LIMITS = {
  TICKWIRE_GATEWAY__OUTBOUND_BYTES_MAX: String(2 * MIB),
  TICKWIRE_GATEWAY__WRITE_AHEAD_BYTES_MAX: String(MIB / 4),
  TICKWIRE_GATEWAY__FLIGHT_BYTES_MAX: String(MIB),
  TICKWIRE_GATEWAY__LAG_NOTICE_MS: "5000",
  TICKWIRE_GATEWAY__LAG_MS_MAX: String(Math.min(30_000, SECONDS * 650)),
};

const FAST: readonly ReaderKind[] = [
  { name: "fast, raw" },
  { name: "fast, raw" },
  { name: "fast, views", options: VIEW },
  { name: "fast, views", options: VIEW },
];
const SLOW: readonly ReaderKind[] = [
  { name: "10 KB/s, raw", bytesPerSecond: 10_000 },
  { name: "10 KB/s, views", bytesPerSecond: 10_000, options: VIEW },
  { name: "1 KB/s, raw", bytesPerSecond: 1_000 },
  { name: "1 KB/s, views", bytesPerSecond: 1_000, options: VIEW },
  { name: "stopped, raw", bytesPerSecond: 0 },
  { name: "stopped, views", bytesPerSecond: 0, options: VIEW },
];

let readers: ThrottledReader[] = [];

afterEach(async () => {
  await Promise.all(readers.map((reader) => reader.close()));
  readers = [];
  await killAll();
});

function residentBytes(gateway: CliProcess): number {
  const status = readFileSync(`/proc/${gateway.child.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

async function join(kinds: readonly ReaderKind[], port: number): Promise<ThrottledReader[]> {
  const joined = await Promise.all(kinds.map((kind) => ThrottledReader.open(kind, port)));
  for (const reader of joined) reader.subscribe(TOPICS);
  readers.push(...joined);
  return joined;
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new Error(`${what} did not come`);
    await pause(50);
  }
}

async function metric(adminPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function report(
  fast: readonly object[],
  rows: readonly ThrottledReader[],
  bytes: readonly number[],
) {
  const lines = rows.map(({ kind, ledger, lags, closeCodes }) => {
    const { delivered, conflated, missing } = ledger.totals();
    const counts = `delivered ${delivered}, conflated ${conflated}, missing ${missing}`;
    return `${kind.name}: ${counts}, lag notices ${lags}, closed by ${closeCodes.join() || "nobody"}`;
  });
  const memory = bytes.map((each) => `${Math.round(each / MIB)} MB`).join(" before, then ");
  process.stdout.write(`${lines.join("\n")}\n${JSON.stringify(fast)}\nresident ${memory}\n`);
}

test("whatever slow readers do not get is said, and the fast ones do not notice", async () => {
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  const gateway = startCli(["dev", "--port", String(port), "--admin-port", String(adminPort)], {
    environment: {
      ...LIMITS,
      TICKWIRE_INGEST__VENUES: JSON.stringify([{ id: "simulated", simulated: MARKET }]),
    },
  });
  await gateway.waitFor("stdout", /127\.0\.0\.1:\d+/);
  const fast = await join(FAST, port);
  await until(() => fast.every(({ ledger }) => ledger.totals().delivered > 1_000), "the market");
  for (const reader of fast) reader.takeLatenciesMs();
  await pause(SECONDS * 1_000);
  const alone = fast.map((reader) => reader.takeLatenciesMs());
  const bytesBefore = residentBytes(gateway);
  const slow = await join(SLOW, port);
  let bytesMost = 0;
  for (let second = 0; second < SECONDS; second += 1) {
    await pause(1_000);
    bytesMost = Math.max(bytesMost, residentBytes(gateway));
  }
  const together = fast.map((reader) => reader.takeLatenciesMs());
  for (const reader of slow) reader.hurry();
  const nowUs = (Date.now() + 1_000) * 1_000;
  await until(() => readers.every(({ ledger }) => ledger.publishedTimeUs > nowUs), "what is new");
  report(
    alone.map((before, index) => ({ before, after: together[index] })),
    readers,
    [bytesBefore, bytesMost],
  );

  // The invariant, per subscription: no sequence that nobody accounts for.
  for (const { kind, ledger, client, gapsBeforeLag } of readers) {
    const { conflated } = ledger.totals();
    expect([kind.name, ledger.faults]).toEqual([kind.name, []]);
    expect([kind.name, ledger.totals("/trades").conflated]).toEqual([kind.name, 0]);
    // The client counts of itself what a program that listens has counted.
    expect([kind.name, client.counters.conflatedEvents]).toEqual([kind.name, conflated]);
    // Nobody loses anything before being told.
    expect([kind.name, gapsBeforeLag]).toEqual([kind.name, 0]);
  }
  for (const { ledger, lags, closeCodes } of fast) {
    expect([ledger.totals().missing, lags, closeCodes]).toEqual([0, 0, []]);
  }
  expect(fast[0]?.ledger.totals().conflated).toBe(0);
  const stopped = slow.filter(({ kind }) => kind.bytesPerSecond === 0);
  for (const { lags, closeCodes } of stopped) {
    expect(lags).toBeGreaterThan(0);
    expect(closeCodes[0]).toBe(4001);
  }
  expect(await metric(adminPort, "tickwire_gateway_lag_notices_total")).toBeGreaterThanOrEqual(4);
  expect(await metric(adminPort, "tickwire_gateway_slow_consumers_total")).toBeGreaterThanOrEqual(
    2,
  );
  // Six readers may owe what the limits allow, and what the sockets hold.
  expect(bytesMost - bytesBefore).toBeLessThan(6 * 8 * MIB + 64 * MIB);
  // In the middle: the highest hundredth is that of the machine's other work, and the benchmark's.
  for (const [index, { p50 }] of together.entries()) {
    expect(p50).toBeLessThan((alone[index]?.p50 ?? 0) * 3 + 50);
  }
}, 240_000);
