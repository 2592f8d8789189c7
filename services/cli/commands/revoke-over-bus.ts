import { REVOCATIONS_SUBJECT } from "#bus/subject.ts";
import { encodeRevocations } from "#gateway/access/revocations.ts";
import type { Revocation } from "#gateway/access/revocations.ts";
import { loadCommandConfig } from "../process/config-options.ts";
import type { ConfigOptions } from "../process/config-options.ts";
import { CommandError, describeError, UsageError } from "../process/errors.ts";
import type { Logger } from "#core/logger.ts";
import { openBus } from "../process/open-bus.ts";
import { createLogger } from "#runtime/logger.ts";
import { SystemClock } from "#runtime/system-clock.ts";

/**
 * Tells every gateway that is on the bus now. Rejects if the bus cannot be reached, or does not let
 * us say it.
 */
export async function publishRevocations(
  options: ConfigOptions,
  revocations: readonly Revocation[],
): Promise<void> {
  const flags = [{ flag: "--publish", key: "bus.nats.connectTimeoutMs", value: "0" }];
  const config = loadCommandConfig(options, { defaults: { log: { level: "warn" } }, flags });
  if (config.bus.kind === "memory") throw new UsageError("--publish needs a bus of kind nats");
  const clock = new SystemClock();
  const logger = createLogger({ level: config.log.level, service: "keys" });
  let refusal: unknown;
  const listening: Logger = {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => {
      refusal = "error" in fields ? fields.error : message;
    },
  };
  const bus = await openBus({
    config: config.bus,
    clock,
    logger: listening,
    name: "tickwire-keys",
  });
  try {
    bus.publish(REVOCATIONS_SUBJECT, encodeRevocations(revocations));
    // NATS says what it refuses before it answers this.
    await bus.flush();
  } finally {
    await bus.close();
  }
  if (refusal !== undefined) {
    const reason = describeError(refusal);
    throw new CommandError(`the gateways on the bus were not told: ${reason}`, { cause: refusal });
  }
}
