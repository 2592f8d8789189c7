import { assert, InvariantError } from "#core/assert.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { TopicView } from "../topics/topic-view.ts";

/** Rows come so many at a time, and never move: no turn is long because there are more of them. */
const PAGE_BITS = 10;
const PAGE_ROWS = 1 << PAGE_BITS;
/** Subscriptions of all sessions together; one more topic is refused. */
const ROWS_MAX = 4_194_304;
/** In place of a row. */
export const NO_ROW = -1;

/** The columns of some rows that lie together. `at` is a row's place in each of them. */
export class SubscriptionPage<Holder> {
  /** The number of its first row. */
  readonly first: number;
  readonly views = Array.from<TopicView | undefined>({ length: PAGE_ROWS });
  /** Whose it is, and what only some subscriptions have. */
  readonly holders = Array.from<Holder | undefined>({ length: PAGE_ROWS });
  readonly sequences = new Float64Array(PAGE_ROWS);
  /** Which subscription has the row; 0 is none. */
  readonly serials = new Uint32Array(PAGE_ROWS);
  readonly stands = new Uint8Array(PAGE_ROWS);
  /** For Subscribers: where it stands in their list. */
  readonly places = new Int32Array(PAGE_ROWS);
  /** The next row of the same session, or the next one that is free. */
  readonly nexts = Int32Array.from({ length: PAGE_ROWS }, (_, at) => at + 1);
  /** The first one that is free. */
  free = 0;
  used = 0;

  constructor(first: number) {
    this.first = first;
  }

  get isFull(): boolean {
    return this.used === PAGE_ROWS;
  }
}

/** How many there may be, and where it is counted how many there are. */
type SubscriptionRowsParts = {
  readonly metrics: Pick<GatewayMetrics, "subscriptionRows">;
  readonly rowsMax?: number;
};

/**
 * The subscriptions of all sessions as rows of numbers: there are very many, nearly all of them
 * idle, and an object for each would take twice the room and the collector's time.
 *
 * What holds, and what enforces it:
 * 1. A row that was given back is read for nobody else: each use of a row has a serial number of
 *    its own, which whoever reads the row compares.
 * 2. There are at most `rowsMax`: who takes one asks `hasRoom` before. Asserted.
 * 3. What is not needed any more is given up page by page, but for one that is kept for who comes
 *    next.
 */
export class SubscriptionRows<Holder> {
  readonly #metrics: SubscriptionRowsParts["metrics"];
  readonly #rowsMax: number;
  readonly #pages: (SubscriptionPage<Holder> | undefined)[] = [];
  /** Pages with a row that is free; the last one is used first. */
  readonly #roomy: SubscriptionPage<Holder>[] = [];
  #used = 0;
  #serial = 0;

  constructor({ metrics, rowsMax = ROWS_MAX }: SubscriptionRowsParts) {
    this.#metrics = metrics;
    this.#rowsMax = rowsMax;
  }

  /** Rows that are in use. */
  get used(): number {
    return this.#used;
  }

  /** Whether one more may be taken. */
  get hasRoom(): boolean {
    return this.#used < this.#rowsMax;
  }

  /** The page of a row that is in use. */
  pageOf(row: number): SubscriptionPage<Holder> {
    const page = this.#pages[row >> PAGE_BITS];
    if (page === undefined) throw new InvariantError(`row ${row} is in use`);
    return page;
  }

  /** The place of a row in its page. */
  placeOf(row: number): number {
    return row & (PAGE_ROWS - 1);
  }

  /** The view of a row that is in use. */
  viewOf(row: number): TopicView {
    return this.pageOf(row).views[this.placeOf(row)] as TopicView;
  }

  /** The row that follows this one in its session. */
  nextOf(row: number): number {
    return this.pageOf(row).nexts[this.placeOf(row)] as number;
  }

  setNext(row: number, next: number): void {
    this.pageOf(row).nexts[this.placeOf(row)] = next;
  }

  /** A row that nobody has. */
  take(): number {
    if (!this.hasRoom) throw new InvariantError(`there are at most ${this.#rowsMax} rows`);
    const page = this.#roomy.at(-1) ?? this.#addPage();
    const at = page.free;
    page.free = page.nexts[at] as number;
    page.used += 1;
    if (page.isFull) this.#roomy.pop();
    this.#used += 1;
    // 0 is none, and it takes four thousand million subscriptions until one comes again.
    this.#serial = this.#serial === 0xffff_ffff ? 1 : this.#serial + 1;
    page.serials[at] = this.#serial;
    page.places[at] = NO_ROW;
    page.nexts[at] = NO_ROW;
    return page.first + at;
  }

  /** The row is nobody's from now on. */
  giveBack(row: number): void {
    const page = this.pageOf(row);
    const at = this.placeOf(row);
    assert(page.serials[at] !== 0, "a row is given back once");
    page.serials[at] = 0;
    page.views[at] = undefined;
    page.holders[at] = undefined;
    page.sequences[at] = 0;
    if (page.isFull) this.#roomy.push(page);
    page.nexts[at] = page.free;
    page.free = at;
    page.used -= 1;
    this.#used -= 1;
    if (page.used === 0 && this.#roomy.length > 1) this.#dropPage(page);
  }

  #addPage(): SubscriptionPage<Holder> {
    const gap = this.#pages.indexOf(undefined);
    const index = gap < 0 ? this.#pages.length : gap;
    const page = new SubscriptionPage<Holder>(index * PAGE_ROWS);
    this.#pages[index] = page;
    this.#roomy.push(page);
    this.#metrics.subscriptionRows.inc(PAGE_ROWS);
    return page;
  }

  #dropPage(page: SubscriptionPage<Holder>): void {
    this.#pages[page.first >> PAGE_BITS] = undefined;
    this.#roomy.splice(this.#roomy.indexOf(page), 1);
    this.#metrics.subscriptionRows.dec(PAGE_ROWS);
  }
}
