import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { BookSync, ConnectionTicket, RawBook } from "../feed-adapter.ts";
import type { FeedData } from "../feed-sink.ts";
import type { VenueContext } from "../venue-context.ts";
import type { ConnectionOpener } from "./connection-opener.ts";
import type { FeedLink } from "./feed-link.ts";
import { Rollover } from "./rollover.ts";

/** The session whose connection is replaced. */
export type ReplaceableSession = {
  /** There is a connection that could be replaced. */
  readonly isReplaceable: boolean;
  /** The books that the connection carries now. */
  books(): readonly Instrument[];
  dial(ticket: ConnectionTicket): FeedLink;
  /** The new connection leads from now on; what it delivered beyond the old one follows. */
  adopt(link: FeedLink): void;
  /** A delta that the new connection delivered while the old one still led. */
  forward(delta: RawBook): void;
};

type ConnectionReplacementOptions = VenueContext & {
  /** For the log. */
  readonly url: string;
  readonly opener: ConnectionOpener;
  readonly session: ReplaceableSession;
};

/**
 * Replaces a connection before the venue ends it, or when the venue asks for it: the new one is
 * opened and subscribed while the old one still delivers, and takes over once nothing can be lost.
 */
export class ConnectionReplacement {
  readonly #options: ConnectionReplacementOptions;
  #next: FeedLink | undefined;
  #rollover: Rollover | undefined;
  /** The last rollover, for as long as the connection that took over may repeat the one before. */
  #takenOver: Rollover | undefined;
  /** The attempt to open whose result is still wanted; what older ones bring is dropped. */
  #opening: symbol | undefined;
  #cancelAge: CancelTimer | undefined;
  #cancelTakeOver: CancelTimer | undefined;
  /** Until it fires, what the last rollover knows of the connection before is heeded. */
  #cancelTakenOver: CancelTimer | undefined;

  constructor(options: ConnectionReplacementOptions) {
    this.#options = options;
  }

  /** The connection that is to take over, if there is one. */
  get next(): FeedLink | undefined {
    return this.#next;
  }

  /** A connection opened: its age counts from now. */
  armAge(): void {
    const { adapter, clock, policy, random } = this.#options;
    const { connectionAgeMsMax } = adapter.limits;
    this.#cancelAge?.();
    if (connectionAgeMsMax === undefined) return;
    // Before the venue does it, and not for all connections at once.
    const latestMs =
      connectionAgeMsMax - Math.min(policy.rolloverTimeoutMs, connectionAgeMsMax / 4);
    const jitterMs = random() * policy.rolloverJitterMs;
    const delayMs = Math.max(latestMs - jitterMs, connectionAgeMsMax / 2);
    this.#cancelAge = clock.after(delayMs, () => this.start("connection age"));
  }

  /** Does nothing while a replacement is under way already. */
  start(reason: string): void {
    const { opener, logger, adapter, url } = this.#options;
    if (this.#opening !== undefined || !this.#canStart()) return;
    logger.info({ venue: adapter.venue, url, reason }, "replacing the connection");
    const opening = Symbol("opening");
    this.#opening = opening;
    opener.open({
      onTurn: (ticket) => {
        if (this.#opening !== opening) return;
        this.#opening = undefined;
        if (this.#canStart()) this.#dial(ticket);
      },
      onFailure: (failure) => {
        if (this.#opening === opening) this.abandon(failure);
      },
    });
  }

  /** The new connection is open: both deliver now. */
  beginOverlap(): void {
    const { policy, clock } = this.#options;
    const deadlineUs = clock.monotonicUs() + policy.rolloverTimeoutMs * 1000;
    const check = (): void => {
      if (this.#rollover?.isReady() === true || clock.monotonicUs() >= deadlineUs) this.takeOver();
      else this.#cancelTakeOver = clock.after(policy.rolloverOverlapMs, check);
    };
    this.#cancelTakeOver = clock.after(policy.rolloverOverlapMs, check);
  }

  /** True while `accepts` may say no, or has to know of every event. */
  get isWeighing(): boolean {
    return (
      this.#next !== undefined || this.#rollover !== undefined || this.#takenOver !== undefined
    );
  }

  /** True if an event goes on that came on this connection. */
  accepts(link: FeedLink, event: FeedData): boolean {
    if (this.#rollover !== undefined) {
      return link === this.#next
        ? this.#rollover.acceptNew(event)
        : this.#rollover.acceptOld(event);
    }
    return this.#takenOver?.acceptAfter(event) ?? true;
  }

  takeOver(): void {
    const { clock, policy, session } = this.#options;
    const rollover = this.#rollover;
    const link = this.#next;
    if (link === undefined) return;
    this.#cancelTakeOver?.();
    this.#next = undefined;
    this.#rollover = undefined;
    this.#takenOver = rollover;
    // Only for a while: if the venue numbers anew later, that must not look like a repetition.
    this.#cancelTakenOver?.();
    this.#cancelTakenOver = clock.after(policy.rolloverTimeoutMs, () => {
      this.#takenOver = undefined;
    });
    session.adopt(link);
    rollover?.takeOver((delta) => session.forward(delta));
  }

  /** The new connection failed: the old one goes on, and another attempt follows. */
  abandon(reason: string): void {
    const { clock, policy, random, logger, adapter, url } = this.#options;
    logger.warn({ venue: adapter.venue, url, reason }, "the connection could not be replaced");
    this.#cancelTakeOver?.();
    this.#opening = undefined;
    this.#next = undefined;
    this.#rollover = undefined;
    this.#cancelAge?.();
    this.#cancelAge = clock.after(policy.reconnectBackoffMsMax * (0.5 + random() / 2), () =>
      this.start("connection age"),
    );
  }

  /** The old connection is gone, and with it whatever was to replace it. */
  release(): void {
    this.#cancelAge?.();
    this.#cancelTakeOver?.();
    this.#cancelTakenOver?.();
    this.#opening = undefined;
    this.#next?.close();
    this.#next = undefined;
    this.#rollover = undefined;
    this.#takenOver = undefined;
  }

  #canStart(): boolean {
    return this.#next === undefined && this.#options.session.isReplaceable;
  }

  #dial(ticket: ConnectionTicket): void {
    const { session, policy } = this.#options;
    this.#next = session.dial(ticket);
    // From the dial on it follows what the old connection delivers.
    this.#rollover = new Rollover({
      snapshotOf: (instrument) => this.#snapshotOf(instrument),
      books: session.books(),
      deltasMax: policy.rolloverDeltasMax,
    });
  }

  #snapshotOf(instrument: Instrument): BookSync["snapshot"] {
    const { adapter, bookDepth } = this.#options;
    return bookSyncOf(adapter, instrument, { bookDepth }).snapshot;
  }
}
