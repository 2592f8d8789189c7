import { describe, expect, test } from "vitest";
import { GatewayAddresses } from "./gateway-addresses.ts";

const BACKOFF = { baseMs: 1_000, maxMs: 8_000 };
const SECOND_US = 1_000_000;

/** Jitter is the middle of its range. */
const addressesOf = (...urls: string[]) => new GatewayAddresses(urls, BACKOFF, () => 0.5);

describe("the addresses of a client", () => {
  test("one address waits longer with each attempt, up to the longest wait", () => {
    const addresses = addressesOf("a");
    const waits = Array.from({ length: 5 }, () => {
      addresses.failed(0, 0, 0);
      return addresses.next(0, 0).delayMs;
    });
    expect(waits).toEqual([550, 1_050, 2_050, 4_050, 4_050]);
  });

  test.each([
    [7_999, 1_050],
    [8_000, 550],
    [8_001, 550],
  ])("after a connection that held for %i ms waits %i ms", (heldMs, delayMs) => {
    const addresses = addressesOf("a");
    addresses.failed(0, 0, 0);
    addresses.failed(0, 0, heldMs);
    expect(addresses.next(0, 0).delayMs).toBe(delayMs);
  });

  test("one that fails is left for the next, which is not dialled at once", () => {
    const addresses = addressesOf("a", "b", "c");
    addresses.failed(0, 0, 0);
    expect(addresses.next(0, 0)).toEqual({ index: 1, delayMs: 550 });
    addresses.failed(1, 0, 0);
    expect(addresses.next(1, 0)).toEqual({ index: 2, delayMs: 550 });
  });

  test("each waits its own back-off", () => {
    const addresses = addressesOf("a", "b");
    for (let attempt = 0; attempt < 3; attempt++) addresses.failed(0, 0, 0);
    addresses.failed(1, 0, 0);
    // 2,050 ms for the one, 550 ms for the other.
    expect(addresses.next(1, 0)).toEqual({ index: 1, delayMs: 550 });
    addresses.failed(1, SECOND_US, 0);
    expect(addresses.next(1, SECOND_US)).toEqual({ index: 0, delayMs: 1_050 });
  });

  test("a wait that is over is followed by a short one all the same", () => {
    const addresses = addressesOf("a", "b");
    addresses.failed(0, 0, 0);
    addresses.failed(1, 60 * SECOND_US, 60_000);
    expect(addresses.next(1, 60 * SECOND_US)).toEqual({ index: 0, delayMs: 550 });
  });

  test("one that goes away comes after the others, and before one that failed later", () => {
    const addresses = addressesOf("a", "b");
    addresses.avoid(0, 0);
    expect(addresses.next(0, 0).index).toBe(1);
    addresses.failed(1, 0, 0);
    addresses.failed(1, 0, 0);
    expect(addresses.next(1, 0)).toEqual({ index: 0, delayMs: 550 });
  });

  test("after a change of the network nothing that failed before counts", () => {
    const addresses = addressesOf("a", "b");
    for (let attempt = 0; attempt < 5; attempt++) addresses.failed(0, 0, 0);
    addresses.reset();
    expect(addresses.next(1, 0)).toEqual({ index: 0, delayMs: 550 });
    addresses.failed(0, 0, 0);
    expect(addresses.next(0, 0).index).toBe(1);
  });
});
