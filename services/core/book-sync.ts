import type { OrderBook } from "@tickwire/proto/model";
import type { Instrument } from "./instrument.ts";
import type { LevelColumns } from "./market-event.ts";

/** A book message as the venue sent it. The same shape as a feed's RawBook. */
export type VenueBook = {
  readonly kind: "raw-book";
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  readonly snapshot: boolean;
  readonly source: "in-band" | "rest";
  readonly firstUpdateId: number | undefined;
  readonly lastUpdateId: number | undefined;
  readonly previousUpdateId: number | undefined;
  readonly checksum: number | undefined;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

/** How deltas follow a snapshot and each other. */
export type SequencingPolicy = {
  isCovered(delta: VenueBook, snapshotUpdateId: number): boolean;
  bridges(delta: VenueBook, snapshotUpdateId: number): boolean;
  follows(delta: VenueBook, lastUpdateId: number): boolean;
};

/** How a venue's book is started and proven. */
export type SyncPolicy = {
  readonly snapshot: "rest" | "in-band";
  readonly sequencing?: SequencingPolicy;
  readonly checksum?: (book: OrderBook, instrument: Instrument) => number;
};

/** Where a book stands in the venue's numbering. */
export type BookPosition = {
  /** Of the snapshot or the last delta applied; undefined where the venue numbers nothing. */
  readonly updateId: number | undefined;
  /**
   * False between a snapshot and the first delta after it, which has to bridge rather than follow.
   */
  readonly bridged: boolean;
};

/** How a delta stands to a position. */
export type Placement = "next" | "covered" | "gap";

/** Says whether a delta continues the position, is contained in it, or shows a loss. */
export function placeDelta(
  delta: VenueBook,
  position: BookPosition,
  sequencing: SequencingPolicy | undefined,
): Placement {
  const { updateId, bridged } = position;
  if (sequencing === undefined || updateId === undefined) return "next";
  if (!bridged) {
    if (sequencing.isCovered(delta, updateId)) return "covered";
    return sequencing.bridges(delta, updateId) ? "next" : "gap";
  }
  if (sequencing.follows(delta, updateId)) return "next";
  return delta.lastUpdateId !== undefined && delta.lastUpdateId <= updateId ? "covered" : "gap";
}

/** The position after a delta was applied. */
export function positionAfter(delta: VenueBook, position: BookPosition): BookPosition {
  return { updateId: delta.lastUpdateId ?? position.updateId, bridged: true };
}

/** What became of lining up buffered deltas behind a snapshot. */
export type Alignment =
  | {
      readonly kind: "aligned";
      readonly deltas: readonly VenueBook[];
      readonly position: BookPosition;
    }
  /** The delta at `index` is the first that is missing something before it. */
  | { readonly kind: "snapshot-too-old" | "buffer-gap"; readonly index: number };

/** Lines up deltas (in order of arrival) behind a snapshot, dropping what the snapshot covers. */
export function alignDeltas(
  snapshot: VenueBook,
  buffered: { readonly length: number; at(index: number): VenueBook | undefined },
  sequencing: SequencingPolicy | undefined,
): Alignment {
  const deltas: VenueBook[] = [];
  let position: BookPosition = { updateId: snapshot.lastUpdateId, bridged: false };
  for (let index = 0; index < buffered.length; index++) {
    const delta = buffered.at(index)!;
    const placement = placeDelta(delta, position, sequencing);
    if (placement === "gap") {
      return { kind: position.bridged ? "buffer-gap" : "snapshot-too-old", index };
    }
    if (placement === "next") {
      deltas.push(delta);
      position = positionAfter(delta, position);
    }
  }
  return { kind: "aligned", deltas, position };
}
