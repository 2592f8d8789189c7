import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { HeldUp } from "#core/held-up.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type { ConnectionTicket, FeedDecoder, FeedEvent } from "../feed-adapter.ts";
import { RequestPacer } from "../rest/request-pacer.ts";
import type { AddressBudget } from "../rest/address-budget.ts";
import type { VenueContext } from "../venue-context.ts";
import { LINK_LIFE, LINK_TRAFFIC } from "./link-life.ts";
import type { LinkEvent, LinkState } from "./link-life.ts";
import { textOfBytes } from "./web-socket-dialer.ts";
import type { FeedDialer, FeedSocket } from "./web-socket-dialer.ts";

type FeedLinkOptions = VenueContext & {
  readonly ticket: ConnectionTicket;
  readonly dialer: FeedDialer;
  /** What all connections to the venue spend from. */
  readonly address: AddressBudget;
  /**
   * A recording ends when it says so, does not wait to be greeted, and nothing is sent on it: it
   * holds what its own client sent.
   */
  readonly recorded: boolean;
  readonly owner: FeedLinkOwner;
};

/** What a session hears of; the rest is between the link and the venue. */
export type FeedLinkEvent = Exclude<FeedEvent, { kind: "reply" | "ready" | "refused" }>;

/** A subscription that the venue refused. */
export type RefusedEvent = Extract<FeedEvent, { kind: "refused" }>;

/** What a link tells its session. */
export type FeedLinkOwner = {
  /** Frames may be sent: the connection is open, and the venue has greeted if it does so. */
  onLinkOpen(link: FeedLink): void;
  onLinkFrame(link: FeedLink): void;
  onLinkEvent(link: FeedLink, event: FeedLinkEvent): void;
  /** The same for a tick, which is the link's again afterwards. */
  onLinkTick(link: FeedLink, tick: FeedTick): void;
  /** Everything that one frame refused: the venue may refuse many for the sake of one. */
  onLinkRefused(link: FeedLink, refused: readonly RefusedEvent[]): void;
  /** The last call; also for a connection that never opened. */
  onLinkClosed(link: FeedLink, reason: string): void;
};

/**
 * One connection: its socket, its decoder, the venue's greeting, the pace of what is sent on it,
 * its keep-alive, the answers that the venue wants at once, and whether anything at all still
 * arrives. It lives once; a reconnect is a new link.
 */
export class FeedLink {
  readonly decoder: FeedDecoder;
  readonly #options: FeedLinkOptions;
  // What each frame needs, apart from options that are put together of others: where these have
  // many shapes in memory, looking a field up in them takes as long as a call.
  readonly #clock: Clock;
  readonly #owner: FeedLinkOwner;
  readonly #socket: FeedSocket;
  readonly #pacer: RequestPacer;
  readonly #emit: (event: FeedEvent) => void;
  readonly #takeTick: (tick: FeedTick) => void;
  /** What the frame that is being read refuses. */
  #refused: RefusedEvent[] = [];
  #state: LinkState = "dialing";
  /** Frames of the venue are read in this state. */
  #receives = false;
  /** By the clock that is never set. */
  #lastAliveUs: number;
  #pinged = false;
  /** The decoder failed, so that nobody knows in what state it is. */
  #isFaulty = false;
  #hasOpened = false;
  #keepAliveSequence = 0;
  #cancelLiveness: CancelTimer | undefined;
  #cancelKeepAlive: CancelTimer | undefined;
  #closeReason: string | undefined;

  constructor(options: FeedLinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#owner = options.owner;
    const { clock, policy, adapter, catalog, bookDepth, owner } = options;
    const { url } = options.ticket;
    options.address.connections.opened();
    this.decoder = adapter.createDecoder({ catalog, bookDepth, url });
    this.#emit = (event) => {
      if (event.kind === "reply") this.#sendAtOnce(event.frame);
      else if (event.kind === "ready") this.#onReady();
      else if (event.kind === "refused") this.#refused.push(event);
      else {
        if (event.kind === "rejected" && event.reason === "decoder-fault") this.#isFaulty = true;
        owner.onLinkEvent(this, event);
      }
    };
    this.#takeTick = (tick) => owner.onLinkTick(this, tick);
    this.#lastAliveUs = clock.monotonicUs();
    this.#pacer = new RequestPacer({
      limit: adapter.limits.outgoingFrames,
      clock,
      waitingMax: policy.outgoingFramesWaitingMax,
    });
    this.#cancelLiveness = clock.after(policy.dialTimeoutMs, () => this.#onDialTimeout());
    this.#socket = options.dialer.dial(
      url,
      {
        onOpen: () => this.#onOpen(),
        onFrame: (frame) => this.#onFrame(frame),
        onText: (bytes) => this.#onText(bytes),
        onPing: () => this.#onAlive(),
        onPong: () => this.#onAlive(),
        onClose: (code, reason) => this.#onClose(`closed ${code} ${reason}`.trim()),
        onError: (message) => {
          this.#closeReason ??= message;
        },
      },
      adapter.limits,
    );
  }

  /** When the venue was last heard, by the clock that is never set. */
  get lastAliveUs(): number {
    return this.#lastAliveUs;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Its address if it never opened. */
  get unopenedUrl(): string | undefined {
    return this.#hasOpened ? undefined : this.#options.ticket.url;
  }

  /**
   * Sends the frames in the venue's pace, in order. A venue that lets too many wait loses the
   * connection.
   */
  send(frames: readonly string[]): void {
    if (!LINK_TRAFFIC[this.#state].requests || this.#options.recorded) return;
    for (const frame of frames) {
      if (!this.#pacer.submit(1, () => this.#sendInTurn(frame))) {
        this.terminate("too many frames wait for the venue's pace");
        return;
      }
    }
  }

  /** Sends nothing for a while, but for what the venue wants at once: it says that we hurry. */
  slowDown(pauseMs: number): void {
    const untilUs = this.#options.clock.monotonicUs() + pauseMs * 1000;
    this.#pacer.pauseUntil(untilUs);
    this.#options.address.frames?.pauseUntil(untilUs);
  }

  /**
   * A recording shows what its client sent: the decoder learns of it as if it had been sent here.
   */
  noteSent(frame: string): void {
    this.decoder.sent?.(frame);
  }

  /** Ends the connection politely, without telling the owner. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#socket.close();
  }

  /** Drops the connection and tells the owner, at once. Idempotent. */
  terminate(reason: string): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#socket.terminate();
    this.#options.owner.onLinkClosed(this, reason);
  }

  /**
   * Sends what must not be late, or the venue ends the connection. It overtakes the subscriptions
   * that wait for the venue's pace; they wait longer for it.
   */
  #sendAtOnce(frame: string): void {
    if (!LINK_TRAFFIC[this.#state].answers || this.#options.recorded) return;
    this.#pacer.spend(1);
    this.#options.address.frames?.spend(1);
    this.#sendNow(frame);
  }

  /** It is this connection's turn; where the venue counts them together, all others' too. */
  #sendInTurn(frame: string): void {
    const { frames } = this.#options.address;
    if (frames === undefined) {
      this.#sendNow(frame);
      return;
    }
    const isAccepted = frames.submit(1, () => {
      if (LINK_TRAFFIC[this.#state].requests) this.#sendNow(frame);
    });
    if (!isAccepted) this.terminate("too many frames of all connections wait for the venue's pace");
  }

  #sendNow(frame: string): void {
    this.decoder.sent?.(frame);
    this.#socket.send(frame);
  }

  /** True if the event leads to another state. */
  #move(event: LinkEvent): boolean {
    const before = this.#state;
    this.#state = LINK_LIFE[before][event];
    this.#receives = LINK_TRAFFIC[this.#state].receives;
    return this.#state !== before;
  }

  #release(): void {
    const hasEnded = this.#move("ended");
    assert(hasEnded, "a connection ends once");
    this.#options.address.connections.closed();
    this.#pacer.close();
    this.#cancelLiveness?.();
    this.#cancelKeepAlive?.();
  }

  #onOpen(): void {
    if (!this.#move("connected")) return;
    const { adapter, recorded } = this.#options;
    this.#onAlive();
    // The dial timeout runs on until the greeting.
    if (adapter.greets !== true || recorded) this.#onReady();
  }

  #onReady(): void {
    if (!this.#move("greeted")) return;
    this.#hasOpened = true;
    this.#cancelLiveness?.();
    if (!this.#options.recorded) {
      this.#watchLiveness();
      this.#keepAlive();
    }
    this.#options.owner.onLinkOpen(this);
  }

  #onFrame(frame: string | Uint8Array): void {
    if (!this.#receives) return;
    this.decoder.decode(frame, this.#beginFrame(), this.#emit);
    this.#endFrame();
  }

  #onText(bytes: Uint8Array): void {
    if (!this.#receives) return;
    const nowUs = this.#beginFrame();
    const isRead = this.decoder.scan?.(bytes, nowUs, this.#emit, this.#takeTick) === true;
    if (!isRead) this.decoder.decode(textOfBytes(bytes), nowUs, this.#emit);
    this.#endFrame();
  }

  /** Returns when the frame was received. */
  #beginFrame(): number {
    this.#lastAliveUs = this.#clock.monotonicUs();
    this.#owner.onLinkFrame(this);
    return this.#clock.nowUs();
  }

  #endFrame(): void {
    if (this.#refused.length > 0) this.#owner.onLinkRefused(this, this.#takeRefused());
    // A recording cannot be dialled again: there, what the frame held is lost and no more.
    if (this.#isFaulty && !this.#options.recorded) this.terminate("a frame could not be read");
  }

  #takeRefused(): readonly RefusedEvent[] {
    const refused = this.#refused;
    this.#refused = [];
    return refused;
  }

  #onAlive(): void {
    this.#lastAliveUs = this.#options.clock.monotonicUs();
    this.#pinged = false;
  }

  #onClose(reason: string): void {
    if (this.#state === "closed") return;
    this.#release();
    this.#options.owner.onLinkClosed(this, this.#closeReason ?? reason);
  }

  #onDialTimeout(): void {
    if (this.#state === "dialing") this.terminate("dial timeout");
    else if (this.#state === "greeting") this.terminate("greeting timeout");
  }

  /** After half of the allowed silence we ping; after the whole of it the connection ends. */
  #watchLiveness(): void {
    const { clock, policy, adapter } = this.#options;
    const silenceMsMax = adapter.limits.connectionSilenceMsMax;
    if (!Number.isFinite(silenceMsMax)) return;
    const intervalMs = silenceMsMax / 8;
    const heldUp = new HeldUp(intervalMs);
    let dueUs = 0;
    const arm = (): void => {
      dueUs = clock.monotonicUs() + intervalMs * 1_000;
      this.#cancelLiveness = clock.after(intervalMs, check);
    };
    const check = (): void => {
      if (this.#state !== "open") return;
      const nowUs = clock.monotonicUs();
      // What came while this process was held up is still unread.
      if (heldUp.isExcused(dueUs, nowUs)) return arm();
      const silentMs = (nowUs - this.#lastAliveUs) / 1000;
      if (this.#socket.bufferedBytes() > policy.outgoingBytesMax) {
        this.terminate("the venue does not read");
        return;
      }
      if (silentMs >= silenceMsMax) {
        this.terminate("connection silent");
        return;
      }
      if (silentMs < silenceMsMax / 2) this.#pinged = false;
      else if (!this.#pinged) {
        this.#pinged = true;
        this.#socket.ping();
      }
      arm();
    };
    arm();
  }

  #keepAlive(): void {
    const { clock, adapter, ticket } = this.#options;
    const keepAlive = adapter.keepAlive;
    if (keepAlive === undefined) return;
    const intervalMs = ticket.keepAliveIntervalMs ?? keepAlive.intervalMs;
    this.#cancelKeepAlive = clock.after(intervalMs, () => {
      this.#sendAtOnce(keepAlive.frame(this.#keepAliveSequence));
      this.#keepAliveSequence += 1;
      this.#keepAlive();
    });
  }
}
