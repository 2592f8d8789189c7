import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Flight } from "./flight.ts";

const KIB = 1_024;
const SECOND_US = 1_000_000;

/** Sends so much, all of it owed at this time, and the probe if one is wanted. */
function send(flight: Flight, bytes: number, end: number, nowUs: number): number {
  flight.owes(end, nowUs);
  flight.sent(bytes);
  if (!flight.wantsProbe(end)) return 0;
  const number = flight.nextNumber;
  flight.probed(end, nowUs);
  return number;
}

describe("the lag of a client", () => {
  test("is the age of the oldest thing that it has not answered for", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    const first = send(flight, 10, 10, 0);
    const second = send(flight, 10, 20, 3 * SECOND_US);
    expect(flight.lagUs(4 * SECOND_US)).toBe(4 * SECOND_US);
    expect(flight.answered(first, 4 * SECOND_US)).toBe(4 * SECOND_US);
    expect(flight.lagUs(4 * SECOND_US)).toBe(SECOND_US);
    expect(flight.answered(second, 5 * SECOND_US)).toBe(2 * SECOND_US);
    expect([flight.lagUs(9 * SECOND_US), flight.isOpen]).toEqual([0, false]);
  });

  test("counts from when something was owed, not from when it left", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    flight.owes(500, 0);
    expect(flight.wantsProbe(499)).toBe(false);
    expect(flight.wantsProbe(500)).toBe(true);
    flight.probed(500, 7 * SECOND_US);
    expect(flight.lagUs(8 * SECOND_US)).toBe(8 * SECOND_US);
  });

  test("leaves out time in which the gateway stood still", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    send(flight, 10, 10, 0);
    flight.owes(20, 2 * SECOND_US);
    flight.forgive(60 * SECOND_US);
    expect(flight.lagUs(64 * SECOND_US)).toBe(4 * SECOND_US);
  });

  test("is known by an answer to a later probe, and by none that was not sent", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    const first = send(flight, 10, 10, 0);
    const second = send(flight, 10, 20, 3 * SECOND_US);
    expect(flight.answered(77, 0)).toBeUndefined();
    expect(flight.answered(second, 4 * SECOND_US)).toBe(4 * SECOND_US);
    expect(flight.answered(first, 4 * SECOND_US)).toBeUndefined();
    expect(flight.isOpen).toBe(false);
  });

  test("does not wait for what was taken back", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    flight.owes(500, 0);
    flight.takenBack(100);
    expect(flight.wantsProbe(100)).toBe(true);
  });

  test.each([
    [63, 63],
    [64, 64],
    [65, 64],
  ])("is remembered at %i places as %i", (places, remembered) => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    for (let place = 1; place <= places; place += 1) flight.owes(place, place * 2 * SECOND_US);
    let probes = 0;
    for (; flight.wantsProbe(probes + 1); probes += 1) flight.probed(probes + 1, 0);
    expect(probes).toBe(remembered);
  });
});

describe("what may be under way", () => {
  const fill = (flight: Flight): number => {
    let bytes = 0;
    for (; flight.hasRoom(0); bytes += KIB) {
      flight.sent(KIB);
      if (flight.wantsProbe(0)) flight.probed(0, 0);
    }
    return bytes;
  };
  // At one moment, so that nothing is late.
  const answerAll = (flight: Flight, nowUs: number) => {
    flight.answered(flight.nextNumber - 1, nowUs);
    flight.begin(0, nowUs);
  };

  test("begins with 256 KiB, and doubles while the client answers quickly, up to the limit", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    const filled: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const left = fill(flight);
      filled.push(left / KIB);
      answerAll(flight, 1_000);
    }
    expect(filled).toEqual([256, 512, 1_024, 1_024]);
  });

  test("halves while it answers slowly, down to 64 KiB", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    const filled: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      filled.push(fill(flight) / KIB);
      answerAll(flight, 2 * SECOND_US);
    }
    expect(filled).toEqual([256, 128, 64, 64]);
  });

  test("is 64 KiB while a probe has not been answered for a second", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    const number = send(flight, 64 * KIB, 64 * KIB, 0);
    expect([flight.hasRoom(SECOND_US), flight.hasRoom(SECOND_US + 1)]).toEqual([true, false]);
    flight.answered(number, SECOND_US + 1);
    expect(flight.hasRoom(SECOND_US + 1)).toBe(true);
  });

  test("does not grow with a client of which nothing was asked", () => {
    const flight = new Flight({ flightBytesMax: 1_024 * KIB });
    for (let round = 1; round < 10; round += 1) {
      flight.answered(send(flight, 100, round * 100, round * 3 * SECOND_US), round * 3 * SECOND_US);
    }
    expect(fill(flight) / KIB).toBe(256);
  });

  describe("while much is to be sent", () => {
    const MEGABYTE = 1_000_000;

    /**
     * A line of so many bytes a millisecond, on which an answer takes `idleMs` at best, and which
     * is always given as much as may be. Says how long the last answers took, in milliseconds, and
     * how many bytes came through in a millisecond.
     */
    function carry(bytesPerMs: number, { idleMs = 1, ms = 3_000, clumpMs = 1 } = {}) {
      const flight = new Flight({ flightBytesMax: 16 * MEGABYTE });
      const line: { number: number; at: number; sentAtMs: number }[] = [];
      const transitsMs: number[] = [];
      let freeAtMs = 0;
      let through = 0;
      for (let nowMs = 0; nowMs < ms; nowMs += 1) {
        if (nowMs % clumpMs === 0) {
          while (line[0] !== undefined && line[0].at <= nowMs) {
            const { number, sentAtMs } = line.shift()!;
            if (number === 0) continue;
            transitsMs.push(nowMs - sentAtMs);
            flight.answered(number, nowMs * 1_000);
          }
        }
        flight.begin(MEGABYTE, nowMs * 1_000);
        while (flight.wantsProbe(0) || flight.hasRoom(nowMs * 1_000)) {
          if (!flight.wantsProbe(0)) {
            const bytes = Math.max(1_000, Math.floor(flight.frameBytes(nowMs * 1_000)));
            flight.sent(bytes);
            freeAtMs = Math.max(nowMs, freeAtMs) + bytes / bytesPerMs;
            through += bytes;
          }
          if (!flight.wantsProbe(0)) continue;
          line.push({
            number: flight.nextNumber,
            at: Math.max(nowMs, freeAtMs) + idleMs,
            sentAtMs: nowMs,
          });
          flight.probed(0, nowMs * 1_000);
        }
      }
      const late = transitsMs.slice(-50).sort((left, right) => left - right);
      const slowestEverMs = Math.max(...transitsMs);
      return { slowestMs: late.at(-1)!, slowestEverMs, throughPerMs: through / ms };
    }

    test.each([
      [400, 1],
      [1_000, 1],
      [10_000, 1],
      [1_000, 100],
      [10_000, 40],
    ])("a line of %i bytes a ms and %i ms is full, and no fuller", (bytesPerMs, idleMs) => {
      const { slowestMs, throughPerMs } = carry(bytesPerMs, { idleMs, ms: 20_000 });
      expect(slowestMs).toBeLessThan(idleMs + 15);
      expect(throughPerMs).toBeGreaterThan(bytesPerMs * 0.8);
    });

    test("a client that is busy for 30 ms at a time gets as much as it reads then", () => {
      const { throughPerMs } = carry(20_000, { clumpMs: 30 });
      expect(throughPerMs).toBeGreaterThan(5_000);
    });

    test("the line is as quick for others after minutes", () => {
      const { slowestMs } = carry(1_000, { ms: 120_000 });
      expect(slowestMs).toBeLessThan(30);
    });

    // 2 KiB are under way at least, and a piece of 1 KiB behind them: 30 ms at 100 bytes a ms.
    test.each([
      [100, 55],
      [200, 28],
      [400, 20],
      [1_000, 20],
      [10_000, 20],
    ])("a line of %i bytes a ms is never fuller than %i ms, from the first byte on", (...line) => {
      const [bytesPerMs, delayMsMax] = line;
      const { slowestEverMs, throughPerMs } = carry(bytesPerMs, { ms: 5_000 });
      expect(slowestEverMs).toBeLessThanOrEqual(1 + delayMsMax);
      expect(throughPerMs).toBeGreaterThan(bytesPerMs * 0.95);
    });

    test("what was learnt is forgotten after a pause", () => {
      const flight = new Flight({ flightBytesMax: 1_024 * KIB });
      flight.begin(MEGABYTE, 0);
      expect(flight.wantsProbe(0)).toBe(true);
      flight.probed(0, 0);
      expect(fill(flight) / KIB).toBe(4);
      answerAll(flight, 1_000);
      flight.begin(0, 900_000);
      expect(flight.hasRoom(900_000)).toBe(true);
      expect(fill(flight) / KIB).toBeLessThan(64);
      answerAll(flight, 900_000);
      flight.begin(0, 2 * SECOND_US);
      expect(fill(flight) / KIB).toBe(256);
    });
  });

  test("without room there is always a probe to be answered, whatever happened", () => {
    const act = fc.record({
      kind: fc.constantFrom("send", "send", "send", "answer", "wait", "take back", "begin"),
      amount: fc.integer({ min: 1, max: 300 * KIB }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const flight = new Flight({ flightBytesMax: 512 * KIB });
        const unanswered: number[] = [];
        let nowUs = 0;
        let end = 0;
        let forgotten = 0;
        for (const { kind, amount } of acts) {
          if (kind === "wait") nowUs += amount * 10;
          else if (kind === "take back") flight.takenBack(end);
          else if (kind === "begin") {
            flight.begin(amount, nowUs);
            if (flight.wantsProbe(0)) {
              unanswered.push(flight.nextNumber);
              flight.probed(0, nowUs);
            }
          } else if (kind === "answer") {
            const [number] = unanswered.splice(0, 1);
            if (number !== undefined && flight.answered(number, nowUs) === undefined)
              forgotten += 1;
          } else if (flight.hasRoom(nowUs)) {
            end += amount;
            const number = send(flight, amount, end, nowUs);
            if (number > 0) unanswered.push(number);
          }
          expect(flight.hasRoom(nowUs) || unanswered.length > 0).toBe(true);
          expect(unanswered.length).toBeLessThanOrEqual(64);
          expect(flight.lagUs(nowUs)).toBeLessThanOrEqual(nowUs);
          expect(unanswered.length === 0 || flight.isOpen).toBe(true);
        }
        expect(forgotten).toBe(0);
        for (const number of unanswered) flight.answered(number, nowUs);
        expect(flight.hasRoom(nowUs)).toBe(true);
      }),
    );
  });
});
