import assert from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import type { StartKind } from "./start-kind.ts";
import type { TopicSnapshot } from "./sync-parts.ts";
import { TopicHistory } from "./topic-history.ts";
import { TopicSync } from "./topic-sync.ts";

/**
 * Drives the state machine with a publisher, a bus that loses, repeats, delays and reorders, and
 * subscribers that count for themselves. Invariants are numbered as in topic-sync-table.ts.
 */

/** Small, so that histories outgrow their snapshots and held batches their room. */
const LIMITS = { ringBytesMax: 78, ringBatchesMax: 6 };
const BASE = Uint8Array.of(0x3a, 1, 0);
/** An element of ServerFrame.batches of topic 1, to which the base comes. */
const CHAINED = Uint8Array.of(0x12, 8, 8, 1, 0, 0, 0, 0, 0, 0);
const BATCH_BYTES = CHAINED.length + BASE.length;
const TOPIC = new SharedTopic(1, { venue: "fake", channel: "any" });
/** Only the model looks in here: what a batch is, by the number that its bytes end in. */
type Meaning = BatchOrder & { readonly state: boolean; readonly forged?: boolean };
const MEANINGS: Meaning[] = [];

/** The bytes with the number of what they mean. A history keeps nothing else of a batch. */
function withMeaning(bytes: Uint8Array, meaning: Meaning): Uint8Array {
  const marked = Uint8Array.from(bytes);
  new DataView(marked.buffer).setUint32(marked.length - 4, MEANINGS.length);
  MEANINGS.push(meaning);
  return marked;
}

function meaningOf({ bytes }: SharedBatch): Meaning {
  const { buffer, byteOffset, byteLength } = bytes;
  return MEANINGS[new DataView(buffer, byteOffset).getUint32(byteLength - 4)]!;
}

function shared(meaning: Meaning): SharedBatch {
  const { baseSequence, count, state } = meaning;
  const first = state ? baseSequence : baseSequence + 1;
  const last = state ? baseSequence : baseSequence + count;
  const sequences = { skipped: 0, firstSequence: first, lastSequence: last };
  const extent = { events: count, ...sequences, isState: state, endsChain: state, receivedAtUs: 0 };
  const content = state
    ? { bytes: withMeaning(new Uint8Array(BATCH_BYTES), meaning), base: undefined }
    : { bytes: withMeaning(CHAINED, meaning), base: BASE };
  return SharedBatch.of(TOPIC, extent, content);
}

/** A subscriber that believes only what it is given. */
class Follower {
  readonly #startKind: StartKind;
  epoch: number;
  sequence: number;
  /** It was told of a loss, or has no state yet, and a state has to come next. */
  needsState = false;
  /** What its client can go on from, and whether it is given bases, as a subscription knows it. */
  #chain: TopicPosition | undefined;
  #needsBase = true;

  constructor(startKind: StartKind, position: TopicPosition) {
    this.#startKind = startKind;
    this.epoch = position.epoch;
    this.sequence = position.sequence;
  }

  receive(batch: SharedBatch): void {
    this.#read(batch);
    const { epoch, state, forged } = meaningOf(batch);
    const { firstSequence } = batch;
    assert(forged !== true, "what nobody published is delivered");
    assert.equal(epoch, this.epoch, "invariant 11: an epoch of which it was not told");
    if (state) {
      assert(firstSequence >= this.sequence, "a state goes back");
      this.needsState = false;
    } else {
      assert(!this.needsState, "a change without the state that it changes");
      assert.equal(firstSequence, this.sequence + 1, "a hole or a repetition");
    }
    this.sequence = batch.lastSequence;
  }

  changeEpoch(start: TopicPosition): void {
    assert.notEqual(start.epoch, this.epoch, "another epoch");
    this.epoch = start.epoch;
    this.sequence = start.sequence;
    // What changes a state is understood without one only from the first on.
    this.needsState = this.#startKind === "snapshot" && start.sequence > 0;
  }

  /** The client can read what it gets: it goes on from what it read before, or has its base. */
  #read(batch: SharedBatch): void {
    const { epoch, baseSequence, state } = meaningOf(batch);
    const { bytes } = this.#needsBase ? batch.based : batch;
    const hasBase = bytes.length === BATCH_BYTES;
    if (!hasBase) assert.deepEqual(this.#chain, { epoch, sequence: baseSequence }, "no base");
    this.#chain = state ? undefined : { epoch, sequence: batch.lastSequence };
    this.#needsBase = state;
  }

  miss(epoch: number, first: number, last: number): void {
    assert.equal(epoch, this.epoch, "a gap is in the epoch that it has");
    // What came before the hole and was not handed on is in the state behind it.
    if (this.#startKind === "snapshot") assert(first > this.sequence, "a gap goes back");
    else assert.equal(first, this.sequence + 1);
    assert(last >= first, "a gap has an event");
    if (this.#startKind === "snapshot") this.needsState = true;
    else this.sequence = last;
  }
}

/** What the bus makes of a batch. */
type Fate = "arrives" | "lost" | "twice" | "late";

class World {
  readonly #startKind: StartKind;
  readonly #history = new TopicHistory(LIMITS);
  readonly sync: TopicSync;
  readonly followers = new Set<Follower>();
  readonly #delayed: Meaning[] = [];
  #epoch = 500;
  #epochs = 0;
  readonly #arrived = new Set<string>();
  #trimmed = false;
  #sequence = 0;
  /** What the publisher will answer; undefined if nothing is asked. */
  #query: { taken: TopicSnapshot | undefined } | undefined;
  #retryArmed = false;
  waiting = 0;
  overloaded = false;
  #attachOnReady = true;
  #ready = 0;
  actions = 0;

  constructor(startKind: StartKind) {
    this.#startKind = startKind;
    this.sync = new TopicSync({
      topic: "fake:A/any",
      startKind,
      epoch: this.#epoch,
      history: this.#history,
      limits: LIMITS,
      random: () => 0.5,
      actions: {
        deliver: (batch) => this.#toAll((follower) => follower.receive(batch)),
        reportGap: (first, last) => {
          const { epoch } = this.#history;
          for (let sequence = first; sequence <= last; sequence += 1) {
            const hasCome = this.#arrived.has(`${epoch}/${sequence}`);
            assert(!hasCome || this.#trimmed, "invariant 12: only a hole is a gap");
          }
          this.#toAll((follower) => follower.miss(epoch, first, last));
        },
        epochChanged: (start) => this.#toAll((follower) => follower.changeEpoch(start)),
        mayBeFollowed: () => false,
        isOverloaded: () => this.overloaded,
        foreign: ({ epoch }) => assert.notEqual(epoch, this.#epoch, "invariant 11"),
        ask: () => {
          this.actions += 1;
          assert.equal(this.#query, undefined, "invariant 3: one query at a time");
          assert(!this.#retryArmed, "invariant 5");
          this.#query = { taken: undefined };
        },
        retryAfter: () => {
          this.actions += 1;
          assert(!this.#retryArmed, "one retry at a time");
          this.#retryArmed = true;
        },
        cancelRetry: () => {
          assert(this.#retryArmed, "what is cancelled was armed");
          this.#retryArmed = false;
        },
        answer: (failure) => this.#answer(failure === undefined),
        isSubscribed: () => this.followers.size > 0,
        noticed: (what) => {
          // What had no room to wait is a gap, although it came.
          if (what === "overflow") this.#trimmed = true;
        },
      },
    });
  }

  publish(count: number, fate: Fate): void {
    const baseSequence = this.#sequence;
    this.#sequence += count;
    const epoch = this.#epoch;
    const meaning = { epoch, baseSequence, skipped: 0, count, state: false };
    if (fate === "late") this.#delayed.push(meaning);
    if (fate === "arrives" || fate === "twice") this.#arrive(meaning);
    if (fate === "twice") this.#arrive(meaning);
  }

  /** A batch that was held up arrives, not always the oldest. */
  release(pick: number): void {
    const [meaning] = this.#delayed.splice(pick % Math.max(1, this.#delayed.length), 1);
    if (meaning !== undefined) this.#arrive(meaning);
  }

  /** Another run, whose epoch is now above and now below the one before, or another publisher. */
  changePublisher(isNewcomer: boolean): void {
    this.#epochs += 1;
    this.#epoch = this.#epochs % 2 === 0 ? 500 + this.#epochs : 500 - this.#epochs;
    this.#sequence = isNewcomer ? 0 : 40;
    this.sync.publisherChanged({ epoch: this.#epoch, isNewcomer });
  }

  /** Somebody else puts a batch of the right epoch on the bus, and the publisher answers. */
  forge(ahead: number): void {
    const order = {
      epoch: this.#epoch,
      baseSequence: this.#sequence + ahead,
      skipped: 0,
      count: 1,
    };
    // While the publisher does not answer nobody can tell, and there is not always room to wait.
    this.retry();
    this.want(true);
    this.answerQuery();
    this.answerQuery();
    this.#arrive({ ...order, state: false, forged: true });
    this.answerQuery();
    this.answerQuery();
  }

  /** Of another epoch; it has no effect in any state. */
  intrude(epoch: number): void {
    const { position } = this.#history;
    this.#arrive({ epoch, baseSequence: 0, skipped: 0, count: 3, state: false, forged: true });
    assert.deepEqual(this.#history.position, position);
  }

  /** The publisher reads the query; what it says arrives with `answerQuery`, perhaps much later. */
  readQuery(): void {
    if (this.#query === undefined) return;
    const position = { epoch: this.#epoch, sequence: this.#sequence };
    const meaning = { ...position, baseSequence: this.#sequence, skipped: 0, count: 2 };
    const none = this.#startKind === "none" || this.#sequence === 0;
    const batch = none ? undefined : shared({ ...meaning, state: true });
    this.#query.taken = { position, batch };
  }

  answerQuery(): void {
    if (this.#query?.taken === undefined) this.readQuery();
    const taken = this.#query?.taken;
    if (taken === undefined) return;
    this.#query = undefined;
    this.sync.snapshotArrived(taken);
  }

  refuseQuery(): void {
    if (this.#query === undefined) return;
    this.#query = undefined;
    this.sync.queryFailed({ kind: "unavailable", message: "refused" });
  }

  retry(): void {
    if (!this.#retryArmed) return;
    this.#retryArmed = false;
    this.sync.retryDue();
  }

  /** Somebody wants the topic, and subscribes as soon as it is ready or some time after. */
  want(attachOnReady: boolean): void {
    this.waiting += 1;
    this.#attachOnReady = attachOnReady;
    this.sync.startWanted();
  }

  /** Those who were ready before subscribe now. */
  attachReady(): void {
    for (; this.#ready > 0; this.#ready -= 1) this.#attach();
  }

  leave(): void {
    const [first] = this.followers;
    if (first !== undefined) this.followers.delete(first);
  }

  check(): void {
    const { state } = this.sync;
    const asks = this.#query !== undefined;
    assert(!(asks && this.#retryArmed), "invariant 5");
    if (this.waiting > 0) assert(asks || state === "live", "invariant 6");
    if (this.followers.size > 0 && state !== "live") {
      assert(asks || this.#retryArmed, "invariant 7");
      assert.equal(state, "resyncing");
    }
    assert(this.#history.batches <= LIMITS.ringBatchesMax);
    assert.equal(this.#history.bytes, this.#history.batches * BATCH_BYTES);
    if (state === "live") this.#checkFollowers("invariant 9");
  }

  /** The bus loses nothing any more and the publisher answers: everybody has everything. */
  heal(): void {
    while (this.#delayed.length > 0) this.release(0);
    this.attachReady();
    this.want(true);
    // Invariant 4: who compares after a loss has everything, though nothing new is published.
    this.sync.lossSuspected(false);
    for (let round = 0; round < 20; round += 1) {
      this.answerQuery();
      this.retry();
      this.check();
    }
    this.#checkHistory();
    for (let round = 0; round < 20; round += 1) {
      this.publish(1, "arrives");
      this.answerQuery();
      this.retry();
      this.check();
    }
    this.answerQuery();
    assert.equal(this.sync.state, "live");
    assert.equal(this.waiting, 0, "invariant 6");
    this.#checkHistory();
    assert(this.followers.size > 0);
    this.#checkFollowers("everybody has everything");
  }

  /** Invariant 10. */
  close(): void {
    this.sync.closed();
    assert.deepEqual([this.waiting, this.#retryArmed], [0, false]);
    const { actions } = this;
    this.publish(2, "arrives");
    this.answerQuery();
    this.refuseQuery();
    this.sync.lossSuspected(true);
    this.want(true);
    assert.deepEqual([this.waiting, this.actions, this.sync.state], [0, actions, "closed"]);
  }

  #arrive(meaning: Meaning): void {
    if (meaning.forged !== true) {
      for (let offset = 1; offset <= meaning.count; offset += 1) {
        this.#arrived.add(`${meaning.epoch}/${meaning.baseSequence + offset}`);
      }
    }
    this.sync.batchReceived(meaning, shared(meaning));
  }

  #toAll(tell: (follower: Follower) => void): void {
    this.actions += 1;
    for (const follower of this.followers) tell(follower);
  }

  #answer(ready: boolean): void {
    const { waiting } = this;
    this.waiting = 0;
    if (!ready) return;
    if (!this.#attachOnReady) this.#ready += waiting;
    else for (let index = 0; index < waiting; index += 1) this.#attach();
  }

  #attach(): void {
    const start = this.#startKind === "snapshot" ? this.#history.startFromSnapshot() : undefined;
    const follower = new Follower(this.#startKind, start?.position ?? this.#history.position);
    if (this.#startKind === "snapshot" && start === undefined) follower.needsState = true;
    this.sync.attached();
    // The state that a start begins with is at its position, and the follower has it already.
    for (const batch of start?.batches ?? []) follower.receive(batch);
    this.followers.add(follower);
  }

  #checkHistory(): void {
    const published = { epoch: this.#epoch, sequence: this.#sequence };
    assert.deepEqual(this.#history.position, published, "the topic has what was published");
  }

  #checkFollowers(why: string): void {
    const { position } = this.#history;
    for (const { epoch, sequence, needsState } of this.followers) {
      assert.deepEqual({ epoch, sequence, needsState }, { ...position, needsState: false }, why);
    }
  }
}

const fate = fc.constantFrom<Fate[]>("arrives", "arrives", "arrives", "lost", "twice", "late");
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 3 }), fate).map(
      ([count, how]) =>
        (world: World) =>
          world.publish(count, how),
    ),
  },
  { weight: 3, arbitrary: fc.nat(9).map((pick) => (world: World) => world.release(pick)) },
  { weight: 4, arbitrary: fc.constant((world: World) => world.answerQuery()) },
  { weight: 2, arbitrary: fc.constant((world: World) => world.readQuery()) },
  { weight: 1, arbitrary: fc.constant((world: World) => world.refuseQuery()) },
  { weight: 2, arbitrary: fc.constant((world: World) => world.retry()) },
  { weight: 2, arbitrary: fc.boolean().map((now) => (world: World) => world.want(now)) },
  { weight: 2, arbitrary: fc.constant((world: World) => world.attachReady()) },
  { weight: 1, arbitrary: fc.constant((world: World) => world.leave()) },
  { weight: 1, arbitrary: fc.boolean().map((is) => (world: World) => (world.overloaded = is)) },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((redeliver) => (world: World) => world.sync.lossSuspected(redeliver)),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map((isNew) => (world: World) => world.changePublisher(isNew)),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(1, 2, 900)
      .map((ahead) => (world: World) => !world.overloaded && world.forge(ahead)),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(3, Number.MAX_SAFE_INTEGER)
      .map((epoch) => (world: World) => world.intrude(epoch)),
  },
);

test.each(["snapshot", "last", "none"] as const)(
  "a topic that starts with %s loses nothing in silence and gets well again",
  (startKind) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const world = new World(startKind);
        for (const run of steps) {
          run(world);
          world.check();
        }
        world.heal();
        world.close();
        expect(world.sync.state).toBe("closed");
      }),
      { numRuns: 300 },
    );
  },
);
