import type { GetServerTimeResponse } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";

/** The gateway's clock. */
export function getServerTime(clock: Clock): GetServerTimeResponse {
  return { serverTimeUs: clock.nowUs() };
}
