// Of a chain of messages on the bus the cores are enough: what is told of the rest is, byte for
// byte, what their writer wrote.
import { BatchWriter, ChainMessages, WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnHistories } from "#test/support/column-arbitraries.ts";
import { plainTrades, topicHistories } from "#test/support/wire-arbitraries.ts";

const EPOCH = 1_767_225_600_000_001;
const PUBLISHED_US = 1_767_225_600_000_900;

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The messages, the first and those that rebase given whole and of the others the cores. */
function told(batches: readonly BusBatch[], from: number): string[] {
  const chain = new ChainMessages();
  return batches.slice(from).map((batch, index) => {
    const { bytes, coreStart, coreEnd, rebase } = batch;
    if (index > 0 && !rebase) return hex(chain.next(bytes, coreStart, coreEnd));
    chain.begin(bytes);
    return hex(bytes);
  });
}

/** Messages from which on something is told otherwise than it was written. */
function toldWrongly(batches: readonly BusBatch[]): number[] {
  const whole = batches.map(({ bytes }) => hex(bytes));
  const isWrong = (from: number) => told(batches, from).join() !== whole.slice(from).join();
  return [...batches.keys()].filter(isWrong);
}

describe("messages of a chain are told again of their cores", () => {
  test("for events of every channel, beginning with any of them", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const writer = new BatchWriter({ kind: history[0]!.kind, epoch: EPOCH });
        const init = { publishedTimeUs: PUBLISHED_US };
        const batches = history.flatMap((rows) => writer.write(rows, init));
        expect(toldWrongly(batches)).toEqual([]);
      }),
    );
  });

  test("for events that are columns, also where some were conflated away", () => {
    fc.assert(
      fc.property(columnHistories, (history) => {
        const writer = new BatchWriter({ kind: history[0]!.columns.kind, epoch: EPOCH });
        const batches = history.map(({ columns, skipped }) =>
          writer.writeColumns(columns, { publishedTimeUs: PUBLISHED_US, skipped }),
        );
        expect(toldWrongly(batches)).toEqual([]);
      }),
    );
  });

  test("and not of a core that goes on from another message", () => {
    const writer = new BatchWriter({ kind: "trades", epoch: EPOCH });
    const init = { publishedTimeUs: PUBLISHED_US };
    const [first, , third] = [0, 1, 2].map((at) => writer.write(plainTrades(at, 1), init)[0]!);
    const chain = new ChainMessages();
    const next = () => chain.next(third!.bytes, third!.coreStart, third!.coreEnd);
    expect(next).toThrow(WireError);
    chain.begin(first!.bytes);
    expect(next).toThrow("a core does not go on from the message before it");
    // What it said of the chain is no longer known.
    expect(next).toThrow("a chain begins with a whole message");
  });
});
