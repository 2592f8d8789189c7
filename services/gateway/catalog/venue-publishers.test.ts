import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { FOLLOW_TABLE } from "./publisher-table.ts";
import type { FollowEvent, FollowState } from "./publisher-table.ts";
import { OTHER_PUBLISHERS_MAX, VenuePublishers } from "./venue-publishers.ts";
import type { AnnouncedPublisher } from "./venue-publishers.ts";

const INTERVAL_MS = 2_000;
/** Epochs in no order: which is followed must not depend on them. */
const A = {
  publisherId: "a",
  epoch: 9_007_199_254_740_991,
  intervalMs: INTERVAL_MS,
  fencingToken: 7,
};
const B = { publisherId: "b", epoch: 1, intervalMs: INTERVAL_MS };
const C = { publisherId: "c", epoch: 77, intervalMs: INTERVAL_MS };

class Rig {
  readonly clock = new ManualClock();
  readonly done: string[] = [];
  readonly pings: {
    readonly publisherId: string;
    answer(text: "there" | "gone" | "no-answer"): void;
  }[] = [];
  readonly publishers = new VenuePublishers({
    clock: this.clock,
    ping: (publisherId) =>
      new Promise((resolve) => void this.pings.push({ publisherId, answer: resolve })),
    listener: {
      onAdopted: ({ publisherId, isNewcomer }) => {
        this.done.push(`adopt ${publisherId}${isNewcomer ? ", new" : ""}`);
      },
      onLost: () => this.done.push("lost"),
      onRecovered: () => this.done.push("recovered"),
    },
  });

  /** Both announce themselves at their interval, for so many of them. */
  live(intervals: number, ...who: readonly AnnouncedPublisher[]): void {
    for (let interval = 0; interval < intervals; interval += 1) {
      for (const publisher of who) this.publishers.heard(publisher);
      this.clock.advance(INTERVAL_MS);
    }
  }

  async answerPings(text: "there" | "gone" | "no-answer"): Promise<void> {
    for (const ping of this.pings.splice(0)) ping.answer(text);
    await Promise.resolve();
    await Promise.resolve();
  }

  taken(): string[] {
    return this.done.splice(0);
  }

  static in(state: FollowState): Rig {
    const rig = new Rig();
    if (state !== "nobody") rig.publishers.heard(A);
    if (state === "silent") rig.clock.advance(3 * INTERVAL_MS);
    rig.taken();
    return rig;
  }
}

type Step = (rig: Rig) => void | Promise<void>;

const STEPS: { readonly [Event in FollowEvent]: Step } = {
  followedHeard: (rig) => void rig.publishers.heard(A),
  otherHeard: (rig) => void rig.publishers.heard(B),
  laterHeard: (rig) => void rig.publishers.heard({ ...B, fencingToken: 8 }),
  followedSilent: (rig) => rig.clock.advance(3 * INTERVAL_MS),
  followedLeft: (rig) => rig.publishers.left("a"),
  followedGone: async (rig) => {
    // A second one is what has the first asked; it is gone again before the answer comes.
    rig.publishers.heard(B);
    rig.publishers.left("b");
    rig.taken();
    await rig.answerPings("gone");
  },
};

/** What happens, written by hand from what the states mean. */
const OUTCOMES: { readonly [State in FollowState]: Partial<Record<FollowEvent, string[]>> } = {
  nobody: { followedSilent: [], followedLeft: [], otherHeard: ["adopt b, new"] },
  followed: {
    followedHeard: [],
    otherHeard: [],
    laterHeard: ["adopt b, new"],
    followedSilent: ["lost"],
    followedLeft: ["lost"],
    followedGone: ["lost"],
  },
  silent: {
    followedHeard: ["recovered"],
    otherHeard: ["adopt b, new"],
    laterHeard: ["adopt b, new"],
    followedSilent: [],
    followedLeft: [],
  },
};

describe.each(Object.keys(OUTCOMES) as FollowState[])("while it is %s", (state) => {
  test.each(Object.entries(OUTCOMES[state]) as [FollowEvent, string[]][])(
    "%s does %j, and leads where the table says",
    async (event, does) => {
      const rig = Rig.in(state);
      await STEPS[event](rig);
      expect(rig.taken()).toEqual(does);
      expect(FOLLOW_TABLE[state][event].next).toContain(rig.publishers.state);
    },
  );
});

describe("of terms", () => {
  test("one that is not later than the followed one is not followed while that is there", () => {
    for (const fencingToken of [0, 6, 7]) {
      const rig = new Rig();
      rig.live(5, A, { ...B, fencingToken });
      expect(rig.taken()).toEqual(["adopt a, new"]);
    }
  });

  test("the later one is followed at once, and the one before never again while it is there", () => {
    const rig = new Rig();
    const later = { ...B, fencingToken: 8 };
    rig.live(2, A);
    rig.live(5, A, later);
    expect(rig.taken()).toEqual(["adopt a, new", "adopt b, new"]);
    expect(rig.publishers.followed).toEqual(later);
  });

  test("the latest of several others takes the place of one that is silent", () => {
    const rig = new Rig();
    rig.live(3, A, { ...B, fencingToken: 5 }, { ...C, fencingToken: 6 });
    rig.taken();
    rig.live(4, { ...B, fencingToken: 5 }, { ...C, fencingToken: 6 });
    expect(rig.taken()).toEqual(["adopt c"]);
  });

  test("one that goes on from another is no newcomer, however new it is", () => {
    const rig = new Rig();
    rig.publishers.heard({ ...A, continuesEpoch: 3 });
    expect(rig.taken()).toEqual(["adopt a"]);
  });
});

describe("of two publishers", () => {
  test("the one that is followed stays so while it announces itself, whatever the epochs", () => {
    for (const [first, second] of [
      [A, B],
      [B, A],
    ] as const) {
      const rig = new Rig();
      rig.live(50, first, second);
      expect(rig.taken()).toEqual([`adopt ${first.publisherId}, new`]);
      expect(rig.publishers.followed).toEqual(first);
    }
  });

  test("the other is followed when the first was silent for three intervals, not before", () => {
    const rig = new Rig();
    rig.live(5, A, B);
    rig.taken();
    // The first was heard an interval ago.
    rig.live(1, B);
    rig.clock.advance(INTERVAL_MS - 1);
    expect(rig.taken()).toEqual([]);
    rig.clock.advance(1);
    expect(rig.taken()).toEqual(["adopt b"]);
  });

  test("the other is followed at once when the first says that it leaves", () => {
    const rig = new Rig();
    rig.live(5, A, B);
    rig.publishers.left("a");
    expect(rig.taken().at(-1)).toBe("adopt b");
  });

  test("the other is followed at once when the bus says that the first is not there", async () => {
    const rig = new Rig();
    rig.publishers.heard(A);
    rig.publishers.heard(B);
    expect(rig.pings.map(({ publisherId }) => publisherId)).toEqual(["a"]);
    await rig.answerPings("gone");
    expect(rig.taken()).toEqual(["adopt a, new", "adopt b, new"]);
  });

  test("the other may be followed while the first is being asked, and not otherwise", async () => {
    const rig = new Rig();
    rig.publishers.heard(A);
    expect(rig.publishers.mayFollow(B.epoch)).toBe(false);
    rig.publishers.heard(B);
    expect([A, B, C].map(({ epoch }) => rig.publishers.mayFollow(epoch))).toEqual([
      false,
      true,
      false,
    ]);
    await rig.answerPings("there");
    expect(rig.publishers.mayFollow(B.epoch)).toBe(false);
  });

  test.each(["there", "no-answer"] as const)(
    "the first stays followed when the bus says %s, and is asked again",
    async (answer) => {
      const rig = new Rig();
      rig.publishers.heard(A);
      rig.publishers.heard(B);
      rig.publishers.heard(B);
      expect(rig.pings).toHaveLength(1);
      await rig.answerPings(answer);
      expect(rig.taken()).toEqual(["adopt a, new"]);
      rig.publishers.heard(B);
      expect(rig.pings).toHaveLength(1);
    },
  );

  test("a late answer about one that is not followed any more does nothing", async () => {
    const rig = new Rig();
    rig.publishers.heard(A);
    rig.publishers.heard(B);
    rig.publishers.left("a");
    rig.taken();
    await rig.answerPings("gone");
    expect([rig.taken(), rig.publishers.followed]).toEqual([[], B]);
  });

  test("one that went in the meantime is not followed", () => {
    const rig = new Rig();
    rig.live(1, A, B);
    rig.live(3, A);
    rig.taken();
    rig.clock.advance(3 * INTERVAL_MS);
    expect(rig.taken()).toEqual(["lost"]);
  });

  test("one that has been there for an interval is no newcomer any more", () => {
    const rig = new Rig();
    rig.publishers.heard(A);
    rig.publishers.heard(B);
    rig.clock.advance(INTERVAL_MS - 1);
    rig.publishers.heard(C);
    rig.clock.advance(1);
    rig.publishers.left("a");
    rig.publishers.left("b");
    expect(rig.taken().slice(1)).toEqual(["adopt b", "adopt c, new"]);
  });
});

test("a process that was stopped has missed one interval, however long it was stopped", () => {
  const rig = new Rig();
  rig.publishers.heard(A);
  rig.taken();
  // A timer that comes due during a stop runs once, when it is over, and the next one begins then.
  expect([rig.clock.pending, rig.clock.nextUs]).toEqual([1, rig.clock.nowUs() + INTERVAL_MS * 1e3]);
  rig.clock.advance(INTERVAL_MS);
  expect(rig.taken()).toEqual([]);
  rig.publishers.heard(A);
  rig.clock.advance(3 * INTERVAL_MS - 1);
  expect(rig.taken()).toEqual([]);
});

test("an identity has one epoch: who says another is not believed", () => {
  const rig = new Rig();
  expect(rig.publishers.heard(A)).toBe(true);
  expect(rig.publishers.heard({ ...A, epoch: 5 })).toBe(false);
  expect(rig.publishers.heard(B)).toBe(true);
  expect(rig.publishers.heard({ ...B, epoch: 5 })).toBe(false);
  expect(rig.publishers.followed).toEqual(A);
});

describe("while our own connection to the bus is down", () => {
  test("nobody is lost, and afterwards everybody has three intervals", () => {
    const rig = new Rig();
    rig.live(1, A, B);
    rig.taken();
    rig.publishers.busDown();
    rig.clock.advance(100 * INTERVAL_MS);
    expect([rig.taken(), rig.clock.pending]).toEqual([[], 0]);
    rig.publishers.busUp();
    rig.clock.advance(3 * INTERVAL_MS - 1);
    expect(rig.taken()).toEqual([]);
    rig.clock.advance(1);
    expect(rig.taken()).toEqual(["lost"]);
  });

  test("a venue that was lost before stays lost", () => {
    const rig = Rig.in("silent");
    rig.publishers.busDown();
    rig.publishers.busUp();
    rig.clock.advance(10 * INTERVAL_MS);
    expect([rig.taken(), rig.publishers.state]).toEqual([[], "silent"]);
  });
});

test.each([OTHER_PUBLISHERS_MAX - 1, OTHER_PUBLISHERS_MAX, OTHER_PUBLISHERS_MAX + 5])(
  "of %i others no more than there is room for are remembered, the latest of them",
  (count) => {
    const rig = new Rig();
    rig.publishers.heard(A);
    for (let index = 0; index < count; index += 1) {
      rig.publishers.heard({ ...B, publisherId: `p${index}` });
    }
    expect(rig.publishers.others).toBe(Math.min(count, OTHER_PUBLISHERS_MAX));
    rig.publishers.left("a");
    const first = Math.max(0, count - OTHER_PUBLISHERS_MAX);
    expect(rig.publishers.followed?.publisherId).toBe(`p${first}`);
  },
);

test("after closing nothing happens, and no timer is left", async () => {
  const rig = new Rig();
  rig.live(1, A, B);
  rig.publishers.heard(A);
  rig.publishers.heard(B);
  rig.taken();
  rig.publishers.close();
  rig.publishers.close();
  await rig.answerPings("gone");
  expect([rig.taken(), rig.clock.pending]).toEqual([[], 0]);
});

test("whatever happens, who is there is followed, and changes have a reason", async () => {
  const who = fc.constantFrom(A, B, C);
  const step = fc.oneof(
    { weight: 6, arbitrary: who.map((one) => (rig: Rig) => void rig.publishers.heard(one)) },
    { weight: 1, arbitrary: who.map((one) => (rig: Rig) => rig.publishers.left(one.publisherId)) },
    { weight: 4, arbitrary: fc.nat(7_000).map((ms) => (rig: Rig) => rig.clock.advance(ms)) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom("there" as const, "no-answer" as const)
        .map((text) => (rig: Rig) => rig.answerPings(text)),
    },
    { weight: 1, arbitrary: fc.constant((rig: Rig) => rig.publishers.busDown()) },
    { weight: 1, arbitrary: fc.constant((rig: Rig) => rig.publishers.busUp()) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const rig = new Rig();
      for (const run of steps) await run(rig);
      rig.publishers.busUp();
      rig.clock.advance(4 * INTERVAL_MS);
      rig.taken();
      // From here on two are there, and both are heard: one of them is followed, and stays so.
      rig.live(8, B, C);
      const followed = rig.publishers.followed;
      expect([B, C]).toContainEqual(followed);
      rig.taken();
      rig.live(8, B, C);
      expect([rig.taken(), rig.publishers.followed]).toEqual([[], followed]);
      // It goes: the other one takes over.
      rig.live(4, followed?.publisherId === "b" ? C : B);
      expect(rig.publishers.followed).not.toEqual(followed);
      expect(rig.publishers.state).toBe("followed");
      rig.publishers.close();
      expect(rig.clock.pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});
