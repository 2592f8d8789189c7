import { describe, expect, test } from "vitest";
import type { SessionRow, TopicRow } from "../process/admin-state.ts";
import { topScreen } from "./top-screen.ts";
import type { TopChoice, TopState } from "./top-screen.ts";

const CHOICE: TopChoice = {
  address: "http://127.0.0.1:9091",
  sessionSort: "lag",
  topicSort: "rate",
  filter: "",
  table: "all",
  prompt: undefined,
};

function session(index: number, more: Partial<SessionRow> = {}): SessionRow {
  return {
    id: `a-${index}`,
    state: "open",
    client: "bot",
    clientVersion: "1.2",
    address: "192.0.2.7",
    principal: "anonymous",
    openedTimeUs: 1,
    topics: 3,
    lagMs: 12,
    owedBytes: 2_500,
    lagging: false,
    ...more,
  };
}

function topic(index: number, more: Partial<TopicRow> = {}): TopicRow {
  return {
    topic: `v:S${index}/trades`,
    state: "live",
    epoch: 1,
    sequence: 9,
    sessions: 1,
    eventsPerSecond: 12.34,
    quietMs: null,
    historyBytes: 100,
    views: [],
    ...more,
  };
}

function state(sessions: number, topics: number): TopState {
  const made = <Row>(count: number, row: (index: number) => Row): Row[] =>
    Array.from({ length: count }, (_, index) => row(index));
  const process = { version: "1", node: "20", pid: 1, uptimeSeconds: 93_784, residentBytes: 12e6 };
  return {
    totals: { process: { service: "gateway", ...process }, lists: [] },
    venues: [],
    publishers: [],
    derived: [],
    feeds: [],
    sessions: made(sessions, session),
    topics: made(topics, topic),
  };
}

const texts = (lines: readonly { readonly text: string }[]): string[] =>
  lines.map(({ text }) => text);
const ALL = { columns: 200, lines: undefined };

describe("the screen", () => {
  test("says what it shows, in columns", () => {
    const lines = texts(topScreen(state(1, 1), CHOICE, ALL));
    expect(lines).toEqual([
      "gateway 1 at http://127.0.0.1:9091   up 1d 02:03:04   memory 12.0 MB   node 20",
      "sessions by lag",
      "SESSION  CLIENT   ADDRESS    STATE  TOPICS    LAG    OWED",
      "a-0      bot 1.2  192.0.2.7  open        3  12 ms  2.5 KB",
      "topics by rate",
      "TOPIC        STATE  EV/S  SESSIONS  VIEWS  SEQUENCE  QUIET   KEPT",
      "v:S0/trades  live   12.3         1      0         9      -  100 B",
    ]);
  });

  test.each([
    [20, 80],
    [10, 80],
    [24, 20],
    [3, 80],
    [1, 1],
  ])("is never larger than %i lines of %i columns", (lines, columns) => {
    const counts = [
      { sessions: 0, topics: 0 },
      { sessions: 1, topics: 100 },
      { sessions: 100, topics: 100 },
      { sessions: 100, topics: 1 },
    ];
    for (const { sessions, topics } of counts) {
      const screen = topScreen(state(sessions, topics), CHOICE, { columns, lines });
      expect(screen.length).toBeLessThanOrEqual(lines);
      expect(Math.max(...screen.map(({ text }) => text.length))).toBeLessThanOrEqual(columns);
    }
  });

  test("gives the room that a short table leaves to a long one", () => {
    const screen = texts(topScreen(state(2, 100), CHOICE, { columns: 80, lines: 26 }));
    expect(screen).toHaveLength(26);
    expect(screen.filter((line) => line.startsWith("a-"))).toHaveLength(2);
    expect(screen.filter((line) => line.startsWith("v:"))).toHaveLength(18);
    expect(screen).toContain("topics by rate, 18 of 100 or more");
  });

  test("shows one table alone, also when it is empty", () => {
    const screen = texts(topScreen(state(3, 5), { ...CHOICE, table: "feeds" }, ALL));
    expect(screen.slice(1)).toEqual([
      "subscriptions at venues that are in trouble",
      "VENUE  SYMBOL  CHANNEL  STATE  WHAT",
    ]);
  });

  test("marks what is in trouble", () => {
    const slow = { ...state(0, 0), sessions: [session(1, { lagging: true }), session(2)] };
    const styles = topScreen(slow, CHOICE, ALL).slice(3);
    expect(styles.map(({ style }) => style)).toEqual(["bad", "plain"]);
    const stuck = { ...state(0, 0), topics: [topic(1, { state: "syncing" })] };
    expect(topScreen(stuck, CHOICE, ALL).at(-1)?.style).toBe("bad");
  });

  test("has no character that a terminal obeys, whatever a client calls itself", () => {
    const named = { ...state(0, 0), sessions: [session(1, { client: "a\u001b[2Jb\u202ec" })] };
    const screen = texts(topScreen(named, CHOICE, ALL)).join("");
    expect(screen).not.toContain("\u001b");
    expect(screen).not.toContain("\u202e");
  });
});
