import type { ServiceState, StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import type { WorkerPage } from "./worker-messages.ts";
import type { WorkerPlace } from "./worker-place.ts";
import type { WorkerQuestions } from "./worker-questions.ts";
import type { GatewaySummary } from "../admin/gateway-state.ts";
import { joinedSummary } from "./joined-summary.ts";

/** By which field of its rows a list is sorted, for each value of its parameter `sort`. */
const SORT_FIELDS: ReadonlyMap<string, string> = new Map([
  ["lag", "lagMs"],
  ["owed", "owedBytes"],
  ["topics", "topics"],
  ["rate", "eventsPerSecond"],
  ["sessions", "sessions"],
  ["bytes", "historyBytes"],
]);

/** What operators see of all workers together. Each row of a list says whose it is. */
export class WorkerState implements ServiceState {
  readonly name = "gateway";
  readonly #places: readonly WorkerPlace[];
  readonly #questions: WorkerQuestions;

  constructor(places: readonly WorkerPlace[], questions: WorkerQuestions) {
    this.#places = places;
    this.#questions = questions;
  }

  /** All workers have the same lists; they are known when the first serves. */
  get pages(): ReadonlyMap<string, StatePage> {
    const known = this.#places.find(({ serves }) => serves !== undefined)?.serves?.pages ?? [];
    return new Map(known.map((page) => [page.name, this.#page(page)]));
  }

  async summary(): Promise<object> {
    const workers = await Promise.all(
      this.#places.map(async (place) => {
        const { index, state, status } = place;
        const summary = (await this.#questions.ask(place, "summary")) as GatewaySummary | undefined;
        return { worker: index, state, notReady: status.notReady, summary };
      }),
    );
    return joinedSummary(workers);
  }

  #page({ name, parameters, needed }: WorkerPage): StatePage {
    return {
      parameters,
      ...(needed === undefined ? {} : { needed }),
      answer: (query) => {
        const field = SORT_FIELDS.get(query.parameters.get("sort") ?? "");
        if (field === undefined) return this.#inOrder(name, query);
        return this.#largest(name, query, field);
      },
    };
  }

  /** The rows of one worker behind those of the other: `after` is WORKER:PLACE. */
  async #inOrder(name: string, { limit, after, parameters }: StateQuery): Promise<StateRows> {
    const { length } = this.#places;
    const [, worker = "0", place = ""] = /^(\d+):(.*)$/s.exec(after) ?? [];
    // A place that no page has named.
    if (after !== "" && !after.includes(":")) return { rows: [], next: "" };
    const rows: object[] = [];
    let from = place;
    for (let index = Number(worker); index < length; index += 1) {
      const query = { limit: limit - rows.length, after: from, parameters };
      const found = await this.#rowsOf(index, name, query);
      rows.push(...found.rows);
      if (found.next !== "") return { rows, next: `${index}:${found.next}` };
      if (rows.length === limit && index + 1 < length) return { rows, next: `${index + 1}:` };
      from = "";
    }
    return { rows, next: "" };
  }

  async #largest(name: string, query: StateQuery, field: string): Promise<StateRows> {
    const found = await Promise.all(
      this.#places.map(({ index }) => this.#rowsOf(index, name, query)),
    );
    const sizeOf = (row: object): number => Number((row as Record<string, unknown>)[field] ?? 0);
    const rows = found.flatMap((page) => page.rows);
    rows.sort((one, other) => sizeOf(other) - sizeOf(one));
    return { rows: rows.slice(0, query.limit), next: "" };
  }

  async #rowsOf(index: number, name: string, query: StateQuery): Promise<StateRows> {
    const place = this.#places[index];
    const answer = place && (await this.#questions.ask(place, "page", { name, query }));
    if (answer === undefined) return { rows: [], next: "" };
    const { rows, next } = answer as StateRows;
    return { rows: rows.map((row) => ({ worker: index, ...row })), next };
  }
}
