import type { LeaseStore } from "./lease-store.ts";

/** What travels with a request besides its payload, such as the context of a trace. */
export type BusHeaders = ReadonlyMap<string, string>;

/** What a payload says, in a form that nobody has to read it for. */
export type BusContent = { readonly bytes: Uint8Array };

/**
 * A message as a subscriber sees it. The subscriber may keep `payload` as long as it likes, but
 * never writes to it: other subscribers may have been given the same bytes.
 */
export type BusMessage = {
  readonly subject: string;
  readonly payload: Uint8Array;
  /**
   * What the payload says, if whoever published it did so in this process and has it at hand.
   * Shared as the payload is; its `bytes` are the payload, by which a subscriber knows it.
   */
  readonly content?: BusContent | undefined;
  /** What a request came with, names in lower case; undefined if it came with nothing. */
  readonly headers?: BusHeaders | undefined;
  /** Whoever sent it waits for an answer. */
  readonly expectsAnswer?: boolean;
  /** Answers a request. Does nothing for a message that was merely published. */
  respond(payload: Uint8Array): void;
};

/** One subscription. Nothing is delivered after `unsubscribe()` returns. Idempotent. */
export type BusSubscription = {
  readonly pattern: string;
  unsubscribe(): void;
};

export type RequestOptions = {
  readonly timeoutMs: number;
  /** Few and short; none by default. */
  readonly headers?: BusHeaders | undefined;
};

export type BusSubscribeOptions = {
  /** Members of a group share the messages: each goes to one of them. */
  readonly queueGroup?: string;
  /**
   * Messages that may wait for this subscriber before the policy applies: the newest are dropped,
   * counted, and reported once per episode as a `slow-consumer` event. Default 65,536.
   */
  readonly pendingMessagesMax?: number;
};

/** Something that happened to the connection behind the bus. */
export type BusEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "disconnected"; readonly reason: string }
  | { readonly kind: "reconnected" }
  | { readonly kind: "slow-consumer"; readonly pattern: string; readonly dropped: number }
  | { readonly kind: "closed"; readonly reason: string };

type BusErrorCode =
  /** The bus was closed or is draining. */
  | "bus-closed"
  /** Nobody answers requests on this subject. */
  | "no-responders"
  | "request-timeout"
  | "invalid-subject"
  /** Larger than `payloadBytesMax`. */
  | "payload-too-large"
  /** While disconnected, more than the reconnect buffer holds was published. */
  | "publish-buffer-full"
  /** No server answers at the address. */
  | "connect-failed"
  /** The server refuses us, or the address is malformed. Trying again does not help. */
  | "connect-refused"
  /** Leases cannot be read or written now. */
  | "lease-unavailable";

/** How leases are kept. */
export type LeaseOptions = {
  /** Copies of them in a cluster of servers: 1, 3 or 5. */
  readonly replicas: number;
  /** For each request. */
  readonly timeoutMs: number;
};

/** What a bus offers of leases: where they are kept, or that it keeps none, as far as it knows. */
export type LeaseOffer =
  | { readonly kind: "there"; readonly leases: LeaseStore }
  /** The server keeps nothing. */
  | { readonly kind: "absent" }
  /** Nothing answered in time: the server is busy, or forbids it to us. */
  | { readonly kind: "unknown" };

/** The bus, or the network below it, failed. `cause` is for the log only. */
export class BusError extends Error {
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BusError";
    this.code = code;
  }
}

/**
 * Carries bytes between ingestors and gateways. Subjects are dot-separated tokens; in a pattern `*`
 * stands for one token and `>` for one or more at the end. Messages of one publisher on one subject
 * arrive in order. Handlers are called synchronously, one message at a time, never from within
 * `publish`.
 */
export type Bus = {
  readonly kind: "memory" | "nats";
  readonly payloadBytesMax: number;
  /**
   * More came than could be delivered in time, and some of it was dropped; false again when most of
   * what waited is delivered. Meanwhile to ask for what is missing would make it worse.
   */
  readonly isOverloaded: boolean;
  /** Messages that were dropped so far because they came faster than they were handled. */
  readonly droppedMessages: number;
  /**
   * Never blocks. The caller must not change the payload afterwards, nor `content`, which
   * subscribers of the same process get with it and nobody else. Throws BusError (`bus-closed`,
   * `invalid-subject`, `payload-too-large`, `publish-buffer-full`).
   */
  publish(subject: string, payload: Uint8Array, content?: BusContent): void;
  /** Throws BusError (`bus-closed`, `invalid-subject`). */
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options?: BusSubscribeOptions,
  ): BusSubscription;
  /**
   * The first answer. It is handed out after every message that the one who answers had published
   * before it and that reached us, so it tells what of these is missing. Rejects with BusError
   * (`no-responders`, `request-timeout`, and what `publish` throws).
   */
  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** Where leases are kept for all who share the bus; absent if nobody shares it. */
  openLeases?(options: LeaseOptions): Promise<LeaseOffer>;
  /** Resolves when everything published before has been handed to the transport's far end. */
  flush(): Promise<void>;
  /** Returns a function that removes the listener. */
  onEvent(listener: (event: BusEvent) => void): () => void;
  /** Delivers what is pending, then closes. Idempotent. */
  drain(): Promise<void>;
  /** Closes at once; pending requests reject with `bus-closed`. Idempotent. */
  close(): Promise<void>;
};
