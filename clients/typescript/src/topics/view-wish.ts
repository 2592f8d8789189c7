import type { WireOptions } from "./subscription-entry.ts";

/** What of a subscription can be changed while it lasts. */
export type ViewWish = Pick<WireOptions, "depth" | "conflationIntervalMs">;

/** The longest interval that gateways offer. */
export const CONFLATION_INTERVAL_MS_MAX = 10_000;
