import { assert } from "#core/assert.ts";

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
 * The identity of a publisher that starts now. `uuid` is a random one, of which the epoch is 53
 * bits: a clock that is off, or two publishers that start at once, cannot give the same again.
 */
export function newPublisherIdentity(service: string, uuid: string): PublisherIdentity {
  assert(UUID.test(uuid), "a publisher's identity is drawn from a UUID in lower case");
  const hex = uuid.replaceAll("-", "");
  // The 13th digit is the version of the UUID, and the 17th holds its variant: neither is random.
  const bits = BigInt(`0x${hex.slice(0, 12)}${hex.slice(-2)}`);
  const epoch = Number(BigInt.asUintN(53, bits));
  return { publisherId: `${service}-${uuid}`, epoch: Math.max(1, epoch) };
}
