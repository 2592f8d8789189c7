import type { Bus, LeaseOffer } from "#bus/bus.ts";
import type { LeaseStore } from "#bus/lease-store.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { HeardClaims } from "./claims.ts";
import type { Claims } from "./claims.ts";
import { LeaseClaims } from "./lease-claims.ts";
import { partitionKey } from "./partition.ts";
import type { Partition } from "./partition.ts";
import { MISSED_INTERVALS_MAX } from "./peers.ts";

/**
 * How it is decided who publishes. `auto`: by a lease where the bus keeps leases, else by who is
 * heard. `jetstream`: by a lease, and nothing is published before leases can be had. `none`: by who
 * is heard.
 */
export const LEASE_MODES = ["auto", "jetstream", "none"] as const;
type LeaseMode = (typeof LEASE_MODES)[number];

type OpenClaimsOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisherId: string;
  readonly mode: LeaseMode;
  readonly replicas: number;
  readonly heartbeatMs: number;
  /** Whether this process stops: then nothing is waited for any more. */
  readonly isClosed: () => boolean;
};

/** How long one request may take: an answer that takes longer comes too late to count on. */
const LEASE_TIMEOUT_MS = 1_000;
const RETRY_MS = 1_000;

/** What gives each partition its claims. Waits for leases if they are required. */
export async function openClaims(
  options: OpenClaimsOptions,
): Promise<(partition: Partition) => Claims> {
  const { clock, publisherId, heartbeatMs } = options;
  const store = await findStore(options);
  if (store === undefined) return () => new HeardClaims();
  const expiryMs = heartbeatMs * MISSED_INTERVALS_MAX;
  return (partition) =>
    new LeaseClaims({ store, key: partitionKey(partition), holder: publisherId, clock, expiryMs });
}

async function findStore(options: OpenClaimsOptions): Promise<LeaseStore | undefined> {
  const { bus, clock, logger, mode, replicas, isClosed } = options;
  if (mode === "none") return undefined;
  for (let attempt = 0; !isClosed(); attempt += 1) {
    const offer = await offerOf(bus, { replicas, timeoutMs: LEASE_TIMEOUT_MS });
    if (offer.kind === "there") return offer.leases;
    if (mode === "auto") {
      const message = "JetStream is not there: who publishes is decided by who is heard";
      if (offer.kind === "absent") logger.info({}, message);
      else logger.warn({}, "JetStream does not answer: who publishes is decided by who is heard");
      return undefined;
    }
    const message = "ingest.standby.lease is jetstream, and JetStream does not answer: waiting";
    if (attempt === 0) logger.error({ offer: offer.kind }, message);
    await new Promise<void>((resolve) => {
      clock.after(RETRY_MS, resolve);
    });
  }
  return undefined;
}

async function offerOf(
  bus: Bus,
  options: { readonly replicas: number; readonly timeoutMs: number },
): Promise<LeaseOffer> {
  return (await bus.openLeases?.(options)) ?? { kind: "absent" };
}
