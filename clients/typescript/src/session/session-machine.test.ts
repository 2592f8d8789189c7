import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PHASES, SESSION_TABLE, sessionStep } from "./session-machine.ts";
import type { SessionAction, SessionEvent, SessionPhase } from "./session-machine.ts";

// The invariants by their numbers in session-machine.ts.

const EVENTS = Object.keys(SESSION_TABLE) as SessionEvent[];
const cells = PHASES.flatMap((phase) =>
  EVENTS.map((event) => {
    const [next, action] = sessionStep(phase, event);
    return { phase, event, next, action };
  }),
);
const from = (action: SessionAction) =>
  cells.filter((cell) => cell.action === action).map(({ phase, event }) => `${phase} ${event}`);

describe("the table of a session", () => {
  test("changes nothing where it says nothing", () => {
    const silent = cells.filter(({ action }) => action === "ignore");
    expect(silent.every(({ phase, next }) => phase === next)).toBe(true);
    expect(cells.length - silent.length).toBe(20);
  });

  test("1: seeks beside one connection only, and takes over what was sought", () => {
    expect(from("seek")).toEqual(["connected due"]);
    expect(from("takeOver")).toEqual(["seeking nextWelcome"]);
    expect(from("promote")).toEqual(["seeking lost"]);
  });

  test("2: dials only where there is no connection", () => {
    expect(from("dial")).toEqual(["idle start", "waiting due"]);
    expect(from("connect")).toEqual(["dialling welcome"]);
    const lost = cells.filter(({ event, action }) => event === "lost" && action !== "ignore");
    expect(lost.map(({ phase, next }) => [phase, next])).toEqual([
      ["dialling", "waiting"],
      ["connected", "waiting"],
      ["seeking", "dialling"],
      ["moving", "waiting"],
    ]);
  });

  test("3: loses nothing by another connection that cannot be made", () => {
    const effects = cells.filter(
      ({ event, action }) => event === "nextLost" && action !== "ignore",
    );
    expect(effects).toEqual([
      { phase: "seeking", event: "nextLost", next: "connected", action: "schedule" },
    ]);
  });

  test("4: ends from everywhere, once", () => {
    const ends = cells.filter(({ event }) => event === "end");
    expect(ends.every(({ next }) => next === "closed")).toBe(true);
    expect(from("close")).toHaveLength(PHASES.length - 1);
    expect(cells.filter(({ phase, next }) => phase === "closed" && next !== "closed")).toEqual([]);
  });
});

/** Connections as the actions make and end them, written without the table. */
class Connections {
  main: "none" | "made" | "ready" = "none";
  other: "none" | "made" | "old" = "none";
  hasTimer = false;
  isOver = false;

  act(action: SessionAction): void {
    switch (action) {
      case "dial":
        this.#must(this.main === "none", action);
        this.main = "made";
        this.hasTimer = false;
        return;
      case "connect":
        this.#must(this.main === "made", action);
        this.main = "ready";
        return;
      case "wait":
        this.main = "none";
        this.other = "none";
        this.hasTimer = true;
        return;
      case "schedule":
        this.#must(this.main === "ready", action);
        this.other = "none";
        this.hasTimer = true;
        return;
      case "seek":
        this.#must(this.main === "ready" && this.other === "none", action);
        this.other = "made";
        this.hasTimer = false;
        return;
      case "promote":
        this.#must(this.other === "made", action);
        this.main = "made";
        this.other = "none";
        return;
      case "takeOver":
        this.#must(this.main === "ready" && this.other === "made", action);
        this.other = "old";
        return;
      case "release":
        this.#must(this.other === "old", action);
        this.other = "none";
        return;
      case "close":
        this.main = "none";
        this.other = "none";
        this.hasTimer = false;
        this.isOver = true;
        return;
      case "ignore":
        return;
    }
  }

  #must(isSo: boolean, action: SessionAction): void {
    if (!isSo) throw new Error(`${action} with ${this.main} and ${this.other}`);
  }

  /** What can happen to such connections. */
  get possible(): SessionEvent[] {
    if (this.isOver) return ["end", "due"];
    const events: SessionEvent[] = ["end"];
    if (this.main === "made") events.push("welcome", "lost");
    if (this.main === "ready") events.push("lost", "leave");
    if (this.other === "made") events.push("nextWelcome", "nextLost");
    if (this.other === "old") events.push("oldDone");
    if (this.hasTimer || this.other === "old") events.push("due");
    return events;
  }
}

describe("a life of a session", () => {
  test("never has more connections than it can tell apart, and is never stuck", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), (choices) => {
        const connections = new Connections();
        let phase = "idle" as SessionPhase;
        const happen = (event: SessionEvent): void => {
          const [next, action] = sessionStep(phase, event);
          phase = next;
          connections.act(action);
        };
        happen("start");
        for (const choice of choices) {
          const { possible } = connections;
          const event = possible[choice % possible.length]!;
          // The end would be most of every life.
          if (event === "end" && choice > 20) continue;
          happen(event);
          const { main, other, hasTimer, isOver } = connections;
          const isAlive = isOver || main !== "none" || hasTimer;
          expect(isAlive).toBe(true);
          expect(phase === "connected" || phase === "seeking" || phase === "moving").toBe(
            main === "ready",
          );
          expect([other === "made", other === "old"]).toEqual([
            phase === "seeking",
            phase === "moving",
          ]);
        }
      }),
    );
  });
});
