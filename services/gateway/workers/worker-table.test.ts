import fc from "fast-check";
import { expect, test } from "vitest";
import { WORKER_TABLE } from "./worker-table.ts";
import type { WorkerEvent, WorkerState } from "./worker-table.ts";

/** Whether a thread runs, and whether the place is to be filled: all that a life depends on. */
type Model = { runs: boolean; serves: boolean; hangs: boolean; closes: boolean };

function eventsOf({ runs, serves, hangs, closes }: Model): WorkerEvent[] {
  const events: WorkerEvent[] = ["close"];
  if (runs) events.push("exited");
  if (runs && !serves) events.push("serves");
  if (serves && !hangs && !closes) events.push("hangs");
  if (!runs && !closes) events.push("rested");
  return events;
}

test("a place for a worker lives as a thread that runs or not, and is closed or not", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 40 }), (choices) => {
      const model: Model = { runs: false, serves: false, hangs: false, closes: false };
      let state: WorkerState = "resting";
      for (const choice of choices) {
        const events = eventsOf(model);
        const event = events[choice % events.length] as WorkerEvent;
        const next: WorkerState | "never" = WORKER_TABLE[state][event];
        expect(next).not.toBe("never");
        state = next as WorkerState;
        if (event === "rested") model.runs = true;
        if (event === "serves") model.serves = true;
        if (event === "hangs") model.hangs = true;
        if (event === "close") model.closes = true;
        if (event === "exited") Object.assign(model, { runs: false, serves: false, hangs: false });
        const serving = model.hangs ? "hung" : "serving";
        const open = model.runs ? (model.serves ? serving : "starting") : "resting";
        expect(state).toBe(model.closes ? (model.runs ? "closing" : "ended") : open);
      }
    }),
  );
});
