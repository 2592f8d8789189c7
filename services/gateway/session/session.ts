import { InvariantError } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { quotedText } from "#core/visible-text.ts";
import { CloseCode } from "#wire/codes.ts";
import type { ClientRequest } from "#wire/frame-codec.ts";
import { PROTOCOL_VERSION } from "#wire/protocol.ts";
import type { Principal } from "../access/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GatewayConfig } from "../config.ts";
import type { Logger } from "#core/logger.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { ServiceTable } from "../rpc/service-table.ts";
import type { Hub } from "../topics/hub.ts";
import type { Connection, ConnectionHandler } from "../transport/transport.ts";
import { CallTable } from "./call-table.ts";
import { readClientFrame } from "./client-frame.ts";
import { FrameInbox } from "./frame-inbox.ts";
import type { InboxSpace } from "./frame-inbox.ts";
import type { Flusher } from "./outbound/flusher.ts";
import { Outbound } from "./outbound/outbound.ts";
import type { Lateness } from "./outbound/outbound.ts";
import { RateLimits } from "./rate-limits.ts";
import { SessionOutput } from "./session-output.ts";
import { stepOf } from "./session-table.ts";
import type { SessionEvent, SessionState, Step } from "./session-table.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { CatalogChange } from "./subscriptions.ts";
import type { TopicSubscription } from "./topic-subscription.ts";
import { afterReading } from "./unread-grace.ts";
import type { TurnLine, Turns } from "../turns/turns.ts";
import type { HelloMessage } from "./wire-messages.ts";

/** What every session shares. */
export type SessionParts = {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly flusher: Flusher;
  readonly hub: Hub;
  readonly catalog: Catalog;
  readonly services: ServiceTable;
  /** For what may take long. */
  readonly turns: Turns;
  readonly inboxSpace: InboxSpace;
  readonly serverVersion: string;
};

/** A session as operators see it. */
type SessionLook = {
  readonly id: string;
  readonly state: SessionState;
  /** As the client names itself; empty before it has. */
  readonly client: string;
  readonly clientVersion: string;
  readonly address: string;
  readonly principal: string;
  readonly openedTimeUs: number;
  readonly topics: number;
  readonly lagMs: number;
  readonly owedBytes: number;
  /** The client was told that it reads too slowly. */
  readonly lagging: boolean;
};

/** Whose session it is, and over what. */
type SessionOptions = {
  /** Unique in this gateway, and told to the client. */
  readonly id: string;
  readonly connection: Connection;
  readonly principal: Principal;
  /** Called once, when the connection is gone. */
  readonly onGone: (session: Session) => void;
};

/**
 * One client's logical state: its handshake, subscriptions, calls and rate, whatever carries it.
 * Everything that a client does wrong ends in a typed error or a close code; nothing that it does
 * throws. What may happen when is the table in session-table.ts; this class does what the table
 * says.
 */
export class Session implements ConnectionHandler {
  readonly id: string;
  readonly #options: SessionOptions;
  readonly #connection: Connection;
  readonly #parts: SessionParts;
  readonly #outbound: Outbound;
  readonly #output: SessionOutput;
  readonly #inbox: FrameInbox;
  /** The work of subscriptions. */
  readonly #line: TurnLine;
  /** Made when the client first asks for topics, as most that only connect never do. */
  #subscriptions: Subscriptions | undefined;
  /** Made with the first call. */
  #calls: CallTable | undefined;
  readonly #rates: RateLimits;
  readonly #cancelHelloTimer: CancelTimer;
  #state: SessionState = "awaiting-hello";
  readonly #openedTimeUs: number;
  #clientName = "";
  #clientVersion = "";
  /** The client answers probes; of any other one, pongs tell what it has received. */
  #answersProbes = false;

  constructor(options: SessionOptions, parts: SessionParts) {
    const { config, clock } = parts;
    const { id, connection } = options;
    this.id = id;
    this.#options = options;
    this.#connection = connection;
    this.#parts = parts;
    this.#openedTimeUs = clock.nowUs();
    this.#rates = new RateLimits(config, clock.monotonicUs());
    this.#outbound = new Outbound(connection, config, parts, {
      onLag: (lateness) => this.#onLag(lateness),
      onRecovered: () => this.#subscriptions?.recover(),
      onSlow: (lateness) => this.#onSlow(lateness),
      sendProbe: (number) => this.#sendProbe(number),
    });
    this.#output = new SessionOutput(this.#outbound);
    this.#inbox = new FrameInbox({
      space: parts.inboxSpace,
      line: parts.turns.open(),
      limits: config,
      read: (frame) => this.#read(frame),
    });
    this.#line = parts.turns.open();
    this.#cancelHelloTimer = afterReading(clock, config.helloTimeoutMs, () => {
      this.#fault("hello-timeout", `no Hello within ${config.helloTimeoutMs} ms`);
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** What operators see of the session; nothing in it is a secret. */
  look(nowUs: number): SessionLook {
    const { principal } = this.#options;
    return {
      id: this.id,
      state: this.#state,
      client: this.#clientName,
      clientVersion: this.#clientVersion,
      address: this.#connection.remoteAddress,
      principal: principal.kind,
      openedTimeUs: this.#openedTimeUs,
      topics: this.topics,
      lagMs: Math.floor(this.lagUs(nowUs) / 1_000),
      owedBytes: this.owedBytes,
      lagging: this.#outbound.isLagging,
    };
  }

  /** For how long the oldest thing has been owed that the client may not have. */
  lagUs(nowUs: number): number {
    return this.#outbound.lagUs(nowUs);
  }

  /** Queued for the client and buffered by the transport. */
  get owedBytes(): number {
    return this.#isOver ? 0 : this.#outbound.owedBytes;
  }

  /** Topics that the client gets. */
  get topics(): number {
    return this.#subscriptions?.size ?? 0;
  }

  hasTopic(topic: string): boolean {
    return this.#subscriptions?.has(topic) ?? false;
  }

  /** What the client is subscribed to, in the order in which it came. */
  subscriptions(): Iterable<TopicSubscription> {
    return this.#subscriptions?.all() ?? [];
  }

  onMessage(data: Uint8Array, isBinary: boolean): void {
    if (!this.#serves("frame")) return;
    const { config, metrics } = this.#parts;
    metrics.framesReceived.inc();
    if (!isBinary) {
      this.#fault("text-frame", "the protocol is binary; text frames are not understood");
      return;
    }
    if (this.#inbox.receive(data)) return;
    const { requestsPerSecondMax } = config;
    const reason = `more frames wait than requestsPerSecondMax ${requestsPerSecondMax} covers`;
    this.#fault("request-rate-exceeded", reason);
  }

  onPong(number: number): void {
    if (!this.#serves("pong") || this.#answersProbes) return;
    this.#outbound.onAnswer(number, this.#parts.clock.monotonicUs());
  }

  onDrain(): void {
    if (this.#serves("writable")) this.#outbound.onDrain();
  }

  onClose(code: number, reason: string): void {
    const by = this.#state === "closing" ? "gateway" : "client";
    this.#step("connection-gone");
    this.#release();
    // A client may send any code; only those of the schema and of RFC 6455 become labels.
    const known = code < 1016 || Object.values<number>(CloseCode).includes(code);
    this.#parts.metrics.closes.inc({ code: known ? code : "other", by });
    this.#parts.logger.info(
      { sessionId: this.id, code, reason: quotedText(reason), by },
      "session closed",
    );
    this.#options.onGone(this);
  }

  /** Tells the client that the gateway goes away, and within how long it should come back. */
  announceGoingAway(reconnectWindowMs: number): void {
    if (!this.#serves("going-away")) return;
    const message = "the gateway is shutting down";
    this.#output.notice({ kind: "NOTICE_KIND_GOING_AWAY", message, reconnectWindowMs });
  }

  /**
   * Sends what is queued and closes, because the gateway goes away. What could not be sent is
   * counted. Idempotent.
   */
  dismiss(): void {
    this.#outbound.flush(this.#parts.clock.monotonicUs());
    this.#fault("dismissed", "the gateway is shutting down");
  }

  /** Cuts the connection without a word. Idempotent. */
  terminate(): void {
    if (!this.#serves("cut")) return;
    this.#release();
    this.#connection.terminate();
  }

  /** Instruments came, or are streamed on other channels; others are gone. */
  onCatalogChanged(change: CatalogChange): void {
    if (this.#serves("catalog-changed")) this.#subscriptions?.onCatalogChanged(change);
  }

  get #isOver(): boolean {
    return this.#state === "closing" || this.#state === "closed";
  }

  /** Moves the session on and says what follows from the event. */
  #step(event: SessionEvent): Step {
    const step = stepOf(this.#state, event);
    if (step === undefined) {
      throw new InvariantError(`${event} cannot happen to a session that is ${this.#state}`);
    }
    if (step.does === "nothing") return step;
    if (this.#state === "awaiting-hello" && step.next !== "awaiting-hello") {
      this.#cancelHelloTimer();
    }
    this.#state = step.next;
    return step;
  }

  #serves(event: SessionEvent): boolean {
    return this.#step(event).does === "serve";
  }

  /** Closes with the code that the table has for the event. */
  #fault(event: SessionEvent, reason: string): void {
    const step = this.#step(event);
    if (step.does === "close") this.#close(step.code, reason);
  }

  /** The state is `closing` already, because the transport calls onClose from within close. */
  #close(code: CloseCode, reason: string): void {
    this.#release();
    this.#connection.close(code, reason);
  }

  /** Ends everything that could still send something. Idempotent. */
  #release(): void {
    this.#inbox.close();
    this.#outbound.close();
    this.#subscriptions?.close();
    this.#calls?.closeAll();
  }

  /** Does what a frame asks for. */
  #read(frame: Uint8Array): void {
    const { config, clock } = this.#parts;
    const reading = readClientFrame(frame, config, this.#rates, clock.monotonicUs());
    if (reading.kind === "fault") {
      this.#fault(reading.event, reading.reason);
      return;
    }
    for (const request of reading.requests) {
      this.#onRequest(request);
      if (this.#isOver) return;
    }
  }

  #onRequest(request: ClientRequest): void {
    if (!this.#rates.takeRequest(request.kind, this.#parts.clock.monotonicUs())) {
      const { requestsPerSecondMax } = this.#parts.config;
      const reason = `more than requestsPerSecondMax ${requestsPerSecondMax} requests a second`;
      this.#fault("request-rate-exceeded", reason);
      return;
    }
    if (request.kind === "hello") {
      this.#onHello(request.value);
      return;
    }
    const step = this.#step(request.kind);
    if (step.does === "close") this.#close(step.code, `${request.kind} before hello`);
    else if (step.does === "serve") this.#serve(request);
  }

  #serve(request: Exclude<ClientRequest, { kind: "hello" }>): void {
    const { clock } = this.#parts;
    switch (request.kind) {
      case "subscribe":
        if (this.#hasRoom()) this.#topics().subscribe(request.value);
        return;
      case "unsubscribe":
        if (this.#hasRoom()) this.#topics().unsubscribe(request.value);
        return;
      case "update":
        if (this.#hasRoom()) this.#topics().update(request.value);
        return;
      case "call":
        this.#calls ??= this.#makeCalls();
        if (this.#calls.start(request.value)) return;
        this.#fault("call-id-not-rising", `call_id ${request.value.callId} is not rising`);
        return;
      case "cancel":
        this.#calls?.cancel(request.value.callId);
        return;
      case "credit":
        this.#calls?.credit(request.value.callId, request.value.credits);
        return;
      case "ping":
        this.#output.pong(request.value.nonce, clock.nowUs());
        return;
      case "probeAnswer":
        if (this.#answersProbes) this.#outbound.onAnswer(request.value.number, clock.monotonicUs());
        return;
    }
  }

  #topics(): Subscriptions {
    if (this.#subscriptions !== undefined) return this.#subscriptions;
    const { clock, config } = this.#parts;
    const takeTopics = (topics: number): boolean =>
      this.#rates.takeTopics(topics, clock.monotonicUs());
    const onTooManyTopics = (): void => this.#onTooManyTopics();
    const own = { limits: config, takeTopics, onTooManyTopics, line: this.#line };
    this.#subscriptions = new Subscriptions({ ...this.#parts, ...own }, this.#output);
    return this.#subscriptions;
  }

  #makeCalls(): CallTable {
    const { clock, config, logger, turns } = this.#parts;
    const { remoteAddress } = this.#connection;
    const onInternalError = (method: string, error: unknown): void => {
      logger.error({ sessionId: this.id, method, error }, "an RPC failed with an internal error");
    };
    const takeRequests = (requests: number): boolean =>
      this.#rates.takeWork(requests, clock.monotonicUs());
    const own = {
      limits: config,
      remoteAddress,
      onInternalError,
      takeRequests,
      line: turns.open(),
    };
    return new CallTable({ ...this.#parts, ...own }, this.#output);
  }

  /** Closes if as many requests wait for their turns as may come in a second. */
  #hasRoom(): boolean {
    const { requestsPerSecondMax } = this.#parts.config;
    if (this.#line.waiting <= requestsPerSecondMax) return true;
    const reason = `more than requestsPerSecondMax ${requestsPerSecondMax} requests wait`;
    this.#fault("request-rate-exceeded", reason);
    return false;
  }

  #onTooManyTopics(): void {
    const { topicsPerSecondMax } = this.#parts.config;
    const reason = `more than topicsPerSecondMax ${topicsPerSecondMax} topics named a second`;
    this.#fault("topic-rate-exceeded", reason);
  }

  #onHello(hello: HelloMessage): void {
    const isFirst = this.#state === "awaiting-hello";
    const isKnown = hello.protocolVersion === PROTOCOL_VERSION;
    const step = this.#step(isKnown ? "hello" : "unknown-version");
    if (step.does === "close") {
      const version = `protocol version ${hello.protocolVersion} is not ${PROTOCOL_VERSION}`;
      this.#close(step.code, isFirst ? version : "a second hello");
    } else if (step.does === "serve") {
      this.#outbound.compress = hello.acceptCompression && this.#connection.compressionNegotiated;
      this.#answersProbes = hello.answersProbes;
      this.#clientName = quotedText(hello.clientName);
      this.#clientVersion = quotedText(hello.clientVersion);
      this.#logOpened();
      this.#welcome();
    }
  }

  #logOpened(): void {
    this.#parts.logger.info(
      {
        sessionId: this.id,
        principal: this.#options.principal.kind,
        clientName: this.#clientName,
        clientVersion: this.#clientVersion,
        remoteAddress: this.#connection.remoteAddress,
        compression: this.#outbound.compress,
      },
      "session opened",
    );
  }

  #welcome(): void {
    const { config, clock, serverVersion } = this.#parts;
    this.#output.welcome({
      protocolVersion: PROTOCOL_VERSION,
      sessionId: this.id,
      serverVersion,
      serverTimeUs: clock.nowUs(),
      limits: {
        frameBytesMax: config.frameBytesMax,
        subscriptionsMax: config.subscriptionsMax,
        topicsPerRequestMax: config.topicsPerRequestMax,
        concurrentCallsMax: config.concurrentCallsMax,
        requestsPerSecondMax: config.requestsPerSecondMax,
      },
    });
  }

  #sendProbe(number: number): boolean {
    if (!this.#answersProbes) return this.#connection.ping(number);
    this.#output.probe(number);
    return true;
  }

  #onLag({ owedBytes, lagMs }: Lateness): void {
    if (!this.#serves("lagging")) return;
    const { metrics, config, logger } = this.#parts;
    const { outboundBytesMax, lagMsMax } = config;
    metrics.lagNotices.inc();
    logger.warn({ sessionId: this.id, owedBytes, lagMs }, "session reads too slowly");
    const message =
      `${owedBytes} bytes are waiting, the oldest for ${lagMs} ms; ` +
      `above ${outboundBytesMax} bytes events are given up, above ${lagMsMax} ms this closes`;
    this.#output.urgentNotice({ kind: "NOTICE_KIND_LAG", message, lagMs, owedBytes });
    this.#subscriptions?.lag("events-wait");
  }

  #onSlow({ owedBytes, lagMs }: Lateness): void {
    const { metrics, config } = this.#parts;
    const { outboundBytesMax, lagMsMax } = config;
    const isLate = lagMs > lagMsMax;
    if (!isLate && this.#owesLess()) return;
    metrics.slowConsumers.inc({ limit: isLate ? "lagMsMax" : "outboundBytesMax" });
    const reason = isLate
      ? `${lagMs} ms behind exceed lagMsMax ${lagMsMax}`
      : `${owedBytes} bytes waiting exceed outboundBytesMax ${outboundBytesMax}`;
    this.#fault("too-slow", reason);
  }

  /** Gives up events that wait, which the client is told. False if that is not enough. */
  #owesLess(): boolean {
    this.#subscriptions?.lag("events-go");
    return this.#outbound.owedBytes <= this.#parts.config.outboundBytesMax;
  }
}
