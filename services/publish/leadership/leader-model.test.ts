import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { KeptLease, LeaseRecord, LeaseStore } from "#bus/lease-store.ts";
import { epochOf } from "#core/fencing-token.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { LeaderRole } from "#wire/leader-role.ts";
import { HeardClaims } from "./claims.ts";
import { Leader, RECONNECT_GRACE_MS } from "./leader.ts";
import { LeaseClaims } from "./lease-claims.ts";
import { MISSED_INTERVALS_MAX } from "./peers.ts";

/**
 * Several ingestors of one partition through random lives: they are stopped and continued, cut off
 * from the bus and from where leases are kept, killed and started anew. The model knows nothing of
 * states: it asks who may publish, and what terms there were.
 */

const INTERVAL_MS = 100;
const STEP_MS = 25;
const NODES = 3;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

class Store implements LeaseStore {
  record: KeptLease | undefined;
  #revision = 0;

  read(): Promise<KeptLease | undefined> {
    return Promise.resolve(this.record);
  }

  write(
    _key: string,
    record: LeaseRecord,
    { revision }: { readonly revision: number },
  ): Promise<number | "conflict"> {
    if ((this.record?.revision ?? 0) !== revision) return Promise.resolve("conflict");
    this.#revision += 1;
    this.record = { ...record, revision: this.#revision };
    return Promise.resolve(this.#revision);
  }
}

/** One ingestor, with what separates it from the rest of the world. */
class Node {
  readonly id: string;
  readonly clock: ManualClock;
  readonly leader: Leader;
  isStopped = false;
  isCutOff = false;
  /** Its messages that the others have not got, because it is or they are stopped. */
  readonly inbox: (() => void)[] = [];
  epoch = 0;
  publishes = false;

  constructor(world: World, id: string, nowUs: number) {
    this.id = id;
    this.clock = new ManualClock(nowUs);
    const guard = <Result>(use: () => Promise<Result>): Promise<Result> =>
      this.isCutOff ? Promise.reject(new BusError("lease-unavailable", "cut off")) : use();
    const store: LeaseStore = {
      read: () => guard(() => world.store.read()),
      write: (key, record, options) => guard(() => world.store.write(key, record, options)),
    };
    const lease = { store, key: "fake", holder: id, clock: this.clock };
    const expiryMs = INTERVAL_MS * MISSED_INTERVALS_MAX;
    this.leader = new Leader({
      clock: this.clock,
      logger: quiet,
      claims: world.isLeased ? new LeaseClaims({ ...lease, expiryMs }) : new HeardClaims(),
      publisherId: id,
      labels: { venue: "fake", shard: "" },
      intervalMs: INTERVAL_MS,
      say: (said) => world.say(this, said),
      actions: {
        follow: () => world.note(this.publishes, "one that follows publishes"),
        lead: (token) => {
          world.begin(token);
          this.publishes = true;
          this.epoch = epochOf({ token, lot: 1 });
          return this.epoch;
        },
        suspend: () => void (this.publishes = false),
        resume: () => void (this.publishes = true),
        yield: () => void (this.publishes = false),
      },
    });
  }
}

class World {
  readonly isLeased: boolean;
  readonly store = new Store();
  readonly terms: number[] = [];
  readonly faults: string[] = [];
  readonly nodes: Node[] = [];
  #started = 0;
  #nowUs = 1_000_000;

  constructor(isLeased: boolean) {
    this.isLeased = isLeased;
    for (let index = 0; index < NODES; index += 1) this.nodes.push(this.#start());
    for (const { leader } of this.nodes) leader.start();
  }

  #start(): Node {
    this.#started += 1;
    return new Node(this, `node-${String(this.#started).padStart(3, "0")}`, this.#nowUs);
  }

  note(isFault: boolean, fault: string): void {
    if (isFault) this.faults.push(fault);
  }

  begin(token: number): void {
    this.note(this.isLeased && this.terms.includes(token), "a term came twice");
    this.terms.push(token);
  }

  say(from: Node, { role, leaving }: { role: LeaderRole; leaving: boolean }): void {
    if (from.isCutOff) return;
    const { leader, id: publisherId } = from;
    const leads = role === "leading";
    const peer = {
      publisherId,
      role,
      token: leads ? leader.token : 0,
      epoch: from.epoch,
      intervalMs: INTERVAL_MS,
      roleForMs: 1,
      leased: this.isLeased,
    };
    for (const node of this.nodes) {
      if (node === from || node.isCutOff) continue;
      // Later, as over a network, and in order.
      node.inbox.push(() => (leaving ? node.leader.left(publisherId) : node.leader.heard(peer)));
    }
  }

  async pass(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      this.#nowUs += STEP_MS * 1_000;
      for (const node of this.nodes) {
        if (node.isStopped) continue;
        for (const deliver of node.inbox.splice(0)) deliver();
        node.clock.advanceTo(this.#nowUs);
      }
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
      this.check();
    }
  }

  check(): void {
    const senders = this.nodes.filter((node) => !node.isStopped && node.leader.maySend());
    // By a lease at most one at any time; by hearing, of those who hear each other. Terms may
    // overlap for as long as a word takes.
    this.note(this.isLeased && senders.length > 1, "two publish at once");
    for (const node of senders) this.note(!node.publishes, "one that may publish was not told");
  }

  stop(index: number): void {
    this.#at(index).isStopped = true;
  }

  /** It wakes up: what comes first may be what waits in its socket, or its timers. */
  async continue(index: number): Promise<void> {
    const node = this.#at(index);
    if (!node.isStopped) return;
    node.isStopped = false;
    await this.pass(1);
  }

  cut(index: number): void {
    const node = this.#at(index);
    node.isCutOff = true;
    node.inbox.length = 0;
    node.leader.busDown();
  }

  join(index: number): void {
    const node = this.#at(index);
    if (!node.isCutOff) return;
    node.isCutOff = false;
    node.leader.busUp();
  }

  kill(index: number): void {
    const node = this.#start();
    this.nodes[index % NODES] = node;
    node.leader.start();
  }

  #at(index: number): Node {
    return this.nodes[index % NODES] as Node;
  }
}

/** The longest wait between two attempts to reconnect, in steps. */
const RECONNECT_STEPS_MAX = 5_000 / STEP_MS;

/** The bus is started anew: each is back after steps of its own, of at most a reconnect wait. */
async function restartBus(world: World, options: { downSteps: number; backSteps: number[] }) {
  for (let index = 0; index < NODES; index += 1) world.cut(index);
  await world.pass(options.downSteps);
  for (let step = 0; step <= RECONNECT_STEPS_MAX; step += 1) {
    for (const [index, back] of options.backSteps.entries()) if (back === step) world.join(index);
    await world.pass(1);
  }
}

const restarts = fc.record({
  before: fc.integer({ min: 60, max: 200 }),
  downSteps: fc.nat(100),
  backSteps: fc.array(fc.nat(RECONNECT_STEPS_MAX), { minLength: NODES, maxLength: NODES }),
  stagger: fc.nat(12),
});

const commands = fc.array(
  fc.record({
    does: fc.constantFrom("pass", "stop", "continue", "cut", "join", "kill"),
    node: fc.nat(NODES - 1),
    steps: fc.nat(40),
  }),
  { maxLength: 25 },
);

describe.each([true, false])("with a lease: %s", (isLeased) => {
  test("no two publish at once, no term comes twice, and in the end one leads", async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const world = new World(isLeased);
        for (const { does, node, steps: count } of steps) {
          if (does === "stop") world.stop(node);
          else if (does === "continue") await world.continue(node);
          else if (does === "cut") world.cut(node);
          else if (does === "join") world.join(node);
          else if (does === "kill") world.kill(node);
          await world.pass(count);
        }
        for (let index = 0; index < NODES; index += 1) {
          await world.continue(index);
          world.join(index);
        }
        // As long as it takes to come back and to notice that somebody did not.
        await world.pass(400);
        expect(world.faults).toEqual([]);
        const states = world.nodes.map(({ leader }) => leader.state).sort();
        expect(states).toEqual(["leading", "standing-by", "standing-by"]);
        expect(world.nodes.filter(({ publishes }) => publishes)).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  });

  test("a bus that is started anew moves nobody who leads, in whatever order they come back", async () => {
    await fc.assert(
      fc.asyncProperty(restarts, async ({ before, downSteps, backSteps, stagger }) => {
        const world = new World(isLeased);
        await world.pass(stagger);
        // One that was started at another moment looks and speaks at other moments.
        world.kill(1);
        await world.pass(before);
        const leader = world.nodes.find(({ publishes }) => publishes);
        const terms = world.terms.length;
        await restartBus(world, { downSteps, backSteps });
        await world.pass(400);
        expect([world.terms.length - terms, world.faults]).toEqual([0, []]);
        expect(leader?.publishes).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("a leader that dies with the bus is replaced once all had the time to come back", async () => {
    const world = new World(isLeased);
    await world.pass(100);
    const dead = world.nodes.findIndex(({ publishes }) => publishes);
    for (let index = 0; index < NODES; index += 1) world.cut(index);
    world.stop(dead);
    await world.pass(40);
    for (let index = 0; index < NODES; index += 1) if (index !== dead) world.join(index);
    await world.pass((RECONNECT_GRACE_MS - INTERVAL_MS) / STEP_MS);
    expect(world.nodes.some((node) => !node.isStopped && node.publishes)).toBe(false);
    await world.pass(1_000 / STEP_MS);
    expect(world.nodes.filter((node) => !node.isStopped && node.publishes)).toHaveLength(1);
  });
});
