import type { CancelTimer, Clock } from "#core/clock.ts";
import type { LeaderRole } from "#wire/leader-role.ts";

/** Another one who publishes the partition, or would, as it said itself. */
export type Peer = {
  readonly publisherId: string;
  readonly role: LeaderRole;
  /** Of its term, or its last; 0 if it never led. */
  readonly token: number;
  readonly epoch: number;
  readonly intervalMs: number;
  /** For how long it has had its role, by its own clock. */
  readonly roleForMs: number;
  readonly leased: boolean;
};

/** Those of whom nothing was heard for so many of their intervals are not there. */
export const MISSED_INTERVALS_MAX = 3;
/** Peers of one partition that are remembered; the one heard of longest ago makes room. */
export const PEERS_MAX = 32;

type Known = { readonly peer: Peer; readonly cancelExpiry: CancelTimer };

/** Who else takes part in a partition. Those who fall silent are forgotten. */
export class Peers {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the order in which they were heard of. */
  get all(): readonly Peer[] {
    return Array.from(this.#known.values(), ({ peer }) => peer);
  }

  /** Whether any of them could take over. */
  get someoneStandsBy(): boolean {
    return this.all.some(({ role }) => role !== "leading");
  }

  /** Takes what a peer says of itself in the place of what it said before. */
  heard(peer: Peer): void {
    const { publisherId, intervalMs } = peer;
    this.forget(publisherId);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= PEERS_MAX && oldest !== undefined) this.forget(oldest);
    const cancelExpiry = this.#clock.after(intervalMs * MISSED_INTERVALS_MAX, () => {
      this.#known.delete(publisherId);
    });
    this.#known.set(publisherId, { peer, cancelExpiry });
  }

  forget(publisherId: string): void {
    this.#known.get(publisherId)?.cancelExpiry();
    this.#known.delete(publisherId);
  }

  /** How many of those who stand by come before us, so that not all claim at once. */
  rankOf(publisherId: string): number {
    return this.all.filter((peer) => peer.role === "standing-by" && peer.publisherId < publisherId)
      .length;
  }

  close(): void {
    for (const publisherId of this.#known.keys()) this.forget(publisherId);
  }
}
