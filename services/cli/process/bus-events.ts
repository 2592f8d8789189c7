import type { Bus } from "#bus/bus.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";

/** Thousands of topics lose messages in the same moment, which is logged as one. */
const DROPS_LOG_MS = 1_000;

/** Logs what happens to the bus. */
export function logBusEvents(
  bus: Bus,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): void {
  let subscriptions = 0;
  let dropped = 0;
  let cancel: CancelTimer | undefined;
  const logDrops = (): void => {
    if (subscriptions > 0) logger.warn({ kind: "slow-consumer", subscriptions, dropped }, "bus");
    subscriptions = 0;
    dropped = 0;
    cancel?.();
    cancel = undefined;
  };
  bus.onEvent((event) => {
    if (event.kind === "slow-consumer") {
      subscriptions += 1;
      dropped += event.dropped;
      cancel ??= clock.after(DROPS_LOG_MS, logDrops);
      return;
    }
    if (event.kind === "closed") logDrops();
    if (event.kind === "disconnected") logger.warn(event, "bus");
    else logger.info(event, "bus");
  });
}
