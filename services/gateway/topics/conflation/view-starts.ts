import { BatchWriter, rowsOf } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, BusBatch, RowTimes } from "@tickwire/proto/codec";
import type { TopicPosition } from "../batch-order.ts";
import { SharedBatch } from "../shared-batch.ts";
import type { SharedTopic } from "../shared-batch.ts";
import { startKindOf } from "../start-kind.ts";
import type { AttachOptions, Attached, NextEpoch } from "../topic-subscriber.ts";
import type { ViewOptions } from "../view-options.ts";
import { BatchStream } from "./batch-stream.ts";
import { MergedBookRows } from "./merged-book-rows.ts";
import { RowContent } from "./row-content.ts";
import type { RowsKind } from "./row-content.ts";
import type { TopicSource } from "./topic-source.ts";
import type { Run, ViewContent } from "./view-content.ts";
import type { ViewFeed } from "../view-feed.ts";

/** Events of one batch of a sequel. */
const SEQUEL_EVENTS_MAX = 1_024;

type ViewStartsParts = {
  readonly feed: ViewFeed;
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
  #latest: Kept | undefined;

  constructor(parts: ViewStartsParts) {
    this.#parts = parts;
  }

  /** Nothing is kept for later. */
  clear(): void {
    this.#state = undefined;
    this.#sequel = undefined;
    this.#latest = undefined;
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
    const earlier = resume && this.#resumedEarlier(resume, content, position);
    if (earlier !== undefined) return earlier;
    const isStateWanted = options.snapshot || feed.name.channel === "book";
    const state = isStateWanted ? this.stateAt(content, position) : undefined;
    const start = state === undefined ? [] : [state];
    return { position, batches: start, ...feed.lossUntil(resume, position) };
  }

  /**
   * What followed the client's position in an earlier epoch, as the view would have sent it, and
   * how the view goes on behind it; undefined if that cannot be said.
   */
  #resumedEarlier(
    resume: TopicPosition,
    content: ViewContent,
    position: TopicPosition,
  ): Attached | undefined {
    const { feed, source, options } = this.#parts;
    const earlier = feed.earlierEvents(resume);
    if (earlier === undefined || (options.delayMs ?? 0) > 0) return undefined;
    // A part of a book is not made of changes alone.
    if (options.depth > 0) return undefined;
    const { epoch, sequence } = resume;
    const end = { epoch, sequence: earlier.batches.at(-1)?.lastSequence ?? sequence };
    const runs =
      source.kind === "books"
        ? bookRuns(earlier.batches, end.sequence)
        : rowRuns(source.kind, earlier.batches, sequence);
    const isNothing = end.sequence === sequence;
    if (runs === undefined && !isNothing) return undefined;
    const batches = isNothing ? [] : [this.#sequelOf(runs ?? [], sequence, end)];
    const next = this.#nextEpoch(earlier.ended, content, position);
    const nothingLost = { missing: undefined, ended: undefined };
    return { continuity: "resumed", position: resume, batches, ...nothingLost, next };
  }

  #nextEpoch(ended: TopicPosition, content: ViewContent, position: TopicPosition): NextEpoch {
    if (startKindOf(this.#parts.feed.name.channel) !== "none") {
      const state = this.stateAt(content, position);
      const batches = state === undefined ? [] : [state];
      return { change: { ended, start: position, continues: false }, batches, missing: undefined };
    }
    const start = { epoch: position.epoch, sequence: 0 };
    const change = { ended, start, continues: false };
    const options = { snapshot: false, resume: start };
    const batches = this.#resumed(options, start, content, position);
    if (batches !== undefined) return { change, batches, missing: undefined };
    return { change, batches: [], missing: { first: 1, last: position.sequence } };
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

  /**
   * What changed after `from` as one event at `position`; undefined if that is not known. `look`
   * gives what the view shows, if it is needed.
   */
  latestSince(
    from: number,
    position: TopicPosition,
    look: <Result>(use: (content: ViewContent) => Result) => Result,
  ): SharedBatch | undefined {
    const kept = this.#latest;
    if (kept?.from === from && isSame(kept.position, position)) return kept.batch;
    const { source, options } = this.#parts;
    const isAllOfBook = source.kind === "books" && options.depth === 0;
    const since = isAllOfBook ? this.#since({ ...position, sequence: from }, position) : undefined;
    const runs =
      (since && bookRuns(since, position.sequence)) ??
      look((content) => stateRuns(content, position));
    const [run] = runs ?? [];
    if (run === undefined || run.rows.rows.length !== 1) return undefined;
    const batch = this.#sequelOf([run], from, position);
    this.#latest = { from, position, batch };
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
    return bookRuns(since, position.sequence) ?? stateRuns(content, position);
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

/** What all changes of a book since come to: the last size of each level. */
function bookRuns(since: readonly SharedBatch[], sequence: number): readonly Run[] | undefined {
  const stream = new BatchStream();
  const merged = new MergedBookRows();
  for (const shared of since) {
    const read = stream.read(shared);
    if (read === undefined) return undefined;
    for (const decoded of read) {
      for (const row of rowsOf(decoded).rows as readonly BookRow[]) merged.add(row);
    }
  }
  const { row } = merged;
  return row && [{ rows: { kind: "books", rows: [row] }, lastSequence: sequence }];
}
