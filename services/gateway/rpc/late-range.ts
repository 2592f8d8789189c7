import type { Terms } from "../access/rights.ts";
import { badPageToken } from "./page-token.ts";

/** What requests for rows of the past have in common. */
type RangeRequest = {
  readonly fromTimeUs: number;
  readonly toTimeUs: number;
  readonly pageToken: string;
};

/** A request as it is answered, and how the tokens of its pages are told. */
type LateRange<Request> = {
  /** Undefined: nothing of what is asked for is to be had yet. */
  readonly request: Request | undefined;
  readonly tokenOf: (token: string) => string;
};

/** Where the rows end that the pages of a request are of, and the token of whoever keeps them. */
const LATE_TOKEN = /^([1-9]\d{0,15})\.([A-Za-z0-9_-]+)$/;

/** The latest that somebody has got by now: rows up to then; undefined has no such end. */
export function gotUntilUs({ delayMs, intervalMsMin }: Terms, nowUs: number): number | undefined {
  const lateMs = delayMs + intervalMsMin;
  return lateMs === 0 ? undefined : nowUs - lateMs * 1_000;
}

/**
 * The part of a request that somebody may have who gets everything later: rows before `endUs`. All
 * pages of one request end where the first one ended, so that going back through them works as it
 * does for others. @throws RpcError `invalid_argument` for a token of something else.
 */
export function lateRange<Request extends RangeRequest>(
  request: Request,
  endUs: number | undefined,
): LateRange<Request> {
  if (endUs === undefined) return { request, tokenOf: (token) => token };
  const { fromTimeUs, toTimeUs, pageToken } = request;
  const latestUs = toTimeUs === 0 ? endUs : Math.min(toTimeUs, endUs);
  let [toUs, inner] = [latestUs, ""];
  if (pageToken !== "") {
    const [, end, token = ""] = LATE_TOKEN.exec(pageToken) ?? [];
    // Whoever writes another end into it gets no more by that.
    if (end === undefined || Number(end) > latestUs) throw badPageToken();
    [toUs, inner] = [Number(end), token];
  }
  const tokenOf = (token: string): string => (token === "" ? "" : `${toUs}.${token}`);
  if (toUs <= fromTimeUs || toUs <= 0) return { request: undefined, tokenOf };
  return { request: { ...request, toTimeUs: toUs, pageToken: inner }, tokenOf };
}
