import {
  headers as createHeaders,
  ConnectionError,
  RequestError,
  TimeoutError,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Subscription as NatsSubscription,
} from "@nats-io/transport-node";
import {
  BusError,
  type Bus,
  type BusEvent,
  type BusHeaders,
  type BusMessage,
  type BusSubscribeOptions,
  type BusSubscription,
  type LeaseOffer,
  type LeaseOptions,
  type RequestOptions,
} from "./bus.ts";
import {
  checkPattern,
  checkSize,
  checkSubject,
  closedError,
  requestTimeout,
} from "./bus-errors.ts";
import {
  DeliveryQueue,
  DeliveryTarget,
  PENDING_MESSAGES_MAX,
  type HandlerErrorListener,
  type Schedule,
} from "./delivery-queue.ts";
import {
  openNatsConnection,
  type NatsConnectionOptions,
  type ReconnectAttempts,
} from "./nats-connection.ts";
import { ConfirmationWindow, publishedBytes, ReconnectBuffer } from "./publish-window.ts";
import { hasWildcard } from "./subject.ts";

export type NatsBusOptions = NatsConnectionOptions & {
  /** What may be published while disconnected; beyond it `publish` throws. Default 8 MiB. */
  readonly reconnectBufferBytesMax?: number;
  /**
   * What may be published before the server confirms it; beyond it `publish` throws. Default 64
   * MiB.
   */
  readonly unconfirmedBytesMax?: number;
  /** When messages are delivered; default setImmediate. */
  readonly schedule?: Schedule;
  /** Without it, what a handler throws becomes an uncaught exception. */
  readonly onHandlerError?: HandlerErrorListener;
  /** The server refused something, such as a subscription that permissions forbid. */
  readonly onServerError?: (error: Error) => void;
};

const RECONNECT_BUFFER_BYTES_MAX = 8 * 1_048_576;
const UNCONFIRMED_BYTES_MAX = 64 * 1_048_576;

/** Subjects known to be well-formed; at the limit all are forgotten. */
const CHECKED_SUBJECTS_MAX = 100_000;

const PAYLOAD_BYTES_MAX = 1_048_576;

/**
 * Connects to a NATS server and keeps reconnecting to it. Rejects with BusError: `connect-failed`
 * if no server can be reached, `connect-refused` if one refuses us or an address is malformed.
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const attempts: ReconnectAttempts = { count: 0 };
  const connection = await openNatsConnection(options, attempts);
  return new NatsBus(connection, options, attempts);
}

class Subscription extends DeliveryTarget {
  /** Set right after construction: the client wants the callback first. */
  source: NatsSubscription | undefined;
}

class Message implements BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly #source: Msg;
  readonly #bus: { answer(subject: string, payload: Uint8Array): void };

  constructor(
    subject: string,
    source: Msg,
    bus: { answer(subject: string, payload: Uint8Array): void },
  ) {
    this.subject = subject;
    this.payload = copied(source.data);
    this.#source = source;
    this.#bus = bus;
  }

  get headers(): BusHeaders | undefined {
    const { headers } = this.#source;
    if (headers === undefined) return undefined;
    return new Map(headers.keys().map((name) => [name.toLowerCase(), headers.get(name)]));
  }

  get expectsAnswer(): boolean {
    const { reply } = this.#source;
    return reply !== undefined && reply !== "";
  }

  respond(payload: Uint8Array): void {
    // Decoded here and not before: most messages are never answered.
    const { reply } = this.#source;
    if (reply !== undefined && reply !== "") this.#bus.answer(reply, payload);
  }
}

class NatsBus implements Bus {
  readonly kind = "nats";
  readonly #connection: NatsConnection;
  readonly #attempts: ReconnectAttempts;
  readonly #queue: DeliveryQueue;
  readonly #subscriptions = new Set<Subscription>();
  readonly #listeners = new Set<(event: BusEvent) => void>();
  readonly #checkedSubjects = new Set<string>();
  readonly #reconnectBuffer: ReconnectBuffer;
  readonly #window: ConfirmationWindow;
  readonly #onServerError: ((error: Error) => void) | undefined;
  readonly #port = {
    answer: (subject: string, payload: Uint8Array): void => {
      if (this.#state === "closed") return;
      checkSize(payload, this.#payloadBytesMax);
      this.#send(subject, payload);
    },
  };
  #connected = true;
  #whenConnected: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #payloadBytesMax: number;
  #state: "open" | "draining" | "closed" = "open";
  #draining: Promise<void> | undefined;

  constructor(connection: NatsConnection, options: NatsBusOptions, attempts: ReconnectAttempts) {
    this.#connection = connection;
    this.#attempts = attempts;
    this.#payloadBytesMax = connection.info?.max_payload ?? PAYLOAD_BYTES_MAX;
    this.#reconnectBuffer = new ReconnectBuffer({
      bytesMax: options.reconnectBufferBytesMax ?? RECONNECT_BUFFER_BYTES_MAX,
    });
    this.#window = new ConfirmationWindow({
      bytesMax: options.unconfirmedBytesMax ?? UNCONFIRMED_BYTES_MAX,
      confirm: () => connection.flush(),
    });
    this.#onServerError = options.onServerError;
    this.#queue = new DeliveryQueue({
      monotonicUs: () => performance.now() * 1_000,
      schedule: options.schedule ?? ((run) => void setImmediate(run)),
      onHandlerError: options.onHandlerError,
      onSlowConsumer: (pattern, dropped) => this.#tell({ kind: "slow-consumer", pattern, dropped }),
    });
    // Neither can reject: the iterator ends with the connection, and closed() resolves with the
    // error.
    void this.#watch();
    void connection.closed().then((error) => {
      this.#shut(error instanceof Error ? error.message : "closed");
    });
  }

  get payloadBytesMax(): number {
    return this.#payloadBytesMax;
  }

  get isOverloaded(): boolean {
    return this.#queue.isDropping;
  }

  get droppedMessages(): number {
    return this.#queue.dropped;
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#checkOpen();
    this.#checkSubject(subject);
    checkSize(payload, this.#payloadBytesMax);
    this.#send(subject, payload);
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options: BusSubscribeOptions = {},
  ): BusSubscription {
    this.#checkOpen();
    checkPattern(pattern);
    const subscription: Subscription = new Subscription({
      pattern,
      handler,
      pendingMax: options.pendingMessagesMax ?? PENDING_MESSAGES_MAX,
      remove: () => {
        this.#subscriptions.delete(subscription);
        subscription.source?.unsubscribe();
      },
    });
    const exact = !hasWildcard(pattern);
    subscription.source = this.#connection.subscribe(pattern, {
      ...(options.queueGroup === undefined ? {} : { queue: options.queueGroup }),
      callback: (error, message) => {
        if (error instanceof Error) this.#onServerError?.(error);
        else {
          // The client decodes a subject anew for each message.
          const subject = exact ? pattern : message.subject;
          this.#queue.push(subscription, new Message(subject, message, this.#port));
        }
      },
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async request(
    subject: string,
    payload: Uint8Array,
    options: RequestOptions,
  ): Promise<Uint8Array> {
    this.#checkOpen();
    this.#checkSubject(subject);
    checkSize(payload, this.#payloadBytesMax);
    const { timeoutMs } = options;
    const deadlineMs = performance.now() + timeoutMs;
    if (!this.#connected) await this.#connectedWithin(timeoutMs);
    const restMs = deadlineMs - performance.now();
    if (this.#state === "closed") throw closedError();
    if (!this.#connected || restMs < 1) throw requestTimeout(subject, timeoutMs);
    try {
      const headers =
        options.headers === undefined ? {} : { headers: natsHeaders(options.headers) };
      const asked = { timeout: restMs, ...headers };
      const reply = await this.#connection.request(subject, payload, asked);
      const answer = copied(reply.data);
      // The client hands an answer out at once; messages that came before it may still wait here.
      await this.#queue.whenDelivered();
      return answer;
    } catch (cause) {
      throw this.#requestError(cause, subject, timeoutMs);
    }
  }

  async openLeases(options: LeaseOptions): Promise<LeaseOffer> {
    // Most processes hold no lease, and need nothing of JetStream.
    const { findJetStream, JetStreamLeases } = await import("./jetstream-leases.ts");
    const kind = await findJetStream(this.#connection, options.timeoutMs);
    if (kind !== "there") return { kind };
    return { kind, leases: new JetStreamLeases(this.#connection, options) };
  }

  async flush(): Promise<void> {
    if (this.#state === "closed") throw closedError();
    while (!this.#connected) await this.#reconnection();
    try {
      await this.#connection.flush();
    } catch (cause) {
      if (this.#isClosed()) throw closedError(cause);
      // The connection broke: what was on its way is lost or will be sent again; ask the next one.
      await this.flush();
    }
  }

  onEvent(listener: (event: BusEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  drain(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      this.#draining = this.#drain();
    }
    return this.#draining ?? Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#shut("closed");
    await this.#connection.close();
  }

  async #drain(): Promise<void> {
    // While disconnected nothing can arrive, and what is buffered cannot leave.
    if (this.#connected) {
      await Promise.allSettled([...this.#subscriptions].map(async ({ source }) => source?.drain()));
    }
    await this.#queue.whenDelivered();
    if (this.#connected && !this.#isClosed()) {
      // A connection that breaks now ends the draining just as well.
      await Promise.allSettled([this.#connection.flush()]);
    }
    if (this.#isClosed()) return;
    this.#shut("drained");
    await this.#connection.close();
  }

  /** TypeScript would narrow the field across an await. */
  #isClosed(): boolean {
    return this.#state === "closed";
  }

  #shut(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const subscription of this.#subscriptions) subscription.closed = true;
    this.#subscriptions.clear();
    this.#queue.clear();
    this.#reconnectBuffer.clear();
    this.#whenConnected?.resolve();
    this.#tell({ kind: "closed", reason });
    this.#listeners.clear();
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      switch (status.type) {
        case "disconnect":
          this.#onDisconnect(status.server);
          break;
        case "reconnecting":
          this.#attempts.count++;
          break;
        case "reconnect":
          this.#onReconnect();
          break;
        case "error":
          this.#onServerError?.(status.error);
          break;
        case "close":
        case "forceReconnect":
        case "ldm":
        case "ping":
        case "slowConsumer":
        case "staleConnection":
        case "update":
          break;
      }
    }
  }

  #onDisconnect(server: string): void {
    if (!this.#connected || this.#state === "closed") return;
    this.#connected = false;
    this.#attempts.count = 0;
    this.#window.reset();
    this.#tell({ kind: "disconnected", reason: `lost the connection to ${server}` });
  }

  #onReconnect(): void {
    if (this.#state === "closed") return;
    this.#connected = true;
    this.#attempts.count = 0;
    this.#payloadBytesMax = this.#connection.info?.max_payload ?? this.#payloadBytesMax;
    this.#reconnectBuffer.drain((subject, payload) => {
      // The new server may allow less than the one before.
      if (payload.length <= this.#payloadBytesMax) this.#connection.publish(subject, payload);
    });
    this.#whenConnected?.resolve();
    this.#whenConnected = undefined;
    this.#tell({ kind: "reconnected" });
  }

  #send(subject: string, payload: Uint8Array): void {
    if (!this.#connected) {
      // The client drops what is published while it reconnects, so it is kept here.
      this.#reconnectBuffer.push(subject, payload);
      return;
    }
    const bytes = publishedBytes(subject, payload);
    this.#window.check(bytes);
    this.#connection.publish(subject, payload);
    this.#window.add(bytes);
  }

  #reconnection(): Promise<void> {
    if (this.#state === "closed") return Promise.reject(closedError());
    if (this.#whenConnected === undefined) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#whenConnected = { promise, resolve };
    }
    return this.#whenConnected.promise;
  }

  async #connectedWithin(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const elapsed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#reconnection(), elapsed]);
    clearTimeout(timer);
  }

  #requestError(cause: unknown, subject: string, timeoutMs: number): BusError {
    if (this.#isClosed()) return closedError(cause);
    if (cause instanceof TimeoutError) return requestTimeout(subject, timeoutMs, cause);
    if (cause instanceof RequestError && cause.isNoResponders()) {
      return new BusError("no-responders", `nobody answers on ${subject}`, { cause });
    }
    if (cause instanceof ConnectionError || cause instanceof RequestError) {
      return new BusError("request-timeout", `the request on ${subject} was lost`, { cause });
    }
    return new BusError("bus-closed", `the request on ${subject} failed`, { cause });
  }

  #checkOpen(): void {
    if (this.#state !== "open") throw closedError();
  }

  #checkSubject(subject: string): void {
    if (this.#checkedSubjects.has(subject)) return;
    checkSubject(subject);
    if (this.#checkedSubjects.size >= CHECKED_SUBJECTS_MAX) this.#checkedSubjects.clear();
    this.#checkedSubjects.add(subject);
  }

  #tell(event: BusEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/**
 * The client hands out views of what it read from the socket, up to 64 KiB at once: whoever keeps
 * 40 bytes of it would keep all of it alive.
 */
function copied(data: Uint8Array): Uint8Array {
  return new Uint8Array(data);
}

function natsHeaders(given: BusHeaders): MsgHdrs {
  const made = createHeaders();
  for (const [name, value] of given) made.set(name, value);
  return made;
}
