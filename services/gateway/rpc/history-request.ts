import { historyQuery, readHistoryToken } from "#wire/history-token.ts";
import type { Clock } from "#core/clock.ts";
import type { EventLog } from "../history/event-log.ts";
import { oneStep } from "../turns/turns.ts";
import { queryIngestor, readAnswer } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { badPageToken } from "./page-token.ts";
import { requireAtMost } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";
import { ROWS_PER_REQUEST } from "./work-price.ts";

/** What requests for trades and for candles have in common. */
type HistoryRequest = {
  readonly venue: string;
  readonly symbol: string;
  readonly intervalMs?: number;
  readonly pageSize: number;
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly pageToken: string;
};

/** What the methods of the past need of the gateway. */
export type HistoryParts = MethodParts & {
  readonly clock: Pick<Clock, "nowUs">;
  /** Undefined if none is kept. */
  readonly log?: EventLog | undefined;
};

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

/**
 * The request with its defaults filled in.
 * @throws RpcError `invalid_argument` for a range without time, a page that is too large, or a
 * token of another request.
 */
export function checkHistoryRequest<Request extends HistoryRequest>(request: Request): Request {
  const { fromTimeUs, toTimeUs, pageSize, pageToken } = request;
  requireAtMost("page_size", pageSize, PAGE_SIZE_MAX);
  for (const [name, timeUs] of Object.entries({ from_time_us: fromTimeUs, to_time_us: toTimeUs })) {
    if (timeUs < 0) throw badRange(`${name} ${timeUs} is before 1970`);
  }
  if (toTimeUs !== 0 && fromTimeUs >= toTimeUs) {
    throw badRange(`from_time_us ${fromTimeUs} is not before to_time_us ${toTimeUs}`);
  }
  if (pageToken !== "" && readHistoryToken(historyQuery(request), pageToken) === undefined) {
    throw badPageToken();
  }
  return { ...request, pageSize: pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize };
}

/** A question to the ingestor of a venue, and how its answer is read. */
type HistoryQuery<Answer> = {
  readonly query: Parameters<typeof queryIngestor>[2];
  /** In the answer at most: it costs as much. */
  readonly rows: number;
  readonly payload: Uint8Array;
  readonly read: (answer: Uint8Array) => Answer;
};

/**
 * The ingestor's answer to a request that was checked.
 * @throws RpcError as `queryIngestor` does; `failed_precondition` has the reason
 * PAGE_TOKEN_EXPIRED: what follows the page before is not kept any more.
 */
export async function queryHistory<Answer>(
  parts: MethodParts,
  asker: Pick<RpcContext, "line" | "spend" | "signal">,
  { query, rows, payload, read }: HistoryQuery<Answer>,
): Promise<Answer> {
  asker.spend(rows / ROWS_PER_REQUEST);
  let answer: Uint8Array;
  try {
    answer = await queryIngestor(parts, asker, query, payload);
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "failed_precondition") throw error;
    const detail = { reason: "PAGE_TOKEN_EXPIRED" };
    throw new RpcError(error.code, error.message, { cause: error, detail });
  }
  return asker.line.run(oneStep(() => readAnswer(query.venue, () => read(answer))));
}

function badRange(message: string): RpcError {
  return new RpcError("invalid_argument", message, { detail: { reason: "BAD_RANGE" } });
}
