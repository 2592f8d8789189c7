import { BatchWriter } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { orderOf, sharedBatch } from "#test/support/shared-batches.ts";
import { EpochEnds } from "./epoch-ends.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import type { StartKind } from "./start-kind.ts";
import { TopicHistory } from "./topic-history.ts";
import { TopicStarts } from "./topic-start.ts";

const SHARED = new SharedTopic(1, { venue: "fake", channel: "any" });
const NEW = { snapshot: true, resume: undefined };
const NEWS_ONLY = { snapshot: false, resume: undefined };

/** A batch of statuses, because rows of them are the shortest to write. */
function statuses(sequence: number): BusBatch {
  const row = { venueTimeUs: undefined, receivedTimeUs: 1, sinceTimeUs: 1, reason: "" };
  const rows = [{ ...row, channel: "trades" as const, state: "live" as const }];
  const writer = new BatchWriter({ kind: "statuses", epoch: 1, sequence: sequence - 1 });
  return writer.write({ kind: "statuses", rows }, { publishedTimeUs: 1 })[0]!;
}

function batch(sequence: number): SharedBatch {
  return SharedBatch.news(SHARED, statuses(sequence));
}

/** A topic with a state at 5 and the batches 6 and 7. */
function topic(startKind: StartKind, options: { snapshotNeeded?: boolean } = {}) {
  const history = new TopicHistory({ ringBytesMax: 10_000, ringBatchesMax: 3 });
  history.reset({ epoch: 1, sequence: 5 }, startKind === "none" ? undefined : batch(5));
  for (const sequence of [6, 7]) history.append(orderOf(sequence), batch(sequence));
  const ends = new EpochEnds();
  const starts = new TopicStarts({
    startKind,
    snapshotNeeded: options.snapshotNeeded ?? false,
    history,
    shared: SHARED,
    ends,
    earlier: () => undefined,
  });
  return { history, starts, ends };
}

const firsts = (batches: readonly SharedBatch[]) => batches.map((each) => each.firstSequence);

describe("somebody new", () => {
  test("gets the state and what followed, where there is a state", () => {
    const { batches, ...rest } = topic("snapshot").starts.startOf(NEW);
    expect(firsts(batches)).toEqual([5, 6, 7]);
    const position = { epoch: 1, sequence: 5 };
    expect(rest).toEqual({ continuity: "new", position, missing: undefined, ended: undefined });
  });

  test("gets the last event as a state, made once for all, where each replaces the one before", () => {
    const { starts, history } = topic("last");
    const first = starts.startOf(NEW);
    expect(firsts(first.batches)).toEqual([7]);
    expect(first.position).toEqual({ epoch: 1, sequence: 7 });
    expect(starts.startOf(NEW).batches[0]).toBe(first.batches[0]);
    expect(first.batches[0]!.isState).toBe(true);
    history.append(orderOf(8), batch(8));
    expect(firsts(starts.startOf(NEW).batches)).toEqual([8]);
  });

  test("gets the state of the publisher where no event has come since", () => {
    const { starts, history } = topic("last");
    history.reset({ epoch: 1, sequence: 9 }, batch(9));
    expect(firsts(starts.startOf(NEW).batches)).toEqual([9]);
  });

  test("gets the state of the publisher where the last event cannot be read", () => {
    const { starts, history } = topic("last");
    history.append(orderOf(8), sharedBatch(8));
    expect(firsts(starts.startOf(NEW).batches)).toEqual([5, 6, 7, 8]);
  });

  test("gets what comes next, where there is no state", () => {
    const start = topic("none").starts.startOf(NEW);
    expect(start.batches).toEqual([]);
    expect(start.position).toEqual({ epoch: 1, sequence: 7 });
  });

  test("gets no state if it wants none, but where nothing can be understood without", () => {
    expect(topic("last").starts.startOf(NEWS_ONLY).batches).toEqual([]);
    expect(topic("snapshot").starts.startOf(NEWS_ONLY).position.sequence).toBe(7);
    const book = topic("snapshot", { snapshotNeeded: true }).starts.startOf(NEWS_ONLY);
    expect(firsts(book.batches)).toEqual([5, 6, 7]);
  });
});

describe("somebody who was here before", () => {
  const resume = (sequence: number, epoch = 1) => ({ snapshot: true, resume: { epoch, sequence } });

  test.each(["snapshot", "last", "none"] as const)("gets what it missed (%s)", (startKind) => {
    const start = topic(startKind).starts.startOf(resume(6));
    expect(firsts(start.batches)).toEqual([7]);
    expect(start).toMatchObject({ continuity: "resumed", position: { epoch: 1, sequence: 6 } });
    expect(start.missing).toBeUndefined();
  });

  test("and missed nothing gets nothing", () => {
    const start = topic("snapshot").starts.startOf(resume(7));
    expect(start).toMatchObject({ continuity: "resumed", batches: [] });
  });

  test("is told which trades are gone for good", () => {
    const start = topic("none").starts.startOf(resume(3));
    expect(start).toMatchObject({ continuity: "replaced", batches: [] });
    expect(start.missing).toEqual({ first: 4, last: 7 });
  });

  test("in another epoch starts anew, and nothing can be counted", () => {
    const start = topic("none").starts.startOf(resume(3, 9));
    expect(start).toMatchObject({ continuity: "replaced", missing: undefined });
  });

  test("in another epoch is told where that ended, if it is known here", () => {
    const { starts, ends } = topic("none");
    ends.ended({ epoch: 9, sequence: 12 });
    expect(starts.startOf(resume(3, 9)).ended).toEqual({ epoch: 9, sequence: 12 });
    expect(starts.startOf(resume(3, 8)).ended).toBeUndefined();
    expect(starts.startOf(NEW).ended).toBeUndefined();
  });

  test("gets a new state where the old one is too old", () => {
    const start = topic("snapshot").starts.startOf(resume(2));
    expect(start).toMatchObject({ continuity: "replaced", missing: undefined });
    expect(firsts(start.batches)).toEqual([5, 6, 7]);
  });
});
