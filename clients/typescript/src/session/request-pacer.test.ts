import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../../services/gateway/session/rate-limits.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { RequestPacer } from "./request-pacer.ts";

/** Sends `count` requests as fast as the pacer lets, and says when each went out. */
function sendAll(clock: ManualClock, pacer: RequestPacer, count: number): number[] {
  const sentAtUs: number[] = [];
  const send = () => {
    while (sentAtUs.length < count) {
      if (!pacer.take()) {
        pacer.whenReady(send);
        return;
      }
      sentAtUs.push(clock.nowUs());
    }
  };
  send();
  while (clock.nextUs !== undefined) clock.advanceTo(clock.nextUs);
  return sentAtUs;
}

describe("requests in a burst", () => {
  test.each([1, 2, 10, 500])("stay below a gateway's limit of %i a second", (perSecond) => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(perSecond, clock.nowUs());
    expect(bucket.take(1, clock.nowUs())).toBe(true); // The Hello.
    const pacer = new RequestPacer(clock);
    pacer.start(perSecond);
    const startUs = clock.nowUs();
    const sentAtUs = sendAll(clock, pacer, 3 * perSecond);
    expect(sentAtUs.filter((atUs) => !bucket.take(1, atUs))).toEqual([]);
    // And they are not held back more than needed.
    expect(sentAtUs.at(-1)! - startUs).toBeLessThanOrEqual(3.5e6 + 1e6 / perSecond);
  });

  test("stay below it also when the network delivers 400 ms of them together", () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(500, clock.nowUs());
    const pacer = new RequestPacer(clock);
    pacer.start(500);
    const arrivals = sendAll(clock, pacer, 2_000).map((us) => Math.ceil(us / 400_000) * 400_000);
    expect(arrivals.filter((atUs) => !bucket.take(1, atUs))).toEqual([]);
  });

  test("go out at once where the gateway names no limit", () => {
    const clock = new ManualClock();
    const pacer = new RequestPacer(clock);
    pacer.start(0);
    expect(new Set(sendAll(clock, pacer, 10_000)).size).toBe(1);
  });

  test("what is charged is made up for", () => {
    const clock = new ManualClock();
    const pacer = new RequestPacer(clock);
    pacer.start(10);
    pacer.charge(6);
    expect(pacer.take()).toBe(false);
    clock.advance(200);
    expect(pacer.take()).toBe(false);
    clock.advance(100);
    expect(pacer.take()).toBe(true);
  });

  test("nobody is called after the connection is gone", () => {
    const clock = new ManualClock();
    const pacer = new RequestPacer(clock);
    pacer.start(1);
    let called = 0;
    pacer.whenReady(() => (called += 1));
    pacer.stop();
    clock.advance(10_000);
    expect(called).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
