/** Where one connection stands. */
export type LinkState =
  /** The handshake is under way. */
  | "dialing"
  /** Connected, and the venue is to speak first. */
  | "greeting"
  /** Requests may be sent. */
  | "open"
  | "closed";

/** What happens to a connection. */
export type LinkEvent =
  /** The handshake succeeded. */
  | "connected"
  /** The venue greeted, or need not. */
  | "greeted"
  /** We or the venue ended it, or it broke. */
  | "ended";

/**
 * The life of a connection, every state by every event: the state that follows. Invariants:
 * 1. it lives once: nothing leaves `closed`;
 * 2. it opens once: only `greeting` leads to `open`, and only `dialing` to `greeting`;
 * 3. a greeting before the handshake, or a second one, changes nothing.
 */
export const LINK_LIFE: Readonly<Record<LinkState, Readonly<Record<LinkEvent, LinkState>>>> = {
  dialing: { connected: "greeting", greeted: "dialing", ended: "closed" },
  greeting: { connected: "greeting", greeted: "open", ended: "closed" },
  open: { connected: "open", greeted: "open", ended: "closed" },
  closed: { connected: "closed", greeted: "closed", ended: "closed" },
};

/** What may pass in each state. */
export const LINK_TRAFFIC: Readonly<
  Record<
    LinkState,
    {
      /** Frames of the venue are read. */
      readonly receives: boolean;
      /** What the venue wants at once may be sent: answers to its pings and challenges. */
      readonly answers: boolean;
      /** Requests may be sent. */
      readonly requests: boolean;
    }
  >
> = {
  dialing: { receives: false, answers: false, requests: false },
  greeting: { receives: true, answers: true, requests: false },
  open: { receives: true, answers: true, requests: true },
  closed: { receives: false, answers: false, requests: false },
};
