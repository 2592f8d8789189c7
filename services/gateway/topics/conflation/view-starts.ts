import { BatchWriter, rowsOf } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, BusBatch, RowTimes } from "@tickwire/proto/codec";
import { rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import type { TopicPosition } from "../batch-order.ts";
import { SharedBatch } from "../shared-batch.ts";
import type { SharedTopic } from "../shared-batch.ts";
import type { TopicFeed } from "../topic-feed.ts";
import type { AttachOptions, Attached } from "../topic-subscriber.ts";
import type { ViewOptions } from "../view-options.ts";
import { BatchStream } from "./batch-stream.ts";
import { RowContent } from "./row-content.ts";
import type { RowsKind } from "./row-content.ts";
import type { TopicSource } from "./topic-source.ts";
import type { Run, ViewContent } from "./view-content.ts";

/** Events of one batch of a sequel. */
const SEQUEL_EVENTS_MAX = 1_024;

type ViewStartsParts = {
  readonly feed: TopicFeed;
  readonly source: TopicSource;
  readonly options: ViewOptions;
  readonly shared: SharedTopic;
};

type Kept = {
  readonly from: number;
  readonly position: TopicPosition;
  readonly batch: SharedBatch;
};

/** What subscriptions of one view begin with. Many begin alike, so what was made last is kept. */
export class ViewStarts {
  readonly #parts: ViewStartsParts;
  #state: Kept | undefined;
  #sequel: Kept | undefined;

  constructor(parts: ViewStartsParts) {
    this.#parts = parts;
  }

  /** Nothing is kept for later. */
  clear(): void {
    this.#state = undefined;
    this.#sequel = undefined;
  }

  /** What a subscriber is sent to stand at `position`, up to where the view has sent. */
  startOf(options: AttachOptions, content: ViewContent, position: TopicPosition): Attached {
    const { feed } = this.#parts;
    const { resume } = options;
    const batches = resume && this.#resumed(options, resume, content, position);
    if (resume !== undefined && batches !== undefined) {
      const continuity = "resumed" as const;
      return { continuity, position: resume, batches, missing: undefined, ended: undefined };
    }
    const isStateWanted = options.snapshot || feed.name.channel === "book";
    const state = isStateWanted ? this.stateAt(content, position) : undefined;
    const start = state === undefined ? [] : [state];
    return { position, batches: start, ...feed.lossUntil(resume, position) };
  }

  /** The state that the subscribers have at `position`; undefined if there is none. */
  stateAt(content: ViewContent, position: TopicPosition): SharedBatch | undefined {
    const kept = this.#state;
    if (kept !== undefined && isSame(kept.position, position)) return kept.batch;
    const rows = content.state();
    if (rows === undefined || rows.rows.length === 0) return undefined;
    const { shared, source } = this.#parts;
    const { publishedTimeUs } = source;
    const chain = { kind: rows.kind, ...position };
    const [first, ...rest] = BatchWriter.snapshot(chain, rows, { publishedTimeUs });
    if (first === undefined) return undefined;
    const batch = SharedBatch.state(shared, [first, ...rest]);
    this.#state = { from: position.sequence, position, batch };
    return batch;
  }

  /** What the topic's history has after the client's position; undefined if part of it is gone. */
  #since(resume: TopicPosition, position: TopicPosition): readonly SharedBatch[] | undefined {
    if (resume.epoch !== position.epoch || resume.sequence > position.sequence) return undefined;
    const since = this.#parts.feed.historySince(resume);
    return since?.filter(({ lastSequence }) => lastSequence <= position.sequence);
  }

  /** What follows the client's position; undefined if that cannot be said. */
  #resumed(
    { whole = false }: AttachOptions,
    resume: TopicPosition,
    content: ViewContent,
    position: TopicPosition,
  ): readonly SharedBatch[] | undefined {
    const since = this.#since(resume, position);
    if (since === undefined) return undefined;
    const from = resume.sequence;
    const isWhole = whole && this.#parts.source.kind === "books";
    if (from === position.sequence) {
      if (!isWhole) return [];
      // A book that is not known yet follows as soon as it is.
      const state = this.stateAt(content, position);
      return state === undefined ? [] : [state];
    }
    const kept = this.#sequel;
    if (!isWhole && kept?.from === from && isSame(kept.position, position)) return [kept.batch];
    const runs = this.#runsSince(since, { from, isWhole }, content, position);
    if (runs === undefined) return undefined;
    const batch = this.#sequelOf(runs, from, position);
    if (!isWhole) this.#sequel = { from, position, batch };
    return [batch];
  }

  #runsSince(
    since: readonly SharedBatch[],
    { from, isWhole }: { readonly from: number; readonly isWhole: boolean },
    content: ViewContent,
    position: TopicPosition,
  ): readonly Run[] | undefined {
    const { source, options } = this.#parts;
    if (source.kind !== "books") return rowRuns(source.kind, since, from);
    if (isWhole || options.depth > 0) return stateRuns(content, position);
    return this.#bookRuns(since, content, position);
  }

  /** The levels that were changed since, as they were told last. */
  #bookRuns(
    since: readonly SharedBatch[],
    content: ViewContent,
    position: TopicPosition,
  ): readonly Run[] | undefined {
    const state = content.state();
    const told = state?.rows[0] as BookRow | undefined;
    const changes = readRows(since) as BookRow[] | undefined;
    const isWhole = changes === undefined || changes.some(({ snapshot }) => snapshot);
    if (told === undefined || isWhole) return stateRuns(content, position);
    const bids = changedLevels(changes, told, "bids");
    const asks = changedLevels(changes, told, "asks");
    const row = { ...told, snapshot: false, bids, asks };
    return [{ rows: { kind: "books", rows: [row] }, lastSequence: position.sequence }];
  }

  #sequelOf(runs: readonly Run[], from: number, position: TopicPosition): SharedBatch {
    const { source, shared } = this.#parts;
    const { publishedTimeUs } = source;
    const writer = new BatchWriter({ kind: source.kind, epoch: position.epoch, sequence: from });
    const batches: BusBatch[] = [];
    for (const { rows, lastSequence } of runs) {
      const firstSequence = lastSequence - rows.rows.length + 1;
      for (let start = 0; start < rows.rows.length; start += SEQUEL_EVENTS_MAX) {
        const part = rows.rows.slice(start, start + SEQUEL_EVENTS_MAX);
        const skipped = firstSequence + start - 1 - writer.sequence;
        const partRows = { kind: rows.kind, rows: part } as unknown as BatchRows;
        batches.push(...writer.write(partRows, { publishedTimeUs, skipped }));
      }
    }
    const skipped = position.sequence - writer.sequence;
    if (skipped > 0) batches.push(writer.writePosition({ publishedTimeUs, skipped }));
    const [first, ...rest] = batches as [BusBatch, ...BusBatch[]];
    return SharedBatch.sequel(shared, [first, ...rest]);
  }
}

function isSame(one: TopicPosition, other: TopicPosition): boolean {
  return one.epoch === other.epoch && one.sequence === other.sequence;
}

/** One event that replaces what the client has. */
function stateRuns(content: ViewContent, { sequence }: TopicPosition): readonly Run[] | undefined {
  const rows = content.state();
  return rows && [{ rows, lastSequence: sequence }];
}

/** What a view would have sent of the events after `from`. */
function rowRuns(
  kind: RowsKind,
  since: readonly SharedBatch[],
  from: number,
): readonly Run[] | undefined {
  const content = new RowContent(kind);
  const stream = new BatchStream();
  for (const shared of since) {
    const read = stream.read(shared);
    if (read === undefined) return undefined;
    for (const decoded of read) {
      const rows: readonly RowTimes[] = rowsOf(decoded).rows;
      for (const [index, row] of rows.entries()) {
        const sequence = decoded.firstSequence + index;
        if (sequence > from) content.add(row, sequence);
      }
    }
  }
  return content.take();
}

/** The rows of all batches; undefined if one cannot be read. */
function readRows(since: readonly SharedBatch[]): RowTimes[] | undefined {
  const stream = new BatchStream();
  const all: RowTimes[] = [];
  for (const shared of since) {
    const read = stream.read(shared);
    if (read === undefined) return undefined;
    for (const decoded of read) all.push(...rowsOf(decoded).rows);
  }
  return all;
}

/** Each level that a row names, with the size that it was told with; 0 if it is not there. */
function changedLevels(
  changes: readonly BookRow[],
  told: BookRow,
  side: "bids" | "asks",
): { readonly prices: Mantissa[]; readonly sizes: Mantissa[] } {
  const sizeOf = new Map(told[side].prices.map((price, index) => [price, told[side].sizes[index]]));
  const named = new Set<Mantissa>();
  for (const change of changes) {
    for (const price of change[side].prices) {
      named.add(rescaleMantissa(price, change.priceScale, told.priceScale));
    }
  }
  const sign = side === "bids" ? -1 : 1;
  const prices = [...named].sort((one, other) => (one < other ? -sign : sign));
  return { prices, sizes: prices.map((price) => sizeOf.get(price) ?? 0) };
}
