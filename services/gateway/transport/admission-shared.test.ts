import { describe, expect, test } from "vitest";
import { createSharedAccounts, SharedAccounts } from "#core/shared-accounts.ts";
import { Admission } from "./admission.ts";

const LIMITS = {
  connectionsMax: 100,
  connectionsPerAddressMax: 10,
  bodyBytesMax: 64 * 1024,
  bodyBytesPerAddressMax: 32 * 1024,
  bodyTimeoutMs: 1_000,
  bodyBytesPerSecondMin: 1,
  requestsPerSecondMax: 100,
  requestsPerSecondPerAddressMax: 10,
};
/** Sockets above a limit that are still told what it is. */
const REFUSAL_ROOM = 32;
const HERE = "192.0.2.1";
const THERE = "192.0.2.2";

function twoThreads(limits: Partial<typeof LIMITS> = {}) {
  const memory = createSharedAccounts({ accountsMax: 1_000, threads: 2, seed: 7 });
  const clock = { ms: 0 };
  const admissions = [0, 1].map((thread) => {
    const accounts = new SharedAccounts(memory, thread);
    const shared = { accounts, nowNs: () => BigInt(clock.ms) * 1_000_000n };
    return new Admission({ ...LIMITS, ...limits }, () => clock.ms, shared);
  });
  return { admissions: admissions as [Admission, Admission], clock };
}

describe("admission that two threads share", () => {
  test.each([
    [9, undefined],
    [10, undefined],
    [11, "connectionsPerAddressMax"],
  ])("socket %i of an address, by turns on both, exceeds: %s", (count, limit) => {
    const { admissions } = twoThreads();
    for (let opened = 0; opened < count; opened += 1) {
      expect(admissions[opened % 2]!.openSocket(HERE)).toBeUndefined();
    }
    expect(admissions[0].exceeded(HERE)).toBe(limit);
    expect(admissions[1].exceeded(HERE)).toBe(limit);
    expect(admissions[0].exceeded(THERE)).toBeUndefined();
    expect(admissions[1].sockets).toBe(count);
  });

  test("sockets far above the limit are not counted, and those that close make room", () => {
    const { admissions } = twoThreads({ connectionsMax: 10 });
    const [one, two] = admissions;
    for (let opened = 0; opened < 10 + REFUSAL_ROOM; opened += 1) {
      expect(admissions[opened % 2]!.openSocket(undefined)).toBeUndefined();
    }
    expect(one.openSocket(undefined)).toBe("connectionsMax");
    expect(two.openSocket(HERE)).toBe("connectionsMax");
    one.closeSocket(undefined);
    expect(two.openSocket(HERE)).toBeUndefined();
    two.closeSocket(HERE);
    expect(one.sockets).toBe(10 + REFUSAL_ROOM - 1);
    expect(two.addresses).toBe(0);
  });

  test("a refused socket of an address does not stay counted in all", () => {
    const { admissions } = twoThreads();
    for (let opened = 0; opened < 10 + REFUSAL_ROOM; opened += 1) admissions[0].openSocket(HERE);
    expect(admissions[1].openSocket(HERE)).toBe("connectionsPerAddressMax");
    expect(admissions[1].sockets).toBe(10 + REFUSAL_ROOM);
  });

  test.each([
    [19, undefined],
    [20, "requestsPerSecondPerAddressMax"],
  ])("after %i requests in one moment, by turns on both, one exceeds: %s", (count, limit) => {
    const { admissions, clock } = twoThreads();
    clock.ms = 1_000_000;
    for (let asked = 0; asked < count; asked += 1) {
      expect(admissions[asked % 2]!.request(HERE)).toBeUndefined();
    }
    expect(admissions[1].request(HERE)).toBe(limit);
    clock.ms += 100;
    expect(admissions[0].request(HERE)).toBeUndefined();
  });

  test("an address is forgotten when it could ask for everything again", () => {
    const { admissions, clock } = twoThreads();
    const [one, two] = admissions;
    clock.ms = 1_000_000;
    for (let asked = 0; asked < 10; asked += 1) {
      one.request(HERE);
      two.request(HERE);
    }
    clock.ms += 1_999;
    one.sweep();
    two.sweep();
    expect([one.addresses, two.addresses]).toEqual([1, 1]);
    clock.ms += 1;
    one.sweep();
    two.sweep();
    expect([one.addresses, two.addresses]).toEqual([0, 0]);
  });

  test.each([
    [16 * 1024, undefined],
    [16 * 1024 + 1, "bodyBytesPerAddressMax"],
  ])("16 KiB of a body on one and %i bytes on the other exceed: %s", (bytes, limit) => {
    const { admissions } = twoThreads();
    const [one, two] = admissions;
    expect(one.holdBody(HERE, 16 * 1024)).toBeUndefined();
    expect(two.holdBody(HERE, bytes)).toBe(limit);
    one.releaseBody(HERE, 16 * 1024);
    expect(two.holdBody(THERE, 32 * 1024)).toBeUndefined();
  });

  test("bodies of all addresses are limited together", () => {
    const { admissions } = twoThreads();
    const [one, two] = admissions;
    expect(one.holdBody(HERE, 32 * 1024)).toBeUndefined();
    expect(two.holdBody(THERE, 32 * 1024)).toBeUndefined();
    expect(two.holdBody("192.0.2.3", 1)).toBe("bodyBytesMax");
    one.releaseBody(HERE, 1_024);
    expect(two.holdBody("192.0.2.3", 1_024)).toBeUndefined();
  });
});
