/**
 * Whom a gateway follows of those who publish a venue.
 *
 * - `nobody`: no publisher has announced itself.
 * - `followed`: one is followed, and announces itself.
 * - `silent`: the one that was followed is gone or silent, and nobody else is there. It stays the
 *   one whose epoch counts, because it may come back.
 *
 * The invariants, and how each is enforced:
 *
 * 1. A state follows another only where the table allows it. Asserted at each change.
 * 2. Whom to follow is decided by identity, by fencing tokens and by who is there, never by
 *    comparing epochs or times: no cell sees one.
 * 3. Who is followed stays followed while it announces itself and nobody has taken over. Only
 *    `laterHeard`, `followedSilent`, `followedLeft` and `followedGone` adopt another; the second
 *    comes after three of its own intervals.
 * 4. Of two that announce themselves the one of the later term is followed: `laterHeard` adopts in
 *    every state. Whoever is fenced off by it is another one from then on.
 * 5. A publisher that is there is followed: `otherHeard` adopts where nobody is, and whatever ends
 *    the followed one adopts another that is known.
 * 6. While our own connection to the bus is down nobody is judged: `busDown` stops every timer, and
 *    `busUp` starts them anew.
 */
export type FollowState = "nobody" | "followed" | "silent";

/** What can happen. */
export type FollowEvent =
  /** The one that is followed, or was, announced itself. */
  | "followedHeard"
  /** Another one announced itself. */
  | "otherHeard"
  /** Another one announced itself, in a later term than the followed one. */
  | "laterHeard"
  /** Three intervals of the followed one passed without a word. */
  | "followedSilent"
  /** It said that it leaves. */
  | "followedLeft"
  /** The bus says for certain that it is not there. */
  | "followedGone";

/**
 * What is done. `keep`: counts as a sign of life. `recover`: it is there again. `adopt`: this one
 * is followed from now on. `note`: remembered, in case that the followed one goes. `replace`:
 * another one that is known is adopted; if there is none, the venue is lost. `ignore`: nothing.
 */
type FollowAction = "keep" | "recover" | "adopt" | "note" | "replace" | "ignore";

type FollowCell = { readonly does: FollowAction; readonly next: readonly FollowState[] };

const IGNORED = (state: FollowState): FollowCell => ({ does: "ignore", next: [state] });

/** Every state by every event. */
export const FOLLOW_TABLE: {
  readonly [State in FollowState]: { readonly [Event in FollowEvent]: FollowCell };
} = {
  nobody: {
    followedHeard: IGNORED("nobody"),
    otherHeard: { does: "adopt", next: ["followed"] },
    laterHeard: { does: "adopt", next: ["followed"] },
    followedSilent: IGNORED("nobody"),
    followedLeft: IGNORED("nobody"),
    followedGone: IGNORED("nobody"),
  },
  followed: {
    followedHeard: { does: "keep", next: ["followed"] },
    otherHeard: { does: "note", next: ["followed"] },
    laterHeard: { does: "adopt", next: ["followed"] },
    followedSilent: { does: "replace", next: ["followed", "silent"] },
    followedLeft: { does: "replace", next: ["followed", "silent"] },
    followedGone: { does: "replace", next: ["followed", "silent"] },
  },
  silent: {
    followedHeard: { does: "recover", next: ["followed"] },
    otherHeard: { does: "adopt", next: ["followed"] },
    laterHeard: { does: "adopt", next: ["followed"] },
    followedSilent: IGNORED("silent"),
    followedLeft: IGNORED("silent"),
    followedGone: IGNORED("silent"),
  },
};
