import type { OrderBook } from "@tickwire/proto/model";
import type { Instrument } from "./instrument.ts";
import type { LevelColumns } from "./market-event.ts";
import type { BestOfSides, ChangedLevels } from "./tick-levels.ts";

/**
 * A book message as the venue sent it, before synchronisation. Identifiers are the venue's own;
 * undefined where it has none.
 */
export type RawBook = {
  readonly kind: "raw-book";
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  readonly snapshot: boolean;
  /**
   * Where the snapshot came from; `in-band` for deltas. `rest` is the answer to a request for it,
   * whether over REST or over the connection itself.
   */
  readonly source: "in-band" | "rest";
  /** First update that the message covers (Binance U). */
  readonly firstUpdateId: number | undefined;
  /** Last update that the message covers (Binance u, lastUpdateId). */
  readonly lastUpdateId: number | undefined;
  /** Last update of the message before (Binance USDⓈ-M pu). */
  readonly previousUpdateId: number | undefined;
  /** The venue's checksum of the book after this message. */
  readonly checksum: number | undefined;
  /**
   * How many levels per side the venue keeps, where it does not announce the levels that fall out
   * (Kraken). The book is cut to this depth after each message, before its checksum is compared.
   * Constant for one subscription.
   */
  readonly depth?: number | undefined;
  readonly priceScale: number;
  readonly sizeScale: number;
  readonly bids: LevelColumns;
  readonly asks: LevelColumns;
};

/** What places a delta: the venue's numbers in it. */
type NumberedDelta = Pick<RawBook, "firstUpdateId" | "lastUpdateId" | "previousUpdateId">;

/** How deltas follow a snapshot and each other. Pure functions of the venue's numbers. */
export type BookSequencing = {
  /**
   * False where the numbers only ever rise: they show a message that comes twice or late, but not
   * one that is missing. True if absent.
   */
  readonly showsGaps?: boolean;
  /** True if the snapshot already contains this delta: drop it. */
  isCovered(delta: NumberedDelta, snapshotUpdateId: number): boolean;
  /** True if the delta is the first that may follow the snapshot. */
  bridges(delta: NumberedDelta, snapshotUpdateId: number): boolean;
  /** True if the delta directly continues the last applied one. */
  follows(delta: NumberedDelta, lastUpdateId: number): boolean;
};

/** How a venue's book is started and proven. */
export type BookSync = {
  /**
   * Where a snapshot comes from: REST by request, the connection by request, or the stream after a
   * new subscription.
   */
  readonly snapshot: "rest" | "request" | "in-band";
  /** Undefined where the venue numbers nothing. */
  readonly sequencing?: BookSequencing;
  /**
   * The venue holds auctions, in which books are crossed: one that crosses while nobody knows the
   * instrument's state may mean a loss or an auction, and a fresh snapshot shows which.
   */
  readonly holdsAuctions?: true;
  /**
   * The checksum of the book as it stands; compared with RawBook.checksum where that is present.
   * `sent` is that one, for venues that may write numbers in several ways. `change` is all that has
   * changed since it was called last for the book, where that is known, and `best` are the book's
   * sides once more, where they can be read as numbers.
   */
  readonly checksum?: (
    book: OrderBook,
    instrument: Instrument,
    sent: number,
    change?: ChangedLevels,
    best?: BestOfSides,
  ) => number;
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

/** Whether a delta continues a position, is contained in it, or shows that something is missing. */
type Placement = "next" | "covered" | "gap";

/** Says whether a delta continues the position, is contained in it, or shows a loss. */
export function placeDelta(
  delta: NumberedDelta,
  position: BookPosition,
  sequencing: BookSequencing | undefined,
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
function positionAfter(delta: RawBook, position: BookPosition): BookPosition {
  return { updateId: delta.lastUpdateId ?? position.updateId, bridged: true };
}

/** The result of lining up buffered deltas behind a snapshot. */
type Alignment =
  | {
      readonly kind: "aligned";
      readonly deltas: readonly RawBook[];
      readonly position: BookPosition;
    }
  /** The delta at `index` is the first that does not continue what stands before it. */
  | { readonly kind: "snapshot-too-old" | "buffer-gap"; readonly index: number };

/** Lines up deltas (in order of arrival) behind a snapshot, dropping what the snapshot covers. */
export function alignDeltas(
  snapshot: RawBook,
  buffered: { readonly length: number; at(index: number): RawBook | undefined },
  sequencing: BookSequencing | undefined,
): Alignment {
  const deltas: RawBook[] = [];
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
