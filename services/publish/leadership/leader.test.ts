import { describe, expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { EXCUSES_MAX } from "#core/held-up.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { Claim, Claims } from "./claims.ts";
import { HeardClaims } from "./claims.ts";
import { Leader, LEASE_GRACE_MS, LEASE_RECOVERY_MS, RECONNECT_GRACE_MS } from "./leader.ts";
import type { LeaderEvent, LeaderState } from "./leader-table.ts";
import { LEADER_TABLE } from "./leader-table.ts";
import { MISSED_INTERVALS_MAX } from "./peers.ts";
import type { Peer } from "./peers.ts";

const INTERVAL_MS = 100;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Claims whose answers a test gives. */
class ScriptedClaims implements Claims {
  readonly leased = true;
  claimed: Claim = { kind: "granted", token: 9 };
  renewed: "held" | "lost" | "failed" = "held";
  watched: "changed" | "unchanged" | "failed" = "unchanged";
  released = 0;
  /** Renewals that were asked for, and whether they are answered. */
  renewals = 0;
  answers = true;

  claim(): Promise<Claim> {
    return Promise.resolve(this.claimed);
  }
  renew(): Promise<"held" | "lost" | "failed"> {
    this.renewals += 1;
    return this.answers ? Promise.resolve(this.renewed) : new Promise(() => {});
  }
  watch(): Promise<"changed" | "unchanged" | "failed"> {
    return Promise.resolve(this.watched);
  }
  release(): Promise<void> {
    this.released += 1;
    return Promise.resolve();
  }
}

class Rig {
  readonly clock = new ManualClock();
  readonly done: string[] = [];
  readonly said: string[] = [];
  readonly warnings: string[] = [];
  readonly leader: Leader;

  constructor(claims: Claims = new HeardClaims(), publisherId = "me") {
    this.leader = new Leader({
      clock: this.clock,
      logger: { ...quiet, warn: (_fields, message) => this.warnings.push(message) },
      claims,
      publisherId,
      labels: { venue: "fake", shard: "" },
      intervalMs: INTERVAL_MS,
      say: ({ role, leaving }) => this.said.push(leaving ? `${role}, leaves` : role),
      actions: {
        follow: ({ publisherId: id, token }) => this.done.push(`follow ${id} ${token}`),
        lead: (token) => {
          this.done.push(`lead ${token}`);
          return token * 1_000;
        },
        suspend: () => this.done.push("suspend"),
        resume: () => this.done.push("resume"),
        yield: () => this.done.push("yield"),
      },
    });
    this.leader.start();
  }

  taken(): string[] {
    return this.done.splice(0);
  }

  hear(peer: Partial<Peer> = {}): void {
    this.leader.heard({
      publisherId: "other",
      role: "leading",
      token: 5,
      epoch: 5_000,
      intervalMs: INTERVAL_MS,
      roleForMs: 1,
      leased: false,
      ...peer,
    });
  }

  async pass(milliseconds: number, eachInterval: () => void = () => {}): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += INTERVAL_MS / 4) {
      if (passed % INTERVAL_MS === 0) eachInterval();
      this.clock.advance(INTERVAL_MS / 4);
      // Claims answer a little later.
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
  }

  /** One that leads, with another one that stands by. */
  static async leading(claims?: Claims): Promise<Rig> {
    const rig = new Rig(claims);
    await rig.pass(INTERVAL_MS * 2);
    rig.hear({ publisherId: "spare", role: "standing-by", token: 0 });
    await rig.pass(INTERVAL_MS);
    rig.taken();
    return rig;
  }
}

const spare = { publisherId: "spare", role: "standing-by", token: 0 } as const;

test("who hears nobody for an interval leads, and says so", async () => {
  const rig = new Rig();
  expect(rig.said).toEqual(["probing"]);
  await rig.pass(INTERVAL_MS - INTERVAL_MS / 4);
  expect(rig.taken()).toEqual([]);
  await rig.pass(INTERVAL_MS / 4);
  expect(rig.taken()).toEqual(["lead 1"]);
  expect(rig.said.at(-1)).toBe("leading");
  expect(rig.leader.maySend()).toBe(true);
});

test("who hears a leader stands by for as long as that speaks, and publishes nothing", async () => {
  const rig = new Rig();
  await rig.pass(INTERVAL_MS * 50, () => rig.hear());
  expect(rig.taken()).toEqual(["follow other 5"]);
  expect(rig.leader.state).toBe("standing-by");
  expect(rig.leader.maySend()).toBe(false);
});

test("it takes over in the next term after three silent intervals, not before", async () => {
  const rig = new Rig();
  rig.hear();
  rig.taken();
  await rig.pass(INTERVAL_MS * 3 - INTERVAL_MS / 4);
  expect(rig.taken()).toEqual([]);
  await rig.pass(INTERVAL_MS / 2);
  expect(rig.taken()).toEqual(["lead 6"]);
});

test("a leader that says that it stops is replaced at once", async () => {
  const rig = new Rig();
  rig.hear();
  rig.leader.left("other");
  await rig.pass(INTERVAL_MS / 4);
  expect(rig.taken()).toEqual(["follow other 5", "lead 6"]);
});

test("of several that stand by the first by name claims first, and the others hear of it", async () => {
  const rig = new Rig();
  rig.hear();
  rig.hear({ ...spare, publisherId: "a" });
  rig.hear({ ...spare, publisherId: "z" });
  rig.leader.left("other");
  rig.taken();
  await rig.pass(INTERVAL_MS / 4);
  expect(rig.taken()).toEqual([]);
  rig.hear({ publisherId: "a", token: 6, epoch: 6_000 });
  await rig.pass(INTERVAL_MS);
  expect(rig.taken()).toEqual(["follow a 6"]);
});

test("a later term ends ours, an earlier one is told of ours", async () => {
  const rig = await Rig.leading();
  const said = rig.said.length;
  rig.hear({ token: 0, epoch: 1 });
  expect(rig.taken()).toEqual([]);
  expect(rig.said.slice(said)).toEqual(["leading"]);
  rig.hear({ token: 2, epoch: 2_000 });
  expect(rig.taken()).toEqual(["yield", "follow other 2"]);
});

test("of two that lead in one term the first by name stays", async () => {
  for (const [me, outcome] of [
    ["a", []],
    ["z", ["yield", "follow other 1"]],
  ] as const) {
    const rig = new Rig(new HeardClaims(), me);
    await rig.pass(INTERVAL_MS * 2);
    rig.taken();
    rig.hear({ token: 1, epoch: 1_234 });
    expect(rig.taken()).toEqual(outcome);
  }
});

test("after a stop of the process nothing is published before it is known who leads", async () => {
  const rig = await Rig.leading();
  // Timers do not run while a process is stopped; the monotonic clock does.
  rig.clock.advanceTo(rig.clock.monotonicUs() + INTERVAL_MS * 2_900);
  expect(rig.leader.maySend()).toBe(true);
  const stopped = await Rig.leading();
  stopped.leader.heard({ ...peerOf(spare), intervalMs: 1_000_000 });
  const jump = stoppedFor(stopped, INTERVAL_MS * 3);
  expect(jump).toEqual(["suspend"]);
  expect(stopped.leader.maySend()).toBe(false);
  await stopped.pass(INTERVAL_MS * 2);
  expect(stopped.taken()).toEqual(["resume"]);
});

/** What `maySend` does right after the time has jumped, before any timer. */
function stoppedFor(rig: Rig, milliseconds: number): string[] {
  const real = rig.clock.monotonicUs.bind(rig.clock);
  rig.clock.monotonicUs = () => real() + milliseconds * 1_000;
  expect(rig.leader.maySend()).toBe(false);
  rig.clock.monotonicUs = real;
  return rig.taken();
}

function peerOf(peer: Partial<Peer>): Peer {
  return {
    publisherId: "other",
    role: "leading",
    token: 5,
    epoch: 5_000,
    intervalMs: INTERVAL_MS,
    roleForMs: 1,
    leased: false,
    ...peer,
  };
}

test("one that hears of a later term after a stop yields", async () => {
  const rig = await Rig.leading();
  expect(stoppedFor(rig, 10_000)).toEqual(["suspend"]);
  rig.hear({ token: 2, epoch: 2_000 });
  expect(rig.taken()).toEqual(["yield", "follow other 2"]);
  await rig.pass(INTERVAL_MS * 10, () => rig.hear({ token: 2, epoch: 2_000 }));
  expect(rig.taken()).toEqual([]);
});

describe("with a lease", () => {
  test("who is refused waits and claims again", async () => {
    const claims = new ScriptedClaims();
    claims.claimed = { kind: "refused" };
    const rig = new Rig(claims);
    await rig.pass(INTERVAL_MS * 10);
    expect(rig.taken()).toEqual([]);
    expect(rig.leader.counters.claimsRefused).toBeGreaterThan(2);
    claims.claimed = { kind: "granted", token: 3 };
    await rig.pass(INTERVAL_MS);
    expect(rig.taken()).toEqual(["lead 3"]);
  });

  test("who loses it yields", async () => {
    const claims = new ScriptedClaims();
    const rig = await Rig.leading(claims);
    claims.renewed = "lost";
    await rig.pass(INTERVAL_MS * 2);
    expect(rig.taken()).toEqual(["yield"]);
  });

  test("who cannot renew it goes on while the bus is there, for as long as it may take", async () => {
    const claims = new ScriptedClaims();
    const rig = await Rig.leading(claims);
    claims.renewed = "failed";
    const publishes = () => void rig.leader.maySend();
    await rig.pass(LEASE_GRACE_MS, publishes);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 6, publishes);
    expect(rig.taken()).toEqual(["suspend"]);
    claims.renewed = "held";
    await rig.pass(INTERVAL_MS * 2);
    expect(rig.taken()).toEqual(["resume"]);
  });

  test("whose bus is gone too stops after three intervals, and goes on when the lease is its own", async () => {
    const claims = new ScriptedClaims();
    const rig = await Rig.leading(claims);
    claims.renewed = "failed";
    rig.leader.busDown();
    await rig.pass(INTERVAL_MS * 5);
    expect(rig.taken()).toEqual(["suspend"]);
    claims.renewed = "held";
    rig.leader.busUp();
    await rig.pass(INTERVAL_MS);
    expect(rig.taken()).toEqual(["resume"]);
  });

  test("is renewed at once when the bus is back, whatever was asked before and waits", async () => {
    const claims = new ScriptedClaims();
    const rig = await Rig.leading(claims);
    claims.answers = false;
    await rig.pass(INTERVAL_MS);
    rig.leader.busDown();
    claims.answers = true;
    claims.renewals = 0;
    await rig.pass(INTERVAL_MS);
    // Nobody could answer.
    expect(claims.renewals).toBe(0);
    rig.leader.busUp();
    expect(claims.renewals).toBe(1);
    await rig.pass(INTERVAL_MS * 6, () => void rig.leader.maySend());
    expect(rig.taken()).toEqual([]);
  });

  test("a claim that is granted too late is given back", async () => {
    const claims = new ScriptedClaims();
    const rig = new Rig(claims);
    rig.clock.advance(INTERVAL_MS);
    rig.hear({ token: 9 });
    await rig.pass(INTERVAL_MS);
    expect(rig.taken()).toEqual(["follow other 9"]);
    expect(claims.released).toBe(1);
  });

  test("a leader that is not heard and renews its lease is not replaced", async () => {
    const claims = new ScriptedClaims();
    claims.watched = "changed";
    const rig = new Rig(claims);
    rig.hear();
    rig.taken();
    await rig.pass(INTERVAL_MS * 20);
    expect(rig.taken()).toEqual([]);
  });

  test("who stops gives it back and says so", async () => {
    const claims = new ScriptedClaims();
    const rig = await Rig.leading(claims);
    rig.leader.close();
    rig.leader.close();
    expect([claims.released, rig.said.at(-1), rig.clock.pending]).toEqual([
      1,
      "leading, leaves",
      0,
    ]);
    rig.hear({ token: 20 });
    expect(rig.taken()).toEqual([]);
  });
});

describe("after the bus was gone", () => {
  /** One that stands by, whose bus was away and is there again. */
  async function reconnected(claims?: ScriptedClaims): Promise<Rig> {
    const rig = new Rig(claims);
    rig.hear();
    await rig.pass(INTERVAL_MS);
    rig.leader.busDown();
    await rig.pass(60_000);
    rig.leader.busUp();
    rig.taken();
    return rig;
  }

  test("nobody is judged, and then everybody has the time to come back", async () => {
    const rig = await reconnected();
    await rig.pass(RECONNECT_GRACE_MS - INTERVAL_MS);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 2);
    expect(rig.taken()).toEqual(["lead 6"]);
  });

  test("a lease that was renewed before is not a leader that is back", async () => {
    const claims = new ScriptedClaims();
    const rig = await reconnected(claims);
    claims.watched = "changed";
    await rig.pass(INTERVAL_MS);
    claims.watched = "unchanged";
    await rig.pass(RECONNECT_GRACE_MS - INTERVAL_MS * 2);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 2);
    expect(rig.taken()).toEqual(["lead 9"]);
  });

  test("a word that was under way before is not a leader that is back", async () => {
    const rig = await reconnected();
    rig.hear();
    await rig.pass(RECONNECT_GRACE_MS - INTERVAL_MS);
    expect(rig.taken()).toEqual([]);
  });

  test("one that is back and falls silent is replaced after three intervals", async () => {
    const rig = await reconnected();
    await rig.pass(INTERVAL_MS * 3, () => rig.hear());
    await rig.pass(INTERVAL_MS * 4);
    expect(rig.taken()).toEqual(["lead 6"]);
  });

  test("one that is back by its lease and falls silent is replaced after three intervals", async () => {
    const claims = new ScriptedClaims();
    const rig = await reconnected(claims);
    claims.watched = "changed";
    await rig.pass(INTERVAL_MS * 3);
    claims.watched = "unchanged";
    await rig.pass(INTERVAL_MS * 5);
    expect(rig.taken()).toEqual(["lead 9"]);
  });

  test("whoever had just started waits as well", async () => {
    const rig = new Rig();
    rig.leader.busDown();
    await rig.pass(1_000);
    rig.leader.busUp();
    await rig.pass(RECONNECT_GRACE_MS - INTERVAL_MS);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 2);
    expect(rig.taken()).toEqual(["lead 1"]);
  });

  test("a claim that was about to be made is not made before the others are back", async () => {
    const rig = new Rig();
    rig.hear();
    rig.hear({ ...spare, publisherId: "a", intervalMs: INTERVAL_MS * 100 });
    rig.leader.left("other");
    rig.taken();
    expect(rig.leader.state).toBe("claiming");
    rig.leader.busDown();
    await rig.pass(INTERVAL_MS / 4);
    rig.leader.busUp();
    await rig.pass(RECONNECT_GRACE_MS - INTERVAL_MS);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 3);
    expect(rig.taken()).toEqual(["lead 6"]);
  });

  test("a leader is not judged while its lease cannot be read, nor right after", async () => {
    const claims = new ScriptedClaims();
    const rig = await reconnected(claims);
    claims.watched = "failed";
    await rig.pass(RECONNECT_GRACE_MS * 3);
    claims.watched = "unchanged";
    expect(rig.taken()).toEqual([]);
    await rig.pass(LEASE_RECOVERY_MS - INTERVAL_MS);
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 6);
    expect(rig.taken()).toEqual(["lead 9"]);
  });
});

describe("a process that was held up itself", () => {
  test("hears what was said meanwhile before it judges a leader", async () => {
    const rig = new Rig();
    rig.hear();
    rig.taken();
    // Timers that came due while it was stopped run before anything is read.
    rig.clock.hold(10_000);
    await rig.pass(INTERVAL_MS / 4);
    expect(rig.leader.state).toBe("standing-by");
    await rig.pass(INTERVAL_MS * 5, () => rig.hear());
    expect(rig.taken()).toEqual([]);
    await rig.pass(INTERVAL_MS * 4);
    expect(rig.taken()).toEqual(["lead 6"]);
  });

  test("leads in the end, however often that happens", async () => {
    const rig = new Rig();
    rig.hear();
    rig.taken();
    for (let round = 0; round < EXCUSES_MAX + MISSED_INTERVALS_MAX + 1; round += 1) {
      rig.clock.hold(INTERVAL_MS * 4);
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
    await rig.pass(INTERVAL_MS / 4);
    expect(rig.taken()).toEqual(["lead 6"]);
  });
});

test("an interval that is none is a bug", () => {
  expect(
    () =>
      new Leader({
        clock: new ManualClock(),
        logger: quiet,
        claims: new HeardClaims(),
        publisherId: "me",
        labels: { venue: "fake", shard: "" },
        intervalMs: 0,
        say: () => {},
        actions: {} as never,
      }),
  ).toThrow(InvariantError);
});

describe("the table", () => {
  const states = Object.keys(LEADER_TABLE) as LeaderState[];
  const events = Object.keys(LEADER_TABLE.probing) as LeaderEvent[];

  test("whoever hears of a later term stands by, unless it is closed", () => {
    for (const state of states) {
      const { next } = LEADER_TABLE[state].laterHeard;
      expect(next).toBe(state === "closed" ? "closed" : "standing-by");
    }
  });

  test("a term begins with a granted claim alone, and goes on with a confirmation alone", () => {
    const into = states.flatMap((state) =>
      events
        .filter((event) => state !== "leading" && LEADER_TABLE[state][event].next === "leading")
        .map((event) => `${state} ${event} ${LEADER_TABLE[state][event].does}`),
    );
    expect(into).toEqual(["claiming granted lead", "suspended confirmed resume"]);
  });

  test("closed is the end of everything", () => {
    for (const event of events) expect(LEADER_TABLE.closed[event].next).toBe("closed");
    for (const state of states) expect(LEADER_TABLE[state].closed.next).toBe("closed");
  });

  test("whoever leads or is suspended does not claim, and nobody else yields", () => {
    for (const state of states) {
      const holds = state === "leading" || state === "suspended";
      const does = events.map((event) => LEADER_TABLE[state][event].does);
      expect(does.includes("yield")).toBe(holds);
      expect(holds && does.includes("claim")).toBe(false);
    }
  });
});

test("a lease that cannot be written is said once, and when it can be again", async () => {
  const claims = new ScriptedClaims();
  claims.claimed = { kind: "failed" };
  const rig = new Rig(claims);
  await rig.pass(INTERVAL_MS * 30);
  expect(rig.taken()).toEqual([]);
  expect(rig.warnings).toEqual([expect.stringContaining("nothing is published without it")]);
  claims.claimed = { kind: "granted", token: 9 };
  await rig.pass(INTERVAL_MS * 10);
  expect(rig.taken()).toEqual(["lead 9"]);
  expect(rig.warnings.slice(1)).toEqual(["the lease can be had again"]);
});
