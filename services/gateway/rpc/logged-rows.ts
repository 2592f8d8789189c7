import { readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { DecodedBatch, RowTimes } from "@tickwire/proto/codec";
import { StreamLogError } from "#bus/stream-log.ts";
import type { Topic } from "#core/topic.ts";
import { readHistoryToken, writeHistoryToken } from "#wire/history-token.ts";
import type { EventLog } from "../history/event-log.ts";
import { TopicReplay } from "../history/topic-replay.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";
import { BYTES_PER_REQUEST } from "./work-price.ts";

/** A row of the past with its place. */
export type LoggedRow<Row> = {
  readonly row: Row;
  /** Whose keys count; 0 where they mean the same for every publisher. */
  readonly epoch: number;
  readonly key: number;
  readonly timeUs: number;
};

/** How rows of one channel are made of its events. */
export type RowReader<Row> = {
  /** Undefined for an event that is not asked for. */
  readonly read: (event: RowTimes, sequence: number, epoch: number) => LoggedRow<Row> | undefined;
  /** Whether a later row of the same key replaces the one before. */
  readonly replaces: boolean;
  /** How long after its time a row may be published, and still be changed. */
  readonly lateUs: number;
};

/** What is asked for; see GetTradesRequest in the schema. */
type RowsAsked = {
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly pageSize: number;
  readonly pageToken: string;
  /** The same for each page. */
  readonly query: string;
};

/** A page, as publishers give it. */
export type RowsPage<Row> = {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
  readonly keptFromTimeUs: number;
};

type LoggedRowsParts<Row> = {
  readonly log: EventLog;
  readonly name: Topic;
  readonly reader: RowReader<Row>;
  readonly context: Pick<RpcContext, "line" | "spend" | "signal">;
};

/** Venue times may be so much ahead of when events are published. */
const AHEAD_US = 10_000_000;
/** The first look back, and how much further each next one goes. */
const LOOK_BACK_US = 60_000_000;
const LOOK_BACK_FACTOR = 8;
const LOOKS_MAX = 7;
/** Ids and keys of a page that is read; more are cut off at their beginning. */
const ROWS_MAX = 20_000;

/** Rows of a topic's past by the stream log. Each method rejects with RpcError only. */
export class LoggedRows<Row> {
  readonly #parts: LoggedRowsParts<Row>;

  constructor(parts: LoggedRowsParts<Row>) {
    this.#parts = parts;
  }

  /** When the oldest batch was published that the log has; undefined if it has none, or is away. */
  async oldestTimeUs(): Promise<number | undefined> {
    const { log, name } = this.#parts;
    try {
      return (await log.first(name, 0))?.batch.publishedTimeUs;
    } catch (error) {
      if (error instanceof StreamLogError) return undefined;
      throw error;
    }
  }

  /** The page of a request that goes on to later rows. */
  async later(asked: RowsAsked): Promise<RowsPage<Row>> {
    const cut = asked.pageToken === "" ? undefined : this.#placeOf(asked);
    return this.#guarded(async () => {
      const replay =
        cut !== undefined && cut.epoch !== 0
          ? await this.#after({ epoch: cut.epoch, sequence: cut.key })
          : await this.#since(Math.max(asked.fromTimeUs, cut?.key ?? 0));
      const rows = await this.#read(replay, asked, {
        countMax: asked.pageSize + 1,
        isWanted: ({ epoch, key }) => cut === undefined || epoch !== cut.epoch || key > cut.key,
      });
      return this.#page(rows.slice(0, asked.pageSize), rows.length > asked.pageSize, asked, "last");
    });
  }

  /** The page of a request that goes on to earlier rows: those before a row, or the latest. */
  async earlier(asked: RowsAsked, before: LoggedRow<Row> | undefined): Promise<RowsPage<Row>> {
    const cut = asked.pageToken === "" ? before : this.#placeOf(asked);
    return this.#guarded(async () => {
      const endUs = await this.#endOf(asked, before);
      let rows: LoggedRow<Row>[] = [];
      let backUs = LOOK_BACK_US;
      for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
        const replay = await this.#since(Math.max(1, endUs - backUs));
        rows = await this.#read(replay, asked, {
          countMax: ROWS_MAX,
          isWanted: () => true,
          isEnd: (row) => {
            const isCut = cut !== undefined && row.epoch === cut.epoch && row.key >= cut.key;
            return isCut || (before !== undefined && row.timeUs > before.timeUs);
          },
        });
        if (rows.length > asked.pageSize || endUs - backUs <= 1) break;
        backUs *= LOOK_BACK_FACTOR;
      }
      const page = rows.slice(-asked.pageSize);
      return this.#page(page, rows.length > asked.pageSize, asked, "first");
    });
  }

  async #endOf(asked: RowsAsked, before: LoggedRow<Row> | undefined): Promise<number> {
    if (before !== undefined) return before.timeUs;
    const cut = asked.pageToken === "" ? undefined : this.#placeOf(asked);
    if (cut !== undefined && cut.epoch === 0) return cut.key;
    if (cut !== undefined) {
      const replay = await this.#after({ epoch: cut.epoch, sequence: cut.key - 1 });
      return (await replay.nextTimeUs()) ?? 0;
    }
    if (asked.toTimeUs !== 0) return asked.toTimeUs;
    const { log, name } = this.#parts;
    return (await log.last(name))?.batch.publishedTimeUs ?? 0;
  }

  #placeOf({ query, pageToken }: RowsAsked) {
    const place = readHistoryToken(query, pageToken);
    if (place !== undefined) return place;
    throw new RpcError("invalid_argument", "page_token is not one of this request");
  }

  async #since(timeUs: number): Promise<TopicReplay> {
    const { log, name, context } = this.#parts;
    const range = { fromTimeUs: Math.max(1, timeUs - AHEAD_US), toTimeUs: 0 };
    return TopicReplay.ofTime({ log, name, line: context.line }, range);
  }

  async #after(position: { epoch: number; sequence: number }): Promise<TopicReplay> {
    const { log, name, context } = this.#parts;
    const parts = { log, name, line: context.line };
    const replay = await TopicReplay.around(parts, position);
    if (replay !== undefined) return replay;
    const message = "what follows the page before is not kept any more; begin anew";
    throw new RpcError("failed_precondition", message, {
      detail: { reason: "PAGE_TOKEN_EXPIRED" },
    });
  }

  async #read(
    replay: TopicReplay,
    { fromTimeUs, toTimeUs }: RowsAsked,
    wants: {
      readonly countMax: number;
      readonly isWanted: (row: LoggedRow<Row>) => boolean;
      readonly isEnd?: (row: LoggedRow<Row>) => boolean;
    },
  ): Promise<LoggedRow<Row>[]> {
    const { reader, context } = this.#parts;
    const rows = new Map<string, LoggedRow<Row>>();
    for (;;) {
      const timeUs = await replay.nextTimeUs();
      context.signal.throwIfAborted();
      if (timeUs === undefined) break;
      if (toTimeUs !== 0 && timeUs >= toTimeUs + reader.lateUs) break;
      const { batch } = replay.take();
      context.spend(batch.bytes.byteLength / BYTES_PER_REQUEST);
      for (const row of this.#rowsOf(readBusEvents(batch))) {
        if (wants.isEnd?.(row) === true) return inOrder(rows, reader);
        const isInRange = row.timeUs >= fromTimeUs && (toTimeUs === 0 || row.timeUs < toTimeUs);
        if (!isInRange || !wants.isWanted(row)) continue;
        const id = `${row.epoch} ${row.key}`;
        if (rows.size >= wants.countMax && !rows.has(id)) {
          if (wants.isEnd === undefined) return inOrder(rows, reader);
          const [oldest] = rows.keys();
          if (oldest !== undefined) rows.delete(oldest);
        }
        rows.set(id, row);
      }
    }
    return inOrder(rows, reader);
  }

  #rowsOf(events: DecodedBatch): LoggedRow<Row>[] {
    const { reader } = this.#parts;
    const rows = rowsOf(events).rows as readonly RowTimes[];
    return rows.flatMap((row, index) => {
      return reader.read(row, events.firstSequence + index, events.epoch) ?? [];
    });
  }

  async #page(
    rows: readonly LoggedRow<Row>[],
    isMore: boolean,
    { query }: RowsAsked,
    end: "first" | "last",
  ): Promise<RowsPage<Row>> {
    const place = end === "last" ? rows.at(-1) : rows[0];
    const nextPageToken = isMore && place !== undefined ? writeHistoryToken(query, place) : "";
    const keptFromTimeUs = (await this.oldestTimeUs()) ?? 0;
    return { rows: rows.map(({ row }) => row), nextPageToken, keptFromTimeUs };
  }

  async #guarded<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StreamLogError)) throw error;
      const detail = { reason: "LOG_UNAVAILABLE", retryAfterMs: 5_000 };
      const message = "the stream log does not answer now";
      throw new RpcError("unavailable", message, { cause: error, detail });
    }
  }
}

function inOrder<Row>(
  rows: ReadonlyMap<string, LoggedRow<Row>>,
  { replaces }: RowReader<Row>,
): LoggedRow<Row>[] {
  const all = [...rows.values()];
  return replaces ? all.toSorted((one, other) => one.key - other.key) : all;
}

/**
 * A page of what the publisher keeps or, where that does not go back far enough, of what the log
 * has. `ask` asks the publisher.
 */
export async function pageOfPast<Row>(
  ask: () => Promise<RowsPage<Row>>,
  rows: LoggedRows<Row> | undefined,
  asked: RowsAsked,
  rowOf: (row: Row) => LoggedRow<Row> | undefined,
): Promise<RowsPage<Row>> {
  const isForward = asked.fromTimeUs !== 0;
  let page: RowsPage<Row>;
  try {
    page = await ask();
  } catch (error) {
    const mayBeLogged =
      error instanceof RpcError && ["failed_precondition", "unavailable"].includes(error.code);
    if (rows === undefined || !mayBeLogged) throw error;
    return isForward ? rows.later(asked) : rows.earlier(asked, undefined);
  }
  if (rows === undefined || page.nextPageToken !== "") return page;
  const oldestUs = await rows.oldestTimeUs();
  const isOlder =
    oldestUs !== undefined && (page.keptFromTimeUs === 0 || oldestUs < page.keptFromTimeUs);
  if (!isOlder) return page;
  if (isForward) {
    const isWhole = page.keptFromTimeUs !== 0 && page.keptFromTimeUs <= asked.fromTimeUs;
    return isWhole || asked.pageToken !== "" ? page : rows.later(asked);
  }
  const missing = asked.pageSize - page.rows.length;
  const [oldest] = page.rows;
  if (missing === 0 || oldest === undefined) return rows.earlier(asked, undefined);
  const older = await rows.earlier({ ...asked, pageSize: missing, pageToken: "" }, rowOf(oldest));
  return { ...older, rows: [...older.rows, ...page.rows] };
}
