import { describe, expect, test } from "vitest";
import type { StateQuery, StateRows } from "#core/state-page.ts";
import { joinedReasons, joinedSummary } from "./joined-summary.ts";
import type { WorkerPlace } from "./worker-place.ts";
import type { WorkerQuestions } from "./worker-questions.ts";
import { WorkerState } from "./worker-state.ts";

const PAGES = [
  { name: "sessions", parameters: new Map([["sort", "any" as const]]), needed: undefined },
];

/** Workers that have these rows; a place in their list is the number of the next row. */
function stateOf(workers: readonly (readonly object[] | undefined)[]): WorkerState {
  const places = workers.map((_, index) => {
    return {
      index,
      state: "serving",
      status: { sessions: 0, notReady: [] },
      serves: { pages: PAGES },
    };
  });
  const ask = (place: WorkerPlace, question: string, argument?: unknown): Promise<unknown> => {
    const rows = workers[place.index];
    if (question !== "page" || rows === undefined) return Promise.resolve(undefined);
    const { limit, after } = (argument as { query: StateQuery }).query;
    const from = Number(after);
    const next = from + limit < rows.length ? String(from + limit) : "";
    return Promise.resolve({ rows: rows.slice(from, from + limit), next });
  };
  return new WorkerState(places as unknown as WorkerPlace[], { ask } as unknown as WorkerQuestions);
}

const query = (limit: number, after = "", sort?: string): StateQuery => {
  return { limit, after, parameters: new Map(sort === undefined ? [] : [["sort", sort]]) };
};

async function readAll(state: WorkerState, limit: number): Promise<StateRows[]> {
  const pages: StateRows[] = [];
  for (let after = ""; ;) {
    const page = await state.pages.get("sessions")!.answer(query(limit, after));
    pages.push(page);
    if (page.next === "" || pages.length > 50) return pages;
    after = page.next;
  }
}

const named = (names: string): object[] => names.split("").map((id) => ({ id }));

describe("the lists of all workers", () => {
  test.each([1, 2, 3, 4, 7, 8])(
    "come in pages of %i without a row lost or doubled",
    async (limit) => {
      const pages = await readAll(stateOf([named("abc"), named(""), named("defg")]), limit);
      expect(pages.flatMap(({ rows }) => rows)).toEqual([
        ...named("abc").map((row) => ({ worker: 0, ...row })),
        ...named("defg").map((row) => ({ worker: 2, ...row })),
      ]);
      expect(pages.every(({ rows }) => rows.length <= limit)).toBe(true);
    },
  );

  test("have the largest of all first where they are sorted", async () => {
    const lags = (...values: number[]): object[] => values.map((lagMs) => ({ lagMs }));
    const state = stateOf([lags(9, 4, 1), lags(7, 5)]);
    const { rows, next } = await state.pages.get("sessions")!.answer(query(3, "", "lag"));
    expect(rows).toEqual([
      { worker: 0, lagMs: 9 },
      { worker: 1, lagMs: 7 },
      { worker: 1, lagMs: 5 },
    ]);
    expect(next).toBe("");
  });

  test("leave out a worker that does not answer, and a place that no page has named", async () => {
    const state = stateOf([undefined, named("ab")]);
    expect((await readAll(state, 10)).flatMap(({ rows }) => rows)).toHaveLength(2);
    const nowhere = await state.pages.get("sessions")!.answer(query(10, "17"));
    expect(nowhere).toEqual({ rows: [], next: "" });
  });
});

describe("the totals of all workers", () => {
  const summary = (more: object) => ({
    address: "127.0.0.1",
    port: 80,
    transport: "uws" as const,
    notReady: [],
    sessions: 1,
    topics: 2,
    views: 3,
    subscriptions: 4,
    instruments: 5,
    framesPerSecond: null,
    bytesPerSecond: 7,
    lagMsMax: 8,
    queues: { inboxBytes: 9, queriesWaiting: 10 },
    limits: [{ limit: "topicsMax", used: 2, max: 100 }],
    ...more,
  });

  test("are sums, but for what is the worst or the same", () => {
    const more = {
      framesPerSecond: 6,
      lagMsMax: 80,
      limits: [{ limit: "topicsMax", used: 20, max: 100 }],
    };
    const joined = joinedSummary([
      { worker: 0, state: "serving", notReady: [], summary: summary({}) },
      { worker: 1, state: "serving", notReady: [], summary: summary(more) },
      { worker: 2, state: "resting", notReady: ["worker-down"], summary: undefined },
    ]);
    expect(joined).toMatchObject({
      notReady: [],
      sessions: 2,
      topics: 4,
      subscriptions: 8,
      instruments: 5,
      framesPerSecond: 6,
      bytesPerSecond: 14,
      lagMsMax: 80,
      queues: { inboxBytes: 18, queriesWaiting: 20 },
      limits: [{ limit: "topicsMax", used: 20, max: 100 }],
    });
    expect((joined as { workers: object[] }).workers).toHaveLength(3);
  });

  test("are ready with one worker that serves and is ready, and else say every reason once", () => {
    const down = { state: "resting", notReady: ["worker-down"] } as const;
    const cold = { state: "serving", notReady: ["no-catalog"] } as const;
    expect(joinedReasons([down, cold, cold])).toEqual(["worker-down", "no-catalog"]);
    expect(joinedReasons([down, { state: "serving", notReady: [] }])).toEqual([]);
    expect(joinedReasons([down, { state: "closing", notReady: [] }])).toEqual(["worker-down"]);
  });
});
