import { historyQuery, readPageToken } from "#wire/page-token.ts";
import { queryIngestor } from "./ingestor-query.ts";
import type { MethodParts } from "./ingestor-query.ts";
import { badPageToken, requireAtMost } from "./request-checks.ts";
import { RpcError } from "./rpc-error.ts";

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
  if (pageToken !== "" && readPageToken(historyQuery(request), pageToken) === undefined) {
    throw badPageToken();
  }
  return { ...request, pageSize: pageSize === 0 ? PAGE_SIZE_DEFAULT : pageSize };
}

/**
 * The ingestor's answer to a request that was checked.
 * @throws RpcError as `queryIngestor` does; `failed_precondition` has the reason
 * PAGE_TOKEN_EXPIRED: what follows the page before is not kept any more.
 */
export async function queryHistory(
  ...[parts, query, payload]: Parameters<typeof queryIngestor>
): Promise<Uint8Array> {
  try {
    return await queryIngestor(parts satisfies MethodParts, query, payload);
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== "failed_precondition") throw error;
    const detail = { reason: "PAGE_TOKEN_EXPIRED" };
    throw new RpcError(error.code, error.message, { cause: error, detail });
  }
}

function badRange(message: string): RpcError {
  return new RpcError("invalid_argument", message, { detail: { reason: "BAD_RANGE" } });
}
