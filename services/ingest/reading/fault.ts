import type { RejectReason } from "../feed/feed-adapter.ts";

/** Why a message, or a part of one, cannot be used; undefined if it is of use. */
export type Fault = RejectReason | undefined;
