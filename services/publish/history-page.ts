import { readHistoryToken, writeHistoryToken } from "#wire/history-token.ts";

/** Rows in rising order of their keys, which differ. */
export type KeptRows<Row> = {
  readonly length: number;
  /** From 0, the oldest. */
  at(this: KeptRows<Row>, index: number): Row;
};

/** Nothing is kept. */
export const NO_ROWS: KeptRows<never> = {
  length: 0,
  at: () => {
    throw new RangeError("there are no rows");
  },
};

/** How rows are ordered and dated. */
export type RowOrder<Row> = {
  /** Rises from row to row: a sequence, or the start of a candle. */
  readonly keyOf: (row: Row) => number;
  readonly timeUsOf: (row: Row) => number;
};

/** What is asked for; see GetTradesRequest in the schema. */
export type PageRequest = {
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly pageSize: number;
  readonly pageToken: string;
};

export type Page<Row> = {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
  readonly keptFromTimeUs: number;
};

/** Why there is no page: the token is of another query, or what follows it is not kept any more. */
export type NoPage = "bad-token" | "expired-token";

/** What a token belongs to. */
type TokenScope = {
  /** The same for each page, and different for different answers. */
  readonly query: string;
  /** Of the keys; 0 where keys outlive the publisher. */
  readonly epoch: number;
};

/**
 * The page of what is kept that a request asks for. With `fromTimeUs` pages go on to later rows,
 * without it to earlier ones; rows stand in rising order of their keys either way. Each row that
 * is kept all the while is on one page, and no page leaves out what was dropped between two.
 */
export function takePage<Row>(
  kept: KeptRows<Row>,
  order: RowOrder<Row>,
  request: PageRequest,
  scope: TokenScope,
): Page<Row> | NoPage {
  const { fromTimeUs, toTimeUs, pageSize, pageToken } = request;
  const isForward = fromTimeUs !== 0;
  const cut = pageToken === "" ? undefined : readHistoryToken(scope.query, pageToken);
  if (pageToken !== "" && cut === undefined) return "bad-token";
  if (cut !== undefined && cut.epoch !== scope.epoch) return "expired-token";
  const isInRange = (row: Row): boolean => {
    const timeUs = order.timeUsOf(row);
    return timeUs >= fromTimeUs && (toTimeUs === 0 || timeUs < toTimeUs);
  };
  const begin = isForward
    ? firstAfter(kept, order, cut?.key ?? -1)
    : firstAfter(kept, order, cut === undefined ? Infinity : cut.key - 1) - 1;
  // The row that was given last is gone, and with it perhaps others behind it.
  if (isForward && cut !== undefined && begin === 0) return "expired-token";
  const rows: Row[] = [];
  let isMore = false;
  for (let index = begin; index >= 0 && index < kept.length; index += isForward ? 1 : -1) {
    const row = kept.at(index);
    if (!isInRange(row)) continue;
    isMore = rows.length === pageSize;
    if (isMore) break;
    rows.push(row);
  }
  const last = rows.at(-1);
  const place = last === undefined ? undefined : { epoch: scope.epoch, key: order.keyOf(last) };
  return {
    rows: isForward ? rows : rows.toReversed(),
    nextPageToken: isMore && place !== undefined ? writeHistoryToken(scope.query, place) : "",
    keptFromTimeUs: kept.length === 0 ? 0 : order.timeUsOf(kept.at(0)),
  };
}

/** The index of the first row with a key above this one, or `length`. */
function firstAfter<Row>(kept: KeptRows<Row>, { keyOf }: RowOrder<Row>, key: number): number {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keyOf(kept.at(middle)) > key) high = middle;
    else low = middle + 1;
  }
  return low;
}
