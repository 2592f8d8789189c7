import type { SessionState } from "./session-table.ts";

/** A session as operators see it. */
export type SessionLook = {
  readonly id: string;
  readonly state: SessionState;
  /** As the client names itself; empty before it has. */
  readonly client: string;
  readonly clientVersion: string;
  readonly address: string;
  readonly principal: string;
  readonly openedTimeUs: number;
  readonly topics: number;
  readonly lagMs: number;
  readonly owedBytes: number;
  /** The client was told that it reads too slowly. */
  readonly lagging: boolean;
};
