import { WireError } from "@tickwire/proto/codec";
import type { Bus } from "#bus/bus.ts";
import { ANNOUNCE_PATTERN, DISCOVER_SUBJECT, LEADERSHIP_PATTERN } from "#bus/subject.ts";
import type { Clock } from "#core/clock.ts";
import { decodeAnnouncement, decodeLeadership } from "#wire/bus-codec.ts";
import { roleFromWire } from "#wire/leader-role.ts";
import type { LeaderRole } from "#wire/leader-role.ts";

/** Somebody who publishes a part of a venue, or would, as it says itself. */
export type HeardPublisher = {
  readonly venue: string;
  /** `2/3`, or empty for the whole venue. */
  readonly shard: string;
  readonly publisherId: string;
  /** `alone`: of before ingestors told each other who publishes. */
  readonly role: LeaderRole | "alone";
  /** Of the term that it leads; 0 if it does not. */
  readonly term: number;
  /** For how long it has had this role; undefined if it does not say. */
  readonly roleForMs: number | undefined;
  readonly leased: boolean;
};

/** Two signs of life at the default interval, with room for a slow network. */
const LISTEN_MS = 1_000;
const NOTHING = new Uint8Array(0);

/** Listens until everybody has spoken. By venue, shard, role and id. */
export async function hearPublishers(bus: Bus, clock: Clock): Promise<readonly HeardPublisher[]> {
  const heard = new Map<string, HeardPublisher>();
  const take = (publisher: HeardPublisher): void => {
    const key = `${publisher.venue} ${publisher.shard} ${publisher.publisherId}`;
    if (publisher.role !== "alone" || !heard.has(key)) heard.set(key, publisher);
  };
  const subscriptions = [
    bus.subscribe(LEADERSHIP_PATTERN, ({ payload }) => takeRead(payload, readLeadership, take)),
    bus.subscribe(ANNOUNCE_PATTERN, ({ payload }) => takeRead(payload, readAnnouncement, take)),
  ];
  bus.publish(DISCOVER_SUBJECT, NOTHING);
  await new Promise<void>((resolve) => {
    clock.after(LISTEN_MS, resolve);
  });
  for (const subscription of subscriptions) subscription.unsubscribe();
  return [...heard.values()].toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
}

/**
 * What is wrong with those who publish one part of a venue, in words; undefined if nothing is. Two
 * that lead for longer than a word takes do not hear each other.
 */
export function collisionOf(publishers: readonly HeardPublisher[]): string | undefined {
  const leading = publishers.filter(({ role }) => role === "leading" || role === "alone");
  const shards = new Set(publishers.map(({ shard }) => shard));
  const counts = new Set([...shards].map((shard) => shard.split("/")[1] ?? ""));
  if (counts.size > 1) {
    const parts = [...shards].map((shard) => (shard === "" ? "the whole" : `shard ${shard}`));
    return `instruments are published twice: by ${parts.sort().join(", ")}`;
  }
  for (const shard of shards) {
    const ids = leading
      .filter((each) => each.shard === shard)
      .map(({ publisherId }) => publisherId);
    if (ids.length > 1) return `${ids.join(" and ")} publish the same at the same time`;
  }
  return undefined;
}

function takeRead(
  payload: Uint8Array,
  read: (payload: Uint8Array) => HeardPublisher | undefined,
  take: (publisher: HeardPublisher) => void,
): void {
  try {
    const publisher = read(payload);
    if (publisher !== undefined) take(publisher);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

function readLeadership(payload: Uint8Array): HeardPublisher | undefined {
  const { venue, publisherId, fencingToken, roleForMs, leased, leaving, ...said } =
    decodeLeadership(payload);
  const role = roleFromWire(said.role);
  if (role === undefined || leaving) return undefined;
  return { venue, shard: shardOf(said), publisherId, role, term: fencingToken, roleForMs, leased };
}

function readAnnouncement(payload: Uint8Array): HeardPublisher | undefined {
  const {
    venue,
    ingestorId: publisherId,
    fencingToken,
    leaving,
    ...said
  } = decodeAnnouncement(payload);
  if (leaving) return undefined;
  const shard = shardOf(said);
  const role = "alone";
  return {
    venue,
    shard,
    publisherId,
    role,
    term: fencingToken,
    roleForMs: undefined,
    leased: false,
  };
}

function shardOf(said: { readonly shardIndex: number; readonly shardCount: number }): string {
  return said.shardCount === 0 ? "" : `${said.shardIndex}/${said.shardCount}`;
}

const ROLE_ORDER = ["leading", "alone", "suspended", "standing-by", "probing"] as const;

function orderOf({ venue, shard, role, publisherId }: HeardPublisher): string {
  return `${venue} ${shard.padStart(8)} ${ROLE_ORDER.indexOf(role)} ${publisherId}`;
}
