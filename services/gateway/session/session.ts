import { InvariantError } from "#core/assert.ts";
import type { CancelTimer } from "#core/clock.ts";
import { quotedText } from "#core/visible-text.ts";
import { CloseCode } from "#wire/codes.ts";
import type { ClientRequest } from "#wire/frame-codec.ts";
import { PROTOCOL_VERSION } from "#wire/protocol.ts";
import type { Credentials } from "../access/credentials.ts";
import type { Connection, ConnectionHandler } from "../transport/transport.ts";
import { bandwidthBound } from "./bandwidth/bandwidth-bound.ts";
import { readClientFrame } from "./client-frame.ts";
import { FrameInbox } from "./frame-inbox.ts";
import { Outbound } from "./outbound/outbound.ts";
import { SessionAccess } from "./session-access.ts";
import { SessionOutput } from "./session-output.ts";
import type { RequestVerdict } from "./rate-limits.ts";
import type { SessionParts } from "./session-parts.ts";
import { SessionRequests } from "./session-requests.ts";
import { SlowReader } from "./slow-reader.ts";
import { stepOf } from "./session-table.ts";
import type { SessionEvent, SessionState, Step } from "./session-table.ts";
import type { SessionLook } from "./session-look.ts";
import type { CatalogChange, Subscriptions } from "./subscriptions.ts";
import { afterReading } from "./unread-grace.ts";
import { welcomeOf } from "./welcome.ts";
import type { HelloMessage } from "./wire-messages.ts";

/** What a client may ask for before it is known who it is; more closes. */
const HELD_REQUESTS_MAX = 1_000;
/** What is held was judged when it came. */
const SERVED: RequestVerdict = { does: "serve" };

/** Whose session it is, and over what. */
type SessionOptions = {
  /** Unique in this gateway, and told to the client. */
  readonly id: string;
  readonly connection: Connection;
  /** What the client has shown so far of who it is. */
  readonly credentials: Credentials;
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
  readonly #requests: SessionRequests;
  readonly #access: SessionAccess;
  /** Asked for while it is being found out who the client is. */
  #held: ClientRequest[] = [];
  #hello: HelloMessage | undefined;
  /** Undefined when it is over, because a timer is kept by whoever could cancel it. */
  #cancelHelloTimer: CancelTimer | undefined;
  #state: SessionState = "awaiting-hello";
  readonly #openedTimeUs: number;
  /** As the client named itself. */
  #client = { client: "", clientVersion: "" };
  /** The client answers probes; of any other one, pongs tell what it has received. */
  #answersProbes = false;
  /** Market data, as the client and the operator want it at most; 0 is no bound. */
  #bandwidthBytesPerSecondMax = 0;

  constructor(options: SessionOptions, parts: SessionParts) {
    const { config, clock } = parts;
    const { id, connection } = options;
    this.id = id;
    this.#options = options;
    this.#connection = connection;
    this.#parts = parts;
    this.#openedTimeUs = clock.nowUs();
    const slow = this.#createSlowReader();
    this.#outbound = new Outbound(connection, config, parts, {
      onLag: (lateness) => slow.onLag(lateness),
      onRecovered: () => slow.onRecovered(),
      onSlow: (lateness) => slow.onSlow(lateness),
      sendProbe: (number) => this.#sendProbe(number),
    });
    this.#output = new SessionOutput(this.#outbound);
    const { inboxSpace: space, turns } = parts;
    const read = (frame: Uint8Array): void => this.#read(frame);
    this.#inbox = new FrameInbox({ space, line: turns.open(), limits: config, read });
    this.#access = this.#createAccess();
    this.#requests = this.#createRequests();
    this.#cancelHelloTimer = afterReading(clock, config.helloTimeoutMs, () => {
      this.#fault("hello-timeout", `no Hello within ${config.helloTimeoutMs} ms`);
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** What operators see of the session; nothing in it is a secret. */
  look(nowUs: number): SessionLook {
    const { id, owedBytes } = this;
    return {
      ...this.#client,
      id,
      state: this.#state,
      address: this.#connection.remoteAddress,
      principal: this.#access.known?.id ?? "",
      openedTimeUs: this.#openedTimeUs,
      topics: this.#requests.subscriptions?.size ?? 0,
      lagMs: Math.floor(this.lagUs(nowUs) / 1_000),
      owedBytes,
      lagging: this.#outbound.isLagging,
    };
  }

  /** For how long the oldest thing has been owed that the client may not have. */
  lagUs(nowUs: number): number {
    return this.#outbound.lagUs(nowUs);
  }

  get owedBytes(): number {
    return this.#isOver ? 0 : this.#outbound.owedBytes;
  }

  /** The topics that the client gets; undefined before it asked for any. */
  get subscribed(): Pick<Subscriptions, "size" | "has" | "all"> | undefined {
    return this.#requests.subscriptions;
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

  get callsInFlight(): number {
    return this.#requests.callsInFlight;
  }

  /** Refuses calls from now on, so that those under way are the last. */
  refuseCalls(): void {
    this.#requests.refuseCalls();
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

  /** Keys or tokens were revoked, or roles have changed. */
  reviewAccess(): void {
    this.#access.review();
  }

  /** Instruments came, or are streamed on other channels; others are gone. */
  onCatalogChanged(change: CatalogChange): void {
    if (!this.#serves("catalog-changed")) return;
    this.#requests.subscriptions?.onCatalogChanged(change);
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
      this.#endHelloTimer();
    }
    this.#state = step.next;
    return step;
  }

  #endHelloTimer(): void {
    this.#cancelHelloTimer?.();
    this.#cancelHelloTimer = undefined;
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
    this.#access.close();
    this.#held = [];
    this.#outbound.close();
    this.#requests.close();
  }

  /** Does what a frame asks for. */
  #read(frame: Uint8Array): void {
    const { config, clock } = this.#parts;
    const reading = readClientFrame(frame, config, this.#requests.rates, clock.monotonicUs());
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
    const nowUs = this.#parts.clock.monotonicUs();
    // A call is judged with what its principal may ask for.
    const verdict =
      request.kind === "call" ? SERVED : this.#requests.rates.judgeRequest(request.kind, nowUs);
    if (!this.#access.isChecking) this.#onAdmitted(request, verdict);
    // Everything waits in its order until it is known who the client is.
    else if (verdict.does !== "serve" || this.#held.push(request) > HELD_REQUESTS_MAX) {
      this.#fault(
        "request-rate-exceeded",
        `more than ${HELD_REQUESTS_MAX} requests before Welcome`,
      );
    }
  }

  #onAdmitted(request: ClientRequest, verdict: RequestVerdict): void {
    if (request.kind === "hello") {
      this.#onHello(request.value);
      return;
    }
    const step = this.#step(request.kind);
    if (step.does === "close") this.#close(step.code, `${request.kind} before hello`);
    else if (step.does === "serve") this.#requests.serve(request, verdict);
  }

  #onHello(hello: HelloMessage): void {
    const isFirst = this.#state === "awaiting-hello";
    const isKnown = hello.protocolVersion === PROTOCOL_VERSION;
    if (isFirst && isKnown) {
      this.#endHelloTimer();
      this.#hello = hello;
      this.#access.hello(hello.accessToken);
      return;
    }
    const step = this.#step(isKnown ? "hello" : "unknown-version");
    if (step.does !== "close") return;
    const version = `protocol version ${hello.protocolVersion} is not ${PROTOCOL_VERSION}`;
    this.#close(step.code, isFirst ? version : "a second hello");
  }

  /** It is known who the client is, and it is let in. */
  #onWelcome(): void {
    const hello = this.#hello;
    // A session that closed meanwhile hears nothing more of its access.
    if (hello === undefined || !this.#serves("hello")) return;
    this.#hello = undefined;
    this.#outbound.compress = hello.acceptCompression && this.#connection.compressionNegotiated;
    this.#outbound.mayCut = hello.acceptsParts;
    this.#answersProbes = hello.answersProbes;
    const { config } = this.#parts;
    this.#bandwidthBytesPerSecondMax = bandwidthBound(hello, config, this.#access.principal);
    const { clientName, clientVersion } = hello;
    this.#client = { client: quotedText(clientName), clientVersion: quotedText(clientVersion) };
    this.#logOpened();
    const own = {
      sessionId: this.id,
      bandwidthBytesPerSecondMax: this.#bandwidthBytesPerSecondMax,
    };
    this.#output.welcome(welcomeOf(this.#parts, own));
    this.#access.announce();
    for (const request of this.#held.splice(0))
      if (!this.#isOver) this.#onAdmitted(request, SERVED);
  }

  #createAccess(): SessionAccess {
    // Named one by one, here and below: a copy of all parts takes as much as ten subscriptions.
    const { access, clock, logger, metrics, accounts, config } = this.#parts;
    return new SessionAccess({
      access,
      clock,
      logger,
      metrics,
      accounts,
      config: config.access,
      sessionId: this.id,
      credentials: this.#options.credentials,
      onWelcome: () => this.#onWelcome(),
      onReplaced: () => this.#requests.subscriptions?.review(),
      onFault: (event, reason) => this.#fault(event, reason),
      tell: (message) => this.#output.access(message),
    });
  }

  #createRequests(): SessionRequests {
    return new SessionRequests(this.#parts, {
      id: this.id,
      remoteAddress: this.#connection.remoteAddress,
      output: this.#output,
      access: this.#access,
      bandwidthBytesPerSecondMax: () => this.#bandwidthBytesPerSecondMax,
      onProbeAnswer: (number) => {
        const { clock } = this.#parts;
        if (this.#answersProbes) this.#outbound.onAnswer(number, clock.monotonicUs());
      },
      fault: (event, reason) => this.#fault(event, reason),
    });
  }

  #createSlowReader(): SlowReader {
    const { config, metrics, logger } = this.#parts;
    return new SlowReader({
      config,
      metrics,
      logger,
      sessionId: this.id,
      output: () => this.#output,
      subscriptions: () => this.#requests.subscriptions,
      owedBytes: () => this.#outbound.owedBytes,
      serves: () => this.#serves("lagging"),
      close: (reason) => this.#fault("too-slow", reason),
    });
  }

  #logOpened(): void {
    const { client: clientName, clientVersion } = this.#client;
    const own = { sessionId: this.id, principal: this.#access.principal.id };
    const { remoteAddress } = this.#connection;
    const client = { clientName, clientVersion, remoteAddress };
    const { compress: compression } = this.#outbound;
    this.#parts.logger.info({ ...own, ...client, compression }, "session opened");
  }

  #sendProbe(number: number): boolean {
    if (!this.#answersProbes) return this.#connection.ping(number);
    this.#output.probe(number);
    return true;
  }
}
