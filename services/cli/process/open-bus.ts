import { accessSync, constants, readFileSync } from "node:fs";
import type { Registry } from "prom-client";
import { WireError } from "@tickwire/proto/codec";
import type { Bus } from "#bus/bus.ts";
import { registerBusDrops } from "#gateway/bus-drops.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { connectNatsBus, type NatsBusOptions } from "#bus/nats-bus.ts";
import { tracedBus } from "#bus/traced-bus.ts";
import type { Tracing } from "#core/tracing.ts";
import type { NatsConnectionOptions } from "#bus/nats-connection.ts";
import type { Clock } from "#core/clock.ts";
import type { BusConfig } from "#config/config.ts";
import type { Logger } from "#core/logger.ts";
import { logBusEvents } from "./bus-events.ts";
import { CommandError, describeError } from "./errors.ts";
import { connectPatiently } from "./connect-patiently.ts";

/** As infra/nats/limits.conf has it, so that what fits here fits there. */
const MEMORY_PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;

type OpenBusOptions = {
  readonly config: BusConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where spans of requests go; undefined if nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Where drops are counted. */
  readonly metrics?: Registry | undefined;
  /** Seen in the NATS server's monitoring. */
  readonly name: string;
};

/**
 * Connects to the configured bus, which may start later than this process, and logs what happens to
 * the connection. Rejects with BusError.
 */
export async function openBus(options: OpenBusOptions): Promise<Bus> {
  const untraced = await createBus(options);
  const { logger, tracing } = options;
  const bus = tracing === undefined ? untraced : tracedBus(untraced, tracing);
  const { clock, metrics } = options;
  if (metrics !== undefined) registerBusDrops(metrics, bus);
  logBusEvents(bus, { clock, logger });
  return bus;
}

/** What becomes of an error that a handler of a bus throws. */
export function handlerErrors(logger: Logger): (error: unknown) => void {
  return (error) => {
    if (error instanceof WireError) {
      logger.error({ error }, "a message on the bus could not be read");
      return;
    }
    // A bug of ours: outside of the delivery nobody catches it, and the process ends.
    queueMicrotask(() => {
      throw error;
    });
  };
}

async function createBus({ config, clock, logger, name }: OpenBusOptions): Promise<Bus> {
  const onHandlerError = handlerErrors(logger);
  if (config.kind === "memory") {
    return new MemoryBus({ clock, payloadBytesMax: MEMORY_PAYLOAD_BYTES_MAX, onHandlerError });
  }
  const { connectTimeoutMs } = config.nats;
  const options: NatsBusOptions = {
    ...natsOptionsOf(config.nats),
    name,
    onHandlerError,
    onServerError: (error) => logger.error({ error }, "NATS refused something"),
  };
  return connectPatiently({
    connect: () => connectNatsBus(options),
    timeoutMs: connectTimeoutMs,
    clock,
    random: Math.random,
    onWaiting: (state) => logger.warn(state, "waiting for NATS"),
  });
}

type NatsConfig = BusConfig["nats"];

/** Where the servers are, and who we are to them. Throws `CommandError` for an unreadable file. */
export function natsOptionsOf(nats: NatsConfig): NatsConnectionOptions {
  return { servers: nats.servers, ...identityOf(nats), ...tlsOf(nats) };
}

/** Who we are: one of the four ways that NATS knows, or nobody. */
function identityOf(nats: NatsConfig): Partial<NatsConnectionOptions> {
  const { user, password, token, nkeySeed, credentialsFile } = nats;
  if (user !== undefined && password !== undefined) return { user, pass: password };
  if (token !== undefined) return { token };
  if (nkeySeed !== undefined) return { nkeySeed };
  if (credentialsFile === undefined) return {};
  assertReadable("credentialsFile", credentialsFile);
  return { credentials: () => readFileSync(credentialsFile) };
}

function tlsOf({
  tls,
  tlsCaFile,
  tlsCertFile,
  tlsKeyFile,
}: NatsConfig): Partial<NatsConnectionOptions> {
  if (!tls) return {};
  for (const [key, path] of Object.entries({ tlsCaFile, tlsCertFile, tlsKeyFile })) {
    if (path !== undefined) assertReadable(key, path);
  }
  return {
    tls: {
      ...(tlsCaFile === undefined ? {} : { caFile: tlsCaFile }),
      ...(tlsCertFile === undefined ? {} : { certFile: tlsCertFile }),
      ...(tlsKeyFile === undefined ? {} : { keyFile: tlsKeyFile }),
    },
  };
}

/** Waiting for a server would not bring the file. Throws `CommandError`. */
function assertReadable(key: string, path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    const reason = describeError(cause);
    throw new CommandError(`bus.nats.${key} cannot be read: ${reason}`, { cause });
  }
}
