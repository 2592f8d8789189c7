import type { Principal } from "../access/principal.ts";
import { CallTable } from "./call-table.ts";
import type { CallReplies } from "./call-table.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { SessionAccess } from "./session-access.ts";
import type { SessionParts } from "./session-parts.ts";

/** Whose calls they are. */
type SessionOfCalls = {
  readonly id: string;
  readonly remoteAddress: string;
  readonly access: Pick<SessionAccess, "principal">;
  readonly rates: Pick<RateLimits, "takeWork">;
};

/** The calls of one session: paid for by it, and by its principal over all of his sessions. */
export function createCalls(
  parts: SessionParts,
  { id: sessionId, remoteAddress, access, rates }: SessionOfCalls,
  replies: CallReplies,
): CallTable {
  const { clock, config, logger, turns, accounts } = parts;
  const onInternalError = (method: string, error: unknown): void => {
    logger.error({ sessionId, method, error }, "an RPC failed with an internal error");
  };
  const takeRequests = (requests: number): boolean => {
    const nowUs = clock.monotonicUs();
    const isGranted = rates.takeWork(requests, nowUs);
    return isGranted && accounts.takeRequests(access.principal, requests, nowUs);
  };
  const principal = (): Principal => access.principal;
  const own = { limits: config, remoteAddress, principal, onInternalError, takeRequests };
  return new CallTable({ ...parts, ...own, line: turns.open() }, replies);
}
