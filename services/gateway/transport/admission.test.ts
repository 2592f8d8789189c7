import { beforeEach, describe, expect, test } from "vitest";
import { addressKey, Admission } from "./admission.ts";

const LIMITS = {
  connectionsMax: 10,
  connectionsPerAddressMax: 4,
  bodyBytesMax: 1_000,
  bodyBytesPerAddressMax: 600,
  bodyTimeoutMs: 20_000,
  bodyBytesPerSecondMin: 1_024,
  requestsPerSecondMax: 5,
  requestsPerSecondPerAddressMax: 3,
};

/** Sockets above a limit that are told about it before more are cut. */
const ROOM = 32;

let nowMs: number;
let admission: Admission;

beforeEach(() => {
  nowMs = 0;
  admission = new Admission(LIMITS, () => nowMs);
});

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe("sockets", () => {
  test("of one address are served up to its limit, told above it, and cut far above it", () => {
    times(4, () => admission.openSocket("a"));
    expect(admission.exceeded("a")).toBeUndefined();
    expect(admission.openSocket("a")).toBeUndefined();
    expect(admission.exceeded("a")).toBe("connectionsPerAddressMax");
    expect(admission.exceeded("b")).toBeUndefined();
    admission.closeSocket("a");
    expect(admission.exceeded("a")).toBeUndefined();
  });

  test("of all addresses are served up to the limit, told above it, and cut far above it", () => {
    const opened = times(10 + ROOM, (index) => admission.openSocket(`a${index}`));
    expect(opened.every((limit) => limit === undefined)).toBe(true);
    expect(admission.exceeded("a0")).toBe("connectionsMax");
    expect(admission.openSocket("b")).toBe("connectionsMax");
    expect(admission.sockets).toBe(10 + ROOM);
    times(ROOM, (index) => admission.closeSocket(`a${index}`));
    expect(admission.exceeded("a40")).toBeUndefined();
  });

  test("of one address beyond the room are cut, and those of others are not", () => {
    const wide = new Admission({ ...LIMITS, connectionsMax: 1_000 }, () => nowMs);
    times(4 + ROOM, () => wide.openSocket("a"));
    expect(wide.openSocket("a")).toBe("connectionsPerAddressMax");
    expect(wide.openSocket("b")).toBeUndefined();
  });
});

describe("bodies", () => {
  test("of one address are held up to its limit", () => {
    expect(admission.holdBody("a", 599)).toBeUndefined();
    expect(admission.holdBody("a", 1)).toBeUndefined();
    expect(admission.holdBody("a", 1)).toBe("bodyBytesPerAddressMax");
    admission.releaseBody("a", 1);
    expect(admission.holdBody("a", 1)).toBeUndefined();
  });

  test("of all addresses are held up to the limit", () => {
    admission.holdBody("a", 600);
    expect(admission.holdBody("b", 399)).toBeUndefined();
    expect(admission.holdBody("c", 1)).toBeUndefined();
    expect(admission.holdBody("c", 1)).toBe("bodyBytesMax");
    expect(admission.bodyBytes).toBe(1_000);
  });
});

describe("requests", () => {
  test("of one address pass at its rate, with a burst of two seconds", () => {
    expect(times(6, () => admission.request("a"))).toEqual(Array(6).fill(undefined));
    expect(admission.request("a")).toBe("requestsPerSecondPerAddressMax");
    nowMs += 333;
    expect(admission.request("a")).toBe("requestsPerSecondPerAddressMax");
    nowMs += 1;
    expect(admission.request("a")).toBeUndefined();
    expect(admission.request("a")).toBe("requestsPerSecondPerAddressMax");
  });

  test("of all addresses pass at the rate of all, and refused ones cost the others nothing", () => {
    times(50, () => admission.request("a"));
    expect(times(4, () => admission.request("b"))).toEqual(Array(4).fill(undefined));
    expect(admission.request("b")).toBe("requestsPerSecondMax");
  });
});

test("an address is forgotten when it holds nothing and its tokens are back", () => {
  admission.openSocket("a");
  admission.request("a");
  admission.holdBody("b", 5);
  admission.sweep();
  expect(admission.addresses).toBe(2);
  admission.closeSocket("a");
  admission.releaseBody("b", 5);
  expect(admission.addresses).toBe(1);
  nowMs += 1_000;
  admission.sweep();
  expect(admission.addresses).toBe(0);
});

test.each([
  ["203.0.113.9", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2::/64", "2001:db8:1:2::/64"],
  ["", ""],
])("%s counts as %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});

test("addresses of one IPv6 network share what they may hold", () => {
  times(5, (index) => admission.openSocket(`2001:db8:1:2::${index}`));
  expect(admission.exceeded("2001:db8:1:2::9")).toBe("connectionsPerAddressMax");
  expect(admission.exceeded("2001:db8:1:3::9")).toBeUndefined();
});

test("a socket that is given back twice was given back once", () => {
  times(4, () => admission.openSocket("a"));
  admission.closeSocket("b");
  admission.closeSocket("a");
  admission.closeSocket("a");
  times(2, () => admission.openSocket("a"));
  expect(admission.exceeded("a")).toBeUndefined();
  admission.openSocket("a");
  expect(admission.exceeded("a")).toBe("connectionsPerAddressMax");
});
