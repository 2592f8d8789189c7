import type { GatewayMetrics } from "../metrics.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { NO_ROW } from "./subscription-rows.ts";
import type { SubscriptionTable, TopicSubscription } from "./topic-subscription.ts";

/** So many are found by looking at each; a map of more is worth its room. */
const FEW_MAX = 16;

type LiveTopicsParts = {
  readonly metrics: Pick<GatewayMetrics, "subscriptions">;
  /** Where the subscriptions are. */
  readonly table: SubscriptionTable;
};

/** The topics of one session that have started and not ended. */
export class LiveTopics {
  readonly #parts: LiveTopicsParts;
  /** The first row; each says which is the next. Where they are many, the row of each topic. */
  #rows: number | Map<string, number> = NO_ROW;
  #few = 0;

  constructor(parts: LiveTopicsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return typeof this.#rows === "number" ? this.#few : this.#rows.size;
  }

  has(topic: string): boolean {
    return this.#rowOf(topic) !== NO_ROW;
  }

  get(topic: string): TopicSubscription | undefined {
    const row = this.#rowOf(topic);
    return row === NO_ROW ? undefined : this.#parts.table.at(row);
  }

  /** Topics may end, and more may come, between two of them. */
  all(): Iterable<TopicSubscription> {
    return typeof this.#rows === "number" ? this.#allOfFew(this.#rows) : this.#each(this.#rows);
  }

  add(subscription: TopicSubscription): void {
    const { table, metrics } = this.#parts;
    const { row, view } = subscription;
    if (typeof this.#rows === "number" && this.#few === FEW_MAX) {
      const few = this.#allOfFew(this.#rows);
      this.#rows = new Map(few.map((each) => [each.view.topic, each.row]));
    }
    if (typeof this.#rows !== "number") this.#rows.set(view.topic, row);
    else {
      const last = this.#lastOfFew(this.#rows);
      if (last === NO_ROW) this.#rows = row;
      else table.setNext(last, row);
      this.#few += 1;
    }
    metrics.subscriptions.inc();
  }

  end(subscription: TopicSubscription): void {
    if (typeof this.#rows === "number") this.#unlink(this.#rows, subscription.row);
    else {
      this.#rows.delete(subscription.view.topic);
      if (this.#rows.size === 0) this.#forget();
    }
    this.#parts.metrics.subscriptions.dec();
    subscription.end();
  }

  /** The work of ending all of them. They are counted no more from now on. */
  endAll(line: Pick<TurnLine, "isOver">): Work {
    this.#parts.metrics.subscriptions.dec(this.size);
    const all = this.all();
    // What has ended is a row of somebody else's.
    this.#forget();
    return endEach(all, line);
  }

  #rowOf(topic: string): number {
    const rows = this.#rows;
    if (typeof rows !== "number") return rows.get(topic) ?? NO_ROW;
    const { table } = this.#parts;
    let row = rows;
    while (row !== NO_ROW && table.viewOf(row).topic !== topic) row = table.nextOf(row);
    return row;
  }

  #forget(): void {
    this.#rows = NO_ROW;
    this.#few = 0;
  }

  #allOfFew(first: number): TopicSubscription[] {
    const { table } = this.#parts;
    const all: TopicSubscription[] = [];
    for (let row = first; row !== NO_ROW; row = table.nextOf(row)) all.push(table.at(row));
    return all;
  }

  *#each(rows: ReadonlyMap<string, number>): Iterable<TopicSubscription> {
    for (const row of rows.values()) yield this.#parts.table.at(row);
  }

  #lastOfFew(first: number): number {
    const { table } = this.#parts;
    let last = NO_ROW;
    for (let row = first; row !== NO_ROW; row = table.nextOf(row)) last = row;
    return last;
  }

  #unlink(first: number, gone: number): void {
    const { table } = this.#parts;
    const next = table.nextOf(gone);
    this.#few -= 1;
    if (gone === first) {
      this.#rows = next;
      return;
    }
    let before = first;
    while (table.nextOf(before) !== gone) before = table.nextOf(before);
    table.setNext(before, next);
  }
}

function* endEach(all: Iterable<TopicSubscription>, line: Pick<TurnLine, "isOver">): Work {
  for (const subscription of all) {
    if (line.isOver) yield;
    subscription.end();
  }
}
