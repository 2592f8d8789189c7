import { ByteBudget } from "#core/byte-budget.ts";
import type { EventLog } from "#gateway/history/event-log.ts";

/** What a gateway keeps for clients who come back: room for 1 MB, and no log but a given one. */
export function resumeParts(log?: EventLog) {
  return { log, budget: new ByteBudget({ bytesMax: 1_000_000 }), resumeBytesMax: 1_000_000 };
}
