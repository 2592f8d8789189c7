import { BatchWriter } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FanOut } from "./fan-out.ts";
import type { ListSeat } from "./fan-out.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import { Subscribers } from "./subscribers.ts";
import type { SubscriberTable, TopicSubscriber } from "./topic-subscriber.ts";

const TOPIC = new SharedTopic(7, { venue: "v", channel: "trades" });

/** News of one event each, and states where they stand. */
class Source {
  readonly #writer = new BatchWriter({ kind: "statuses", epoch: 1 });
  readonly #rows = {
    kind: "statuses" as const,
    rows: [
      {
        venueTimeUs: undefined,
        receivedTimeUs: 1,
        sinceTimeUs: 1,
        channel: "book",
        state: "live" as const,
        reason: "",
      },
    ],
  };

  news(skipped = 0): SharedBatch {
    const [batch] = this.#writer.write(this.#rows, { publishedTimeUs: 1, skipped });
    return SharedBatch.news(TOPIC, batch as NonNullable<typeof batch>);
  }

  state(): SharedBatch {
    const chain = { kind: "statuses", epoch: 1, sequence: this.#writer.sequence } as const;
    const [batch] = BatchWriter.snapshot(chain, this.#rows, { publishedTimeUs: 1 });
    return SharedBatch.state(TOPIC, [batch as NonNullable<typeof batch>]);
  }
}

const LIST_BATCHES_MAX = 8;
const FAN_OUT_BATCHES_MAX = 32;
let fulls = 0;

function newFanOut(): FanOut {
  fulls = 0;
  const limits = { listBatchesMax: LIST_BATCHES_MAX, batchesMax: FAN_OUT_BATCHES_MAX };
  return new FanOut({ fullLists: { inc: () => (fulls += 1) } } as never, limits);
}

/** A session of one subscription that notes what it gets, in order. */
class Reader implements TopicSubscriber {
  readonly seat: ListSeat | undefined;
  readonly got: (number | string)[] = [];
  readonly batches: SharedBatch[] = [];
  /** How often its list had its turn. */
  turns = 0;
  fulls = 0;
  calls = 0;
  /** Whether it may be listed. */
  wants = true;
  sequence = 0;
  stoodAtGap = false;

  constructor(fanOut?: FanOut) {
    this.seat = fanOut?.open({
      onListDue: () => {
        this.turns += 1;
        this.take();
      },
      onListFull: () => {
        this.fulls += 1;
        this.take();
      },
    });
  }

  take(): void {
    if (this.seat !== undefined) this.seat.fanOut.take(this.seat.list, this.batches);
  }

  deliver(batch: SharedBatch): boolean {
    this.take();
    this.calls += 1;
    this.batches.push(batch);
    this.sequence = batch.lastSequence;
    return this.wants && !batch.endsChain;
  }

  unlisted(sequence: number): void {
    this.sequence = sequence;
  }

  gap(first: number, last: number): void {
    this.take();
    this.stoodAtGap = this.sequence === first - 1;
    this.sequence = last;
  }

  epochChanged(): void {
    this.take();
  }

  /** Every batch so far. */
  all(): SharedBatch[] {
    this.take();
    return this.batches;
  }
}

function create() {
  const conflated: number[] = [];
  const metrics = { conflated: { inc: (_: unknown, count: number) => conflated.push(count) } };
  return { subscribers: new Subscribers(metrics as never), conflated };
}

/** The reader as a row: another object each time, as who asks a table gets. */
function asRow(reader: Reader, row: number, table: SubscriberTable): TopicSubscriber {
  return new Proxy<TopicSubscriber>(reader, {
    get: (target, name) => ({ row, table })[name as string] ?? Reflect.get(target, name),
  });
}

describe("subscribers", () => {
  test("that want every batch are called once, and then find what came in their lists", () => {
    const { subscribers } = create();
    const source = new Source();
    const fanOut = newFanOut();
    const reader = new Reader(fanOut);
    subscribers.add(reader);
    const sent = [source.news(), source.news(), source.news()];
    for (const batch of sent) subscribers.deliver(batch);
    expect(reader.calls).toBe(1);
    expect(fanOut.beginRound()).toBe(1);
    fanOut.giveTurn(fanOut.beginTurn(0), 0);
    expect(reader.turns).toBe(1);
    expect(fanOut.due).toBe(0);
    expect(reader.all()).toEqual(sent);
  });

  test("are called with a state, and with what follows it", () => {
    const { subscribers } = create();
    const source = new Source();
    const reader = new Reader(newFanOut());
    subscribers.add(reader);
    const sent = [source.news(), source.news(), source.state(), source.news(), source.news()];
    for (const batch of sent) subscribers.deliver(batch);
    expect(reader.calls).toBe(3);
    expect(reader.all()).toEqual(sent);
  });

  test("that are listed count what was conflated away once for all of them", () => {
    const { subscribers, conflated } = create();
    const source = new Source();
    const fanOut = newFanOut();
    for (const reader of [new Reader(fanOut), new Reader(fanOut)]) subscribers.add(reader);
    subscribers.deliver(source.news());
    subscribers.deliver(source.news(5));
    expect(conflated).toEqual([10]);
  });

  test("hear of a gap where they stand", () => {
    const { subscribers } = create();
    const source = new Source();
    const reader = new Reader(newFanOut());
    subscribers.add(reader);
    subscribers.deliver(source.news());
    subscribers.deliver(source.news());
    subscribers.gap(3, 4);
    expect(reader).toMatchObject({ sequence: 4, stoodAtGap: true });
  });

  test("that have come to another list leave the first, wherever they stood in it", () => {
    const source = new Source();
    const fanOut = newFanOut();
    const [first, second] = [create().subscribers, create().subscribers];
    const readers = [new Reader(fanOut), new Reader(fanOut), new Reader(fanOut)];
    for (const reader of readers) first.add(reader);
    const moving = readers[1] as Reader;
    second.add(moving);
    expect([first.delete(moving), first.delete(moving), first.size]).toEqual([true, false, 2]);
    const sent = [source.news(), source.news(), source.news()];
    for (const batch of sent) first.deliver(batch);
    expect(readers.map((reader) => reader.all().length)).toEqual([3, 0, 3]);
    for (const batch of sent) second.deliver(batch);
    expect(moving.all()).toEqual(sent);
    expect([second.delete(moving), second.size]).toEqual([true, 0]);
  });

  test("get nothing once they are gone, also where their session is", () => {
    const { subscribers } = create();
    const source = new Source();
    const fanOut = newFanOut();
    const [gone, kept] = [new Reader(fanOut), new Reader(fanOut)];
    for (const reader of [gone, kept]) subscribers.add(reader);
    const sent = [source.news(), source.news()];
    subscribers.deliver(sent[0] as SharedBatch);
    fanOut.close(gone.seat?.list ?? -1);
    subscribers.deliver(sent[1] as SharedBatch);
    // The list is nobody else's as long as a subscription of the old session is here.
    const newcomer = new Reader(fanOut);
    expect(newcomer.seat?.list).not.toBe(gone.seat?.list);
    expect(subscribers.delete(gone)).toBe(true);
    expect(new Reader(fanOut).seat?.list).toBe(gone.seat?.list);
    expect([gone.batches.length, kept.all()]).toEqual([1, sent]);
    expect(newcomer.all()).toEqual([]);
  });

  test.each([
    [LIST_BATCHES_MAX - 1, 0],
    [LIST_BATCHES_MAX, 1],
    [LIST_BATCHES_MAX + 1, 1],
  ])("with %i batches in a list have it taken %i times", (batches, times) => {
    const { subscribers } = create();
    const source = new Source();
    const reader = new Reader(newFanOut());
    subscribers.add(reader);
    const sent = Array.from({ length: batches + 1 }, () => source.news());
    for (const batch of sent) subscribers.deliver(batch);
    expect([reader.fulls, fulls]).toEqual([times, times]);
    expect(reader.all()).toEqual(sent);
  });

  test("take everything when very much waits", () => {
    const fanOut = newFanOut();
    const source = new Source();
    const quiet = new Reader(fanOut);
    const busy = new Reader(fanOut);
    const [few, many] = [create().subscribers, create().subscribers];
    few.add(quiet);
    many.add(busy);
    const first = [source.news(), source.news()];
    for (const batch of first) few.deliver(batch);
    many.deliver(first[0] as SharedBatch);
    const one = source.news();
    for (let count = fanOut.batches; count < FAN_OUT_BATCHES_MAX; count += 1) many.deliver(one);
    expect([fanOut.batches, quiet.fulls]).toEqual([FAN_OUT_BATCHES_MAX, 0]);
    many.deliver(one);
    expect([fanOut.batches, quiet.fulls]).toEqual([1, 1]);
    expect(quiet.batches).toEqual(first);
  });

  test.each([
    ["objects", () => false],
    ["rows", () => true],
    ["some rows", (reader: number) => reader % 2 === 0],
  ])("that are %s get what they would one by one, whoever comes, goes or is called", (_, isRow) => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("news" as const, "state" as const, "conflated" as const) }),
      fc.record({
        kind: fc.constantFrom(
          "add" as const,
          "delete" as const,
          "unlist" as const,
          "take" as const,
        ),
        reader: fc.nat(5),
      }),
      fc.record({ kind: fc.constant("wish" as const), reader: fc.nat(5), wants: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { subscribers } = create();
        const source = new Source();
        const fanOut = newFanOut();
        const readers = Array.from(
          { length: 6 },
          (_, index) => new Reader(index === 5 ? undefined : fanOut),
        );
        const expected = readers.map((): SharedBatch[] => []);
        const members = new Set<number>();
        const table: SubscriberTable = { at: (row) => asRow(readers[row] as Reader, row, table) };
        for (const one of steps) {
          if ("reader" in one) {
            const reader = readers[one.reader] as Reader;
            const member = isRow(one.reader) ? table.at(one.reader) : reader;
            if (one.kind === "add") subscribers.add(member);
            if (one.kind === "delete") subscribers.delete(member);
            if (one.kind === "unlist") subscribers.unlist(member);
            if (one.kind === "take") reader.take();
            if (one.kind === "wish") reader.wants = one.wants;
            if (one.kind === "add") members.add(one.reader);
            if (one.kind === "delete") members.delete(one.reader);
            continue;
          }
          const batch =
            one.kind === "state" ? source.state() : source.news(one.kind === "conflated" ? 2 : 0);
          for (const index of members) expected[index]?.push(batch);
          subscribers.deliver(batch);
          expect(subscribers.size).toBe(members.size);
        }
        expect(
          readers.map((reader) => reader.all().map(({ lastSequence }) => lastSequence)),
        ).toEqual(expected.map((batches) => batches.map(({ lastSequence }) => lastSequence)));
      }),
    );
  });
});
