import type { CancelTimer, Clock } from "#core/clock.ts";
import type { FeedAdapter, FeedDecoder, FeedEvent } from "../feed-adapter.ts";
import type { FeedPolicy } from "../feed-policy.ts";
import { RequestPacer } from "../rest/request-pacer.ts";
import type { FeedDialer, FeedSocket } from "./web-socket-dialer.ts";

export type FeedLinkOptions = {
  readonly url: string;
  readonly adapter: FeedAdapter;
  readonly decoder: FeedDecoder;
  readonly dialer: FeedDialer;
  readonly clock: Clock;
  readonly policy: FeedPolicy;
  /** In place of the adapter's keep-alive interval. */
  readonly keepAliveIntervalMs?: number | undefined;
  /**
   * A recording ends when it says so, does not wait to be greeted, and nothing is sent on it: it
   * holds what its own client sent.
   */
  readonly recorded: boolean;
  readonly owner: FeedLinkOwner;
};

/** What a session hears of; the rest is between the link and the venue. */
export type FeedLinkEvent = Exclude<FeedEvent, { kind: "reply" | "ready" }>;

/** What a link tells its session. */
export type FeedLinkOwner = {
  /** Frames may be sent: the connection is open, and the venue has greeted if it does so. */
  onLinkOpen(link: FeedLink): void;
  onLinkFrame(link: FeedLink): void;
  onLinkEvent(link: FeedLink, event: FeedLinkEvent): void;
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
  readonly #socket: FeedSocket;
  readonly #pacer: RequestPacer;
  readonly #emit: (event: FeedEvent) => void;
  #state: "dialing" | "greeting" | "open" | "closed" = "dialing";
  #lastAliveUs: number;
  #pinged = false;
  #keepAliveSequence = 0;
  #cancelLiveness: CancelTimer | undefined;
  #cancelKeepAlive: CancelTimer | undefined;
  #closeReason: string | undefined;

  constructor(options: FeedLinkOptions) {
    this.#options = options;
    this.decoder = options.decoder;
    const { clock, policy, adapter, owner } = options;
    this.#emit = (event) => {
      if (event.kind === "reply") this.#sendAtOnce(event.frame);
      else if (event.kind === "ready") this.#onReady();
      else owner.onLinkEvent(this, event);
    };
    this.#lastAliveUs = clock.nowUs();
    this.#pacer = new RequestPacer({
      limit: adapter.limits.outgoingFrames,
      clock,
      waitingMax: policy.outgoingFramesWaitingMax,
    });
    this.#cancelLiveness = clock.after(policy.dialTimeoutMs, () => this.#onDialTimeout());
    this.#socket = options.dialer.dial(options.url, {
      onOpen: () => this.#onOpen(),
      onFrame: (frame) => this.#onFrame(frame),
      onPing: () => this.#onAlive(),
      onPong: () => this.#onAlive(),
      onClose: (code, reason) => this.#onClose(`closed ${code} ${reason}`.trim()),
      onError: (message) => {
        this.#closeReason ??= message;
      },
    });
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /**
   * Sends the frames in the venue's pace, in order. A venue that lets too many wait loses the
   * connection.
   */
  send(frames: readonly string[]): void {
    if (this.#state !== "open" || this.#options.recorded) return;
    for (const frame of frames) {
      if (!this.#pacer.submit(1, () => this.#sendNow(frame))) {
        this.terminate("too many frames wait for the venue's pace");
        return;
      }
    }
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
   * For what loses the connection if it is late: it does not wait behind subscriptions, which are
   * slowed down for it instead.
   */
  #sendAtOnce(frame: string): void {
    const canSend = this.#state === "greeting" || this.#state === "open";
    if (!canSend || this.#options.recorded) return;
    this.#pacer.spend(1);
    this.#sendNow(frame);
  }

  #sendNow(frame: string): void {
    this.decoder.sent?.(frame);
    this.#socket.send(frame);
  }

  #release(): void {
    this.#state = "closed";
    this.#pacer.close();
    this.#cancelLiveness?.();
    this.#cancelKeepAlive?.();
  }

  #onOpen(): void {
    if (this.#state !== "dialing") return;
    const { adapter, recorded } = this.#options;
    this.#state = "greeting";
    this.#onAlive();
    // The dial timeout runs on until the greeting.
    if (adapter.greets !== true || recorded) this.#onReady();
  }

  #onReady(): void {
    if (this.#state !== "greeting") return;
    this.#state = "open";
    this.#cancelLiveness?.();
    if (!this.#options.recorded) {
      this.#watchLiveness();
      this.#keepAlive();
    }
    this.#options.owner.onLinkOpen(this);
  }

  #onFrame(frame: string | Uint8Array): void {
    if (this.#state !== "open" && this.#state !== "greeting") return;
    const nowUs = this.#options.clock.nowUs();
    this.#lastAliveUs = nowUs;
    this.#options.owner.onLinkFrame(this);
    this.decoder.decode(frame, nowUs, this.#emit);
  }

  #onAlive(): void {
    this.#lastAliveUs = this.#options.clock.nowUs();
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

  /**
   * Half of the allowed silence is answered by a ping of ours; the whole of it ends the connection.
   */
  #watchLiveness(): void {
    const { clock, policy, adapter } = this.#options;
    const silenceMsMax = adapter.limits.connectionSilenceMsMax;
    if (!Number.isFinite(silenceMsMax)) return;
    const check = (): void => {
      if (this.#state !== "open") return;
      const silentMs = (clock.nowUs() - this.#lastAliveUs) / 1000;
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
      this.#cancelLiveness = clock.after(silenceMsMax / 8, check);
    };
    this.#cancelLiveness = clock.after(silenceMsMax / 8, check);
  }

  #keepAlive(): void {
    const { clock, adapter } = this.#options;
    const keepAlive = adapter.keepAlive;
    if (keepAlive === undefined) return;
    const intervalMs = this.#options.keepAliveIntervalMs ?? keepAlive.intervalMs;
    this.#cancelKeepAlive = clock.after(intervalMs, () => {
      this.#sendAtOnce(keepAlive.frame(this.#keepAliveSequence));
      this.#keepAliveSequence += 1;
      this.#keepAlive();
    });
  }
}
