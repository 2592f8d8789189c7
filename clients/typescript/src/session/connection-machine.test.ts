import { describe, expect, test } from "vitest";
import { CONNECTION_TABLE } from "./connection-machine.ts";
import type { ConnectionEvent, ConnectionState } from "./connection-machine.ts";

// The invariants by their numbers in connection-machine.ts.

const states = Object.keys(CONNECTION_TABLE) as ConnectionState[];
const events = Object.keys(CONNECTION_TABLE.idle) as ConnectionEvent[];
const cells = states.flatMap((state) =>
  events.map((event) => {
    const [next, action] = CONNECTION_TABLE[state][event];
    return { state, event, next, action };
  }),
);

describe("the table of a connection", () => {
  test("has every state by every event, and nothing else", () => {
    for (const state of states) expect(Object.keys(CONNECTION_TABLE[state])).toEqual(events);
    expect(cells.every(({ next }) => states.includes(next))).toBe(true);
  });

  test("1: tells the end where it comes to the end, once", () => {
    const ending = cells.filter(({ state, next }) => next === "ended" && state !== "ended");
    expect(cells.filter(({ action }) => action === "end")).toEqual(ending);
    const afterwards = cells.filter(({ state }) => state === "ended");
    expect(afterwards.map(({ next, action }) => [next, action])).toEqual(
      events.map(() => ["ended", "ignore"]),
    );
  });

  test("2: announces one Welcome, on the one way out of greeting that is no end", () => {
    const announced = cells.filter(({ action }) => action === "announce");
    expect(announced).toEqual([
      { state: "greeting", event: "welcome", next: "ready", action: "announce" },
    ]);
    const toGreeting = cells.filter(({ state, next }) => next === "greeting" && state !== next);
    expect(toGreeting.map(({ state }) => state)).toEqual(["dialling"]);
    const toDialling = cells.filter(({ state, next }) => next === "dialling" && state !== next);
    expect(toDialling.map(({ state }) => state)).toEqual(["idle"]);
    expect(cells.filter(({ state, next }) => next === "idle" && state !== next)).toEqual([]);
  });

  test("3: hands on only between Hello and the end", () => {
    const delivering = cells.filter(({ action }) => action === "deliver");
    expect(new Set(delivering.map(({ state }) => state))).toEqual(new Set(["greeting", "ready"]));
  });

  test("4: minds the timer only while it waits for Welcome", () => {
    const ending = cells.filter(({ event, action }) => event === "timeout" && action === "end");
    expect(ending.map(({ state }) => state)).toEqual(["dialling", "greeting"]);
  });

  test("5: ends by failure and by close in every state", () => {
    const isEnd = ({ event }: { event: string }) => event === "fail" || event === "closed";
    expect(cells.filter(isEnd).map(({ next }) => next)).toEqual(Array(10).fill("ended"));
  });

  test("does something about every event somewhere", () => {
    const minded = new Set(cells.filter(({ action }) => action !== "ignore").map((c) => c.event));
    expect(minded).toEqual(new Set(events));
  });
});
