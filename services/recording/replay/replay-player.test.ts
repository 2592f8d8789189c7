import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { topicOf } from "#test/support/recorded-market.ts";
import type { RecordedEntry } from "../format/entry.ts";
import { ReplayPlayer, type ReplayPlayerOptions } from "./replay-player.ts";
import { REPLAY_TABLE, type ReplayInput, type ReplayState } from "./replay-table.ts";

const TOPIC = topicOf("trades");
const SECOND_US = 1_000_000;

/** Entries at these seconds; each carries its second. */
function entriesAt(seconds: readonly number[]): RecordedEntry[] {
  return seconds.map((second) => ({
    kind: "events",
    topic: TOPIC,
    timeUs: second * SECOND_US,
    held: false,
    bytes: new Uint8Array(),
  }));
}

/** A replay of entries at seconds 1 to 5 (or others), and what it did. */
class Stand {
  readonly clock = new ManualClock(0);
  readonly log: string[] = [];
  readonly player: ReplayPlayer;
  readonly ended: Promise<void>;
  isOver = false;

  constructor(options: Partial<ReplayPlayerOptions> = {}, seconds = [1, 2, 3, 4, 5], stay = true) {
    const all = entriesAt(seconds);
    const at = ({ timeUs }: RecordedEntry): number => timeUs / SECOND_US;
    this.player = new ReplayPlayer({
      source: {
        firstTimeUs: SECOND_US,
        lastTimeUs: 5 * SECOND_US,
        // As of a recording, what is before the time comes too.
        entries: async function* ({ toTimeUs }) {
          for (const entry of all) if (entry.timeUs < toTimeUs) yield [entry];
        },
      },
      sink: {
        play: (entry) => this.log.push(`play ${at(entry)}`),
        reset: () => this.log.push("reset"),
        absorb: (entry) => this.log.push(`absorb ${at(entry)}`),
        restate: () => this.log.push("restate"),
        settle: async () => undefined,
      },
      clock: this.clock,
      fromTimeUs: SECOND_US,
      toTimeUs: 6 * SECOND_US,
      speed: 1,
      loop: false,
      paused: false,
      ...options,
    });
    this.ended = this.player.run({ stay }).then(() => {
      this.isOver = true;
    });
  }

  /** Lets everything happen that waits for no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 60; turn += 1) await Promise.resolve();
  }

  /** Time passes. */
  async pass(milliseconds: number): Promise<void> {
    await this.settle();
    for (let left = milliseconds; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left));
      await this.settle();
    }
  }

  get played(): string {
    return this.log
      .filter((line) => line.startsWith("play"))
      .map((line) => line.slice(5))
      .join(" ");
  }
}

describe("a replay", () => {
  test("keeps the pauses of then", async () => {
    const stand = new Stand();
    await stand.pass(1);
    expect(stand.played).toBe("1");
    await stand.pass(998);
    expect(stand.played).toBe("1");
    await stand.pass(1_001);
    expect(stand.played).toBe("1 2 3");
  });

  test("is faster by its speed, from the moment that it is set", async () => {
    const stand = new Stand({ speed: 2 });
    await stand.pass(501);
    expect(stand.played).toBe("1 2");
    stand.player.setSpeed(10);
    await stand.pass(101);
    expect(stand.played).toBe("1 2 3");
    stand.player.setSpeed("max");
    await stand.settle();
    expect(stand.played).toBe("1 2 3 4 5");
  });

  test("stands still while it is paused, and goes on in its pace", async () => {
    const stand = new Stand();
    await stand.pass(500);
    stand.player.pause();
    await stand.pass(60_000);
    expect(stand.played).toBe("1");
    stand.player.resume();
    await stand.pass(999);
    expect(stand.played).toBe("1");
    await stand.pass(2);
    expect(stand.played).toBe("1 2");
  });

  test("goes step by step", async () => {
    const stand = new Stand({ paused: true });
    await stand.pass(1_000);
    expect(stand.played).toBe("");
    stand.player.step();
    await stand.settle();
    expect(stand.played).toBe("1");
    stand.player.step(2);
    await stand.settle();
    expect(stand.played).toBe("1 2 3");
    expect(stand.player.status).toMatchObject({ state: "paused", positionTimeUs: 3 * SECOND_US });
  });

  test("seeks forward and back: it tells the state there, and plays from there", async () => {
    const stand = new Stand();
    await stand.settle();
    stand.log.length = 0;
    stand.player.seek(4 * SECOND_US);
    await stand.settle();
    expect(stand.log).toEqual(["reset", "absorb 1", "absorb 2", "absorb 3", "restate", "play 4"]);
    stand.log.length = 0;
    stand.player.seek(2 * SECOND_US);
    await stand.settle();
    expect(stand.log).toEqual(["reset", "absorb 1", "restate", "play 2"]);
  });

  test("stays paused when it seeks, and shows the state there", async () => {
    const stand = new Stand({ paused: true });
    await stand.settle();
    stand.log.length = 0;
    stand.player.seek(3 * SECOND_US);
    await stand.settle();
    expect(stand.log).toEqual(["reset", "absorb 1", "absorb 2", "restate"]);
    expect(stand.player.status).toMatchObject({ state: "paused", positionTimeUs: 3 * SECOND_US });
  });

  test.each([
    [0, 1],
    [99, 6],
  ])("seeks to %i s within its range only: to %i s", async (second, reached) => {
    const stand = new Stand({ paused: true });
    await stand.settle();
    stand.player.seek(second * SECOND_US);
    expect(stand.player.status.positionTimeUs).toBe(reached * SECOND_US);
  });

  test("begins where it is told to", async () => {
    const stand = new Stand({ startTimeUs: 3 * SECOND_US, speed: "max" });
    await stand.settle();
    expect(stand.played).toBe("3 4 5");
  });

  test("plays its range again and again in a loop", async () => {
    const stand = new Stand({ speed: "max", loop: true, toTimeUs: 3 * SECOND_US });
    for (let round = 0; round < 4; round += 1) await stand.pass(1);
    expect(stand.played.startsWith("1 2 1 2 1 2")).toBe(true);
    expect(stand.player.status.rounds).toBeGreaterThan(1);
    stand.player.setLoop(false);
    await stand.pass(10);
    expect(stand.player.status.state).toBe("ended");
  });

  test("of nothing does not go round in one turn", async () => {
    const stand = new Stand({ speed: "max", loop: true }, []);
    await stand.pass(3);
    expect(stand.player.status.rounds).toBeLessThan(10);
    stand.player.close();
    await stand.pass(3);
    expect(stand.isOver).toBe(true);
  });

  test("that has ended goes on when it seeks", async () => {
    const stand = new Stand({ speed: "max" });
    await stand.settle();
    expect(stand.player.status.state).toBe("ended");
    expect(stand.isOver).toBe(false);
    stand.player.seek(5 * SECOND_US);
    await stand.settle();
    expect(stand.played).toBe("1 2 3 4 5 5");
  });

  test("is over after the last entry, if it is not to stay", async () => {
    const stand = new Stand({ speed: "max" }, [1, 2], false);
    await stand.settle();
    expect(stand.isOver).toBe(true);
  });

  test("waits for its first listener", async () => {
    let arrive: () => void = () => undefined;
    const startAfter = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const stand = new Stand({ startAfter, speed: "max" });
    await stand.pass(1_000);
    expect(stand.played).toBe("");
    arrive();
    await stand.settle();
    expect(stand.played).toBe("1 2 3 4 5");
  });

  test("need not wait any longer when it is closed", async () => {
    const stand = new Stand({ startAfter: new Promise(() => undefined) });
    await stand.settle();
    stand.player.close();
    await stand.settle();
    expect(stand.isOver).toBe(true);
  });

  test("plays nothing after it was closed", async () => {
    const stand = new Stand();
    await stand.settle();
    stand.player.close();
    stand.player.seek(SECOND_US);
    stand.player.step();
    stand.player.resume();
    await stand.pass(10_000);
    expect(stand.played).toBe("1");
    expect(stand.isOver).toBe(true);
  });
});

describe("the table", () => {
  const states = Object.keys(REPLAY_TABLE) as ReplayState[];
  const inputs = Object.keys(REPLAY_TABLE.playing) as ReplayInput[];

  test("leaves every state when it is closed, and closed never", () => {
    for (const state of states) expect(REPLAY_TABLE[state].close).toBe("closed");
    for (const input of inputs) expect(REPLAY_TABLE.closed[input]).toBe("closed");
  });

  test("leads from everywhere but closed to playing", () => {
    for (const state of states.filter((each) => each !== "closed")) {
      const [seek, resume] = [REPLAY_TABLE[state].seek, REPLAY_TABLE[state].resume];
      expect([seek, resume]).toContain("playing");
    }
  });

  /** Entries that a command may have played at once where it found a pause. */
  const PLAYED_WHILE_PAUSED = { pause: 0, resume: 1, step: 1, seek: 0, pass: 0 };

  type Command = readonly ["pause" | "resume" | "step"] | readonly ["seek" | "pass", number];

  test("is kept by the player through any life", async () => {
    const command = fc.oneof<fc.Arbitrary<Command>[]>(
      fc.constantFrom<Command>(["pause"], ["resume"], ["step"]),
      fc.tuple(fc.constant("seek" as const), fc.integer({ min: 1, max: 5 })),
      fc.tuple(fc.constant("pass" as const), fc.integer({ min: 1, max: 1_500 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
        const stand = new Stand();
        await stand.settle();
        // What the commands say alone: paused or not, and no more than one entry for each step.
        let isPaused = false;
        for (const [name, value = 0] of commands) {
          const before = stand.player.status;
          if (name === "pass") await stand.pass(value);
          else if (name === "seek") stand.player.seek(value * SECOND_US);
          else stand.player[name]();
          await stand.settle();
          const after = stand.player.status;
          if (before.state !== "ended") {
            if (name === "pause" || name === "step") isPaused = true;
            if (name === "resume") isPaused = false;
          }
          if (before.state === "ended" && name === "seek") isPaused = false;
          const expected = isPaused ? "paused" : "playing";
          expect(["ended", expected]).toContain(after.state);
          const mayPlay = before.state === "paused" ? PLAYED_WHILE_PAUSED[name] : Infinity;
          expect(after.played - before.played).toBeLessThanOrEqual(mayPlay);
        }
        stand.player.close();
        await stand.pass(1);
        expect(stand.isOver).toBe(true);
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});
