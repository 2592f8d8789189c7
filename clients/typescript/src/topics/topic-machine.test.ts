import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BOOK_STATE } from "./book-state.ts";
import { isStateKnown, TOPIC_TABLE } from "./topic-machine.ts";
import type { TopicEvent, TopicStage } from "./topic-machine.ts";

// The invariants by their numbers in topic-machine.ts.

const stages = Object.keys(TOPIC_TABLE) as TopicStage[];
const events = Object.keys(TOPIC_TABLE.syncing) as TopicEvent[];
const cells = stages.flatMap((stage) =>
  events.map((event) => {
    const [next, action] = TOPIC_TABLE[stage][event];
    return { stage, event, next, action };
  }),
);

describe("the table of a topic", () => {
  test("has every stage by every event, and nothing else", () => {
    for (const stage of stages)
      expect(Object.keys(TOPIC_TABLE[stage]).sort()).toEqual([...events].sort());
    expect(cells.every(({ next }) => stages.includes(next))).toBe(true);
  });

  test("1: shows a state only in live, which is reached with the state in hand", () => {
    const shown = stages.filter((stage) => BOOK_STATE[stage] === "live");
    expect(shown).toEqual(["live"]);
    const unproven = cells.filter(
      ({ stage, next, action }) => next === "live" && action !== "apply" && !isStateKnown(stage),
    );
    expect(unproven).toEqual([]);
  });

  test("1: shows every change of what a book is worth, unless the change itself does", () => {
    const changing = cells.filter(({ stage, next }) => BOOK_STATE[stage] !== BOOK_STATE[next]);
    expect(changing.filter(({ action }) => action === "ignore")).toEqual([]);
    expect(changing.length).toBeGreaterThan(10);
  });

  test("2: applies a change to a known state only", () => {
    const applied = cells.filter(({ event, action }) => event === "change" && action === "apply");
    expect(applied.map(({ stage }) => stage)).toEqual(["live", "rewinding"]);
    expect(TOPIC_TABLE.syncing.change).toEqual(["resyncing", "ask"]);
    expect(TOPIC_TABLE.resyncing.change).toEqual(["resyncing", "ask"]);
  });

  test("3: never applies what does not follow", () => {
    const gaps = cells.filter(({ event }) => event === "gap");
    expect(gaps.every(({ action }) => action === "ask" || action === "ignore")).toBe(true);
    expect(gaps.every(({ next }) => next !== "live")).toBe(true);
  });

  test("4: minds no batch without a connection", () => {
    for (const stage of ["suspended", "disconnected"] as const) {
      for (const event of ["whole", "change", "gap", "restart", "missing"] as const) {
        expect(TOPIC_TABLE[stage][event]).toEqual([stage, "ignore"]);
      }
    }
  });

  test("5: comes back to live by a new start, whatever went before", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (past) => {
        let stage: TopicStage = "syncing";
        for (const event of [...past, "anew", "whole"] as const)
          [stage] = TOPIC_TABLE[stage][event];
        expect(stage).toBe("live");
      }),
    );
  });

  test("keeps a state through anything that does not cost it", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), (past) => {
        let stage: TopicStage = "syncing";
        let isKnown = false;
        for (const event of past) {
          const isConnected = stage !== "suspended" && stage !== "disconnected";
          if (event === "whole" && isConnected) isKnown = true;
          if (event === "anew" || (isConnected && (event === "restart" || event === "missing"))) {
            isKnown = false;
          }
          [stage] = TOPIC_TABLE[stage][event];
          expect(isStateKnown(stage)).toBe(isKnown);
        }
      }),
      { numRuns: 500 },
    );
  });
});
