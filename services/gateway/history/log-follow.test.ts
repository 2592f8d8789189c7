import fc from "fast-check";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { readBusBatch } from "@tickwire/proto/codec";
import { StreamLogError } from "#bus/stream-log.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog, tradeBatches } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { EventLog } from "./event-log.ts";
import { followLog } from "./log-follow.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "trades" } as const;
const SUBJECT = "md.v2.fake.trades.A-USD";
const OTHER = "md.v2.fake.quotes.A-USD";
const SILENT = { info() {}, warn() {}, error() {}, debug() {} } as never;

function openLog() {
  const listed = new ListedLog();
  const clock = new ManualClock();
  const metrics = createGatewayMetrics(new Registry());
  const log = new EventLog({ log: listed, clock, logger: SILENT, metrics });
  const follow = async (epoch: number, sequence: number, wants = Infinity) => {
    const given: (readonly [number, number])[] = [];
    const parts = { log, clock, line: idleLine() };
    const { outcome } = await followLog(parts, NAME, { epoch, sequence }, (batch) => {
      given.push([batch.baseSequence, batch.baseSequence + batch.count]);
      return given.length < wants;
    });
    return { outcome, given };
  };
  return { listed, clock, metrics, log, follow };
}

const ones = (count: number) => Array.from({ length: count }, () => 1);

test("gives what follows a position, and says that it ended", async () => {
  const { listed, follow } = openLog();
  for (const bytes of tradeBatches({ epoch: 4, counts: [1, 2, 3] })) listed.put(SUBJECT, bytes);
  expect(await follow(4, 1)).toEqual({
    outcome: "ended",
    given: [
      [1, 3],
      [3, 6],
    ],
  });
  expect(await follow(4, 0, 1)).toEqual({ outcome: "stopped", given: [[0, 1]] });
  expect(await follow(4, 6)).toEqual({ outcome: "ended", given: [] });
});

test("a position within a batch cannot be followed", async () => {
  const { listed, follow } = openLog();
  for (const bytes of tradeBatches({ epoch: 4, counts: [1, 3] })) listed.put(SUBJECT, bytes);
  expect(await follow(4, 2)).toEqual({ outcome: "hole", given: [] });
});

test("a batch that is not there ends it where it would be", async () => {
  const { listed, follow } = openLog();
  for (const bytes of tradeBatches({ epoch: 4, counts: ones(9) })) listed.put(SUBJECT, bytes);
  listed.remove(5);
  const { outcome, given } = await follow(4, 2);
  expect([outcome, given.at(-1)]).toEqual(["hole", [3, 4]]);
});

test("what limits have cut off is absent, up to the very event", async () => {
  const { listed, follow } = openLog();
  for (const bytes of tradeBatches({ epoch: 4, counts: ones(300) })) listed.put(SUBJECT, bytes);
  listed.truncate(100);
  expect((await follow(4, 99)).outcome).toBe("absent");
  const { outcome, given } = await follow(4, 100);
  expect([outcome, given.length]).toEqual(["ended", 200]);
});

test("an epoch that the log does not have is absent", async () => {
  const { listed, follow } = openLog();
  expect((await follow(4, 0)).outcome).toBe("absent");
  for (const bytes of tradeBatches({ epoch: 5, counts: ones(300) })) listed.put(SUBJECT, bytes);
  expect((await follow(4, 0)).outcome).toBe("absent");
});

test("bytes that are no batch of the topic are passed over, and leave a hole", async () => {
  const { listed, follow } = openLog();
  const [first, second, third] = tradeBatches({ epoch: 4, counts: [1, 1, 1] });
  listed.put(SUBJECT, first!);
  listed.put(SUBJECT, new Uint8Array([1, 2, 3]));
  listed.put(SUBJECT, second!);
  listed.put(SUBJECT, third!.subarray(0, third!.length - 3));
  listed.put(SUBJECT, tradeBatches({ epoch: 4, sequence: 3, counts: [1] })[0]!);
  expect(await follow(4, 0)).toEqual({
    outcome: "hole",
    given: [
      [0, 1],
      [1, 2],
    ],
  });
});

test("a log that fails is absent at once for a while, and asked again after it", async () => {
  const { listed, clock, follow } = openLog();
  for (const bytes of tradeBatches({ epoch: 4, counts: [1] })) listed.put(SUBJECT, bytes);
  listed.failure = new StreamLogError("log-unavailable", "no");
  expect((await follow(4, 0)).outcome).toBe("absent");
  listed.failure = undefined;
  const { asked } = listed;
  clock.advance(4_999);
  expect((await follow(4, 0)).outcome).toBe("absent");
  expect(listed.asked).toBe(asked);
  clock.advance(1);
  expect((await follow(4, 0)).outcome).toBe("ended");
});

test("a position in a long log is found with few questions", async () => {
  const { listed, follow } = openLog();
  const epochs = [7, 3, 9, 4, 8];
  for (const epoch of epochs) {
    for (const bytes of tradeBatches({ epoch, counts: ones(4_000) })) {
      listed.put(SUBJECT, bytes);
      listed.put(OTHER, bytes);
    }
  }
  for (const epoch of epochs) {
    listed.asked = 0;
    const { outcome, given } = await follow(epoch, 3_000, 3);
    expect([outcome, given[0]]).toEqual(["stopped", [3_000, 3_001]]);
    expect(listed.asked).toBeLessThan(130);
  }
});

/** Epochs one after the other, each of some batches, of which some are lost. */
const epochs = fc.uniqueArray(
  fc.record({
    epoch: fc.integer({ min: 1, max: 12 }),
    counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 40 }),
  }),
  { selector: ({ epoch }) => epoch, minLength: 1, maxLength: 4 },
);

test("finds exactly what a reader of the whole log finds, whatever is lost of it", async () => {
  const asked = fc.record({ index: fc.nat(), sequence: fc.nat({ max: 100 }) });
  const losses = fc.array(fc.nat({ max: 60 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(epochs, asked, losses, fc.nat({ max: 30 }), async (lives, at, lost, cut) => {
      const { listed, follow } = openLog();
      const kept: Uint8Array[] = [];
      let place = 0;
      for (const { epoch, counts } of lives) {
        for (const bytes of tradeBatches({ epoch, counts })) {
          place += 1;
          listed.put(OTHER, bytes);
          if (lost.includes(place) || place <= cut) continue;
          listed.put(SUBJECT, bytes);
          kept.push(bytes);
        }
      }
      const { epoch } = lives[at.index % lives.length]!;
      const { sequence } = at;
      const { outcome, given } = await follow(epoch, sequence);
      const expected = plainFollow(kept, epoch, sequence);
      expect({ outcome, given }).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

/** The same by reading everything in order. */
function plainFollow(kept: readonly Uint8Array[], epoch: number, sequence: number) {
  const own = kept
    .map((bytes) => readBusBatch(bytes))
    .filter((batch) => batch.epoch === epoch)
    .map(({ baseSequence, count }) => [baseSequence, baseSequence + count] as const);
  const given: (readonly [number, number])[] = [];
  if (!own.some(([base]) => base <= sequence)) return { outcome: "absent", given };
  let at = sequence;
  for (const batch of own) {
    if (batch[1] <= at) continue;
    if (batch[0] !== at) return { outcome: "hole", given };
    given.push(batch);
    at = batch[1];
  }
  return { outcome: "ended", given };
}

test("two publishers that write at once never make it give what is not the next", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }),
      fc.nat({ max: 100 }),
      async (turns, sequence) => {
        const { listed, follow } = openLog();
        const writers = [4, 5].map((epoch) => tradeBatches({ epoch, counts: ones(200) }));
        const next = [0, 0];
        for (const turn of turns) {
          const writer = Number(turn);
          listed.put(SUBJECT, writers[writer]![next[writer]!]!);
          next[writer]! += 1;
        }
        const { outcome, given } = await follow(4, sequence);
        expect(given).toEqual(given.map((_, index) => [sequence + index, sequence + index + 1]));
        const reached = sequence + given.length;
        const isAbsent = outcome === "absent";
        expect(reached).toBe(isAbsent ? sequence : Math.max(sequence, next[0]!));
        expect(outcome).not.toBe("hole");
      },
    ),
    { numRuns: 200 },
  );
});
