/**
 * Who of several ingestors publishes a partition of a venue, seen by one of them.
 *
 * - `probing`: it has just started, and asks who is there.
 * - `standing-by`: another one leads, or did until a moment ago. Nothing is published.
 * - `claiming`: nobody leads any more, and it has asked to.
 * - `leading`: it publishes.
 * - `suspended`: it led, and has been away for so long that another one may lead by now. Nothing is
 *   published until it knows.
 * - `closed`: it has stopped.
 *
 * The invariants, and how each is enforced:
 *
 * 1. A state follows another only where the table allows it. Asserted at each change.
 * 2. Whoever hears of a later term than its own publishes nothing from then on: `laterHeard` leads
 *    to `standing-by` from every state but `closed`.
 * 3. A term begins with a claim that was granted, and only with it: `lead` stands in one cell.
 * 4. Whoever is not sure any more publishes nothing: `doubted` leaves `leading`, and only
 *    `confirmed` leads back, in the same term. Nobody else can have led in between: a lease says
 *    so, or everybody had the time to speak.
 * 5. Who leads is decided by fencing tokens and who is heard, never by a time of day: no cell sees
 *    one, and intervals are those of a clock that is never set.
 * 6. From every state but `closed` silence alone leads to a claim: no partition stays without a
 *    leader.
 */
export type LeaderState =
  | "probing"
  | "standing-by"
  | "claiming"
  | "leading"
  | "suspended"
  | "closed";

/** What can happen. */
export type LeaderEvent =
  /** Somebody leads in a term that is not before the latest that is known, and not ours. */
  | "laterHeard"
  /** Somebody leads in an earlier term, and does not know of the later one yet. */
  | "earlierHeard"
  /** Nobody who leads was heard for as long as it may take. */
  | "silent"
  /** Whoever leads has said that it stops, or that it does not lead any more. */
  | "vacated"
  /** Our claim was granted. */
  | "granted"
  /** Another one has the lease. */
  | "refused"
  /** It could not be found out: the lease cannot be reached. */
  | "failed"
  /** We may have been replaced without hearing of it. */
  | "doubted"
  /** We have not been. */
  | "confirmed"
  /** The lease is another one's. */
  | "lost"
  | "closed";

/**
 * What is done. `follow`: what that one publishes is followed. `note`: it is a sign of life.
 * `claim`: asks to lead. `lead`: a term begins. `wait`: another claim follows a silence. `insist`:
 * says that it leads, so that the other hears of it. `suspend`, `resume`: nothing is published
 * until it is known. `yield`: the term is over. `stop`: it is over, because the process stops.
 * `release`: a claim that came too late is given back.
 */
type LeaderAction =
  | "follow"
  | "note"
  | "claim"
  | "lead"
  | "wait"
  | "insist"
  | "suspend"
  | "resume"
  | "yield"
  | "stop"
  | "release"
  | "ignore";

type Cell = { readonly does: LeaderAction; readonly next: LeaderState };

const IGNORED = (state: LeaderState): Cell => ({ does: "ignore", next: state });

/** Every state by every event. */
export const LEADER_TABLE: {
  readonly [State in LeaderState]: { readonly [Event in LeaderEvent]: Cell };
} = {
  probing: {
    laterHeard: { does: "follow", next: "standing-by" },
    earlierHeard: IGNORED("probing"),
    silent: { does: "claim", next: "claiming" },
    vacated: IGNORED("probing"),
    granted: { does: "release", next: "probing" },
    refused: IGNORED("probing"),
    failed: IGNORED("probing"),
    doubted: IGNORED("probing"),
    confirmed: IGNORED("probing"),
    lost: IGNORED("probing"),
    closed: { does: "stop", next: "closed" },
  },
  "standing-by": {
    laterHeard: { does: "note", next: "standing-by" },
    earlierHeard: IGNORED("standing-by"),
    silent: { does: "claim", next: "claiming" },
    vacated: { does: "claim", next: "claiming" },
    granted: { does: "release", next: "standing-by" },
    refused: IGNORED("standing-by"),
    failed: IGNORED("standing-by"),
    doubted: IGNORED("standing-by"),
    confirmed: IGNORED("standing-by"),
    lost: IGNORED("standing-by"),
    closed: { does: "stop", next: "closed" },
  },
  claiming: {
    laterHeard: { does: "follow", next: "standing-by" },
    earlierHeard: IGNORED("claiming"),
    silent: IGNORED("claiming"),
    vacated: IGNORED("claiming"),
    granted: { does: "lead", next: "leading" },
    refused: { does: "wait", next: "standing-by" },
    failed: { does: "wait", next: "standing-by" },
    doubted: IGNORED("claiming"),
    confirmed: IGNORED("claiming"),
    lost: IGNORED("claiming"),
    closed: { does: "stop", next: "closed" },
  },
  leading: {
    laterHeard: { does: "yield", next: "standing-by" },
    earlierHeard: { does: "insist", next: "leading" },
    silent: IGNORED("leading"),
    vacated: IGNORED("leading"),
    granted: IGNORED("leading"),
    refused: IGNORED("leading"),
    failed: IGNORED("leading"),
    doubted: { does: "suspend", next: "suspended" },
    confirmed: IGNORED("leading"),
    lost: { does: "yield", next: "standing-by" },
    closed: { does: "stop", next: "closed" },
  },
  suspended: {
    laterHeard: { does: "yield", next: "standing-by" },
    earlierHeard: IGNORED("suspended"),
    silent: IGNORED("suspended"),
    vacated: IGNORED("suspended"),
    granted: IGNORED("suspended"),
    refused: IGNORED("suspended"),
    failed: IGNORED("suspended"),
    doubted: IGNORED("suspended"),
    confirmed: { does: "resume", next: "leading" },
    lost: { does: "yield", next: "standing-by" },
    closed: { does: "stop", next: "closed" },
  },
  closed: {
    laterHeard: IGNORED("closed"),
    earlierHeard: IGNORED("closed"),
    silent: IGNORED("closed"),
    vacated: IGNORED("closed"),
    granted: { does: "release", next: "closed" },
    refused: IGNORED("closed"),
    failed: IGNORED("closed"),
    doubted: IGNORED("closed"),
    confirmed: IGNORED("closed"),
    lost: IGNORED("closed"),
    closed: IGNORED("closed"),
  },
};
