import { assert } from "#core/assert.ts";
import { epochOf } from "#core/fencing-token.ts";

/** Who publishes: the same words about every venue of one publisher. */
export type PublisherIdentity = {
  /** New with each start of the process, and no time: nobody may conclude anything from it. */
  readonly publisherId: string;
  /**
   * Of this start, in every batch: sequences of another epoch do not compare. An integer from 1 to
   * 2^53 - 1 without any order.
   */
  readonly epoch: number;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The identity of a publisher that starts now and is alone by construction. `uuid` is a random one,
 * of which the epoch is 53 bits: a clock that is off, or two publishers that start at once, cannot
 * give the same again.
 */
export function newPublisherIdentity(service: string, uuid: string): PublisherIdentity {
  const hex = hexOf(uuid);
  // The 13th digit is the version of the UUID, and the 17th holds its variant: neither is random.
  const bits = BigInt(`0x${hex.slice(0, 12)}${hex.slice(-2)}`);
  const epoch = Number(BigInt.asUintN(53, bits));
  return { publisherId: `${service}-${uuid}`, epoch: Math.max(1, epoch) };
}

/** The epoch of a term that begins now, of which `uuid` gives the part that is drawn by lot. */
export function newTermEpoch(token: number, uuid: string): number {
  return epochOf({ token, lot: Number.parseInt(hexOf(uuid).slice(0, 8), 16) });
}

function hexOf(uuid: string): string {
  assert(UUID.test(uuid), "a publisher's identity is drawn from a UUID in lower case");
  return uuid.replaceAll("-", "");
}
