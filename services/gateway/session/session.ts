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
import { keepRest, receiveFrame } from "./frame-inbox.ts";
import type { FrameInbox, FrameReader } from "./frame-inbox.ts";
import type { Lateness, OutboundListener } from "./outbound/outbound.ts";
import { SessionAccess } from "./session-access.ts";
import type { AccessHost } from "./session-access.ts";
import { SessionOutput } from "./session-output.ts";
import type { RequestVerdict } from "./rate-limits.ts";
import type { SessionParts } from "./session-parts.ts";
import { SessionRequests } from "./session-requests.ts";
import type { RequestsHost } from "./session-requests.ts";
import { oweLess, tellLag } from "./slow-reader.ts";
import { stepOf } from "./session-table.ts";
import type { SessionEvent, SessionState, Step } from "./session-table.ts";
import type { SessionLook } from "./session-look.ts";
import type { CatalogChange } from "./subscription-parts.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { afterReading } from "./unread-grace.ts";
import { welcomeOf } from "./welcome.ts";
import type { AccessInit, HelloMessage } from "./wire-messages.ts";

/** What a client may ask for before it is known who it is; more closes. */
const HELD_REQUESTS_MAX = 1_000;
/** What a frame asks for is done in steps of so many: a request takes some 10 us. */
const REQUESTS_PER_STEP = 64;
/** What is held was judged when it came. */
const SERVED: RequestVerdict = { does: "serve" };
/** How a connection ended. */
type End = { readonly code: number; readonly reason: string; readonly by: "gateway" | "client" };

/** The program that a client is, by its own words. */
type ClientName = { readonly client: string; readonly clientVersion: string };

/** Before the client has named itself. */
const UNNAMED: ClientName = { client: "", clientVersion: "" };

/** Whose session it is, and over what. */
type SessionOptions = {
  /** Of this run of the gateway: with the number of the connection, it names the session. */
  readonly idPrefix: string;
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
 *
 * Most sessions of a gateway are idle, and there are many. So its parts call the session itself
 * instead of functions that each session would have of its own, and what only some sessions need
 * at some time is there for that time alone.
 */
export class Session
  implements ConnectionHandler, OutboundListener, AccessHost, RequestsHost, FrameReader
{
  static #lastNamed = UNNAMED;
  readonly #idPrefix: string;
  readonly #onGone: SessionOptions["onGone"];
  readonly #connection: Connection;
  readonly #parts: SessionParts;
  readonly output: SessionOutput;
  readonly #requests: SessionRequests;
  readonly access: SessionAccess;
  /** Frames that the turn had no time for; undefined while none waits. */
  inbox: FrameInbox | undefined;
  /** Asked for while it is being found out who the client is. */
  #held: ClientRequest[] | undefined;
  #hello: HelloMessage | undefined;
  /** Undefined when it is over, because a timer is kept by whoever could cancel it. */
  #cancelHelloTimer: CancelTimer | undefined;
  #state: SessionState = "awaiting-hello";
  readonly #openedTimeUs: number;
  /** As the client named itself. */
  #client = UNNAMED;
  /** The client answers probes; of any other one, pongs tell what it has received. */
  #answersProbes = false;
  /** Market data, as the client and the operator want it at most; 0 is no bound. */
  bandwidthBytesPerSecondMax = 0;

  constructor({ idPrefix, connection, credentials, onGone }: SessionOptions, parts: SessionParts) {
    const { config, clock } = parts;
    this.#idPrefix = idPrefix;
    this.#onGone = onGone;
    this.#connection = connection;
    this.#parts = parts;
    this.#openedTimeUs = clock.nowUs();
    this.output = new SessionOutput(connection, config, parts, this);
    this.access = new SessionAccess(parts, credentials, this);
    this.#requests = new SessionRequests(parts, this);
    this.#cancelHelloTimer = afterReading(clock, config.helloTimeoutMs, () => {
      this.fault("hello-timeout", `no Hello within ${config.helloTimeoutMs} ms`);
    });
  }

  /** Unique in this gateway, and told to the client. */
  get id(): string {
    return `${this.#idPrefix}-${this.#connection.id}`;
  }

  /** The address of the client. */
  get remoteAddress(): string {
    return this.#connection.remoteAddress;
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
      principal: this.access.known?.id ?? "",
      openedTimeUs: this.#openedTimeUs,
      topics: this.#requests.subscriptions?.size ?? 0,
      lagMs: Math.floor(this.lagUs(nowUs) / 1_000),
      owedBytes,
      lagging: this.output.isLagging,
    };
  }

  /** For how long the oldest thing has been owed that the client may not have. */
  lagUs(nowUs: number): number {
    return this.output.lagUs(nowUs);
  }

  get owedBytes(): number {
    return this.#isOver ? 0 : this.output.owedBytes;
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
      this.fault("text-frame", "the protocol is binary; text frames are not understood");
      return;
    }
    if (receiveFrame(this.#parts, this, data)) return;
    const { requestsPerSecondMax } = config;
    const reason = `more frames wait than requestsPerSecondMax ${requestsPerSecondMax} covers`;
    this.fault("request-rate-exceeded", reason);
  }

  onPong(number: number): void {
    if (!this.#serves("pong") || this.#answersProbes) return;
    this.output.onAnswer(number, this.#parts.clock.monotonicUs());
  }

  onDrain(): void {
    if (this.#serves("writable")) this.output.onDrain();
  }

  /**
   * Where thousands go at once, the session has its turn to end later. Until then it is as if the
   * network had not told yet, but that the connection takes nothing.
   */
  onClose(code: number, reason: string): void {
    this.inbox?.close();
    const { turns } = this.#parts;
    const by = this.#state === "closing" ? "gateway" : "client";
    const end = { code, reason, by } as const;
    if (!turns.doNow(Session.#end, this, end)) turns.doLater(Session.#end, this, end);
  }

  static #end(this: void, session: Session, { code, reason, by }: End): void {
    const { metrics, logger } = session.#parts;
    session.#step("connection-gone");
    session.#release();
    // A client may send any code; only those of the schema and of RFC 6455 become labels.
    const known = code < 1016 || Object.values<number>(CloseCode).includes(code);
    metrics.closes.inc({ code: known ? code : "other", by });
    const fields = { sessionId: session.id, code, reason: quotedText(reason), by };
    logger.info(fields, "session closed");
    session.#onGone(session);
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
    this.output.notice({ kind: "NOTICE_KIND_GOING_AWAY", message, reconnectWindowMs });
  }

  /**
   * Sends what is queued and closes, because the gateway goes away. What could not be sent is
   * counted. Idempotent.
   */
  dismiss(): void {
    this.output.flush(this.#parts.clock.monotonicUs());
    this.fault("dismissed", "the gateway is shutting down");
  }

  /** Cuts the connection without a word. Idempotent. */
  terminate(): void {
    if (!this.#serves("cut")) return;
    this.#release();
    this.#connection.terminate();
  }

  /** Keys or tokens were revoked, or roles have changed. */
  reviewAccess(): void {
    this.access.review();
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

  /** For its parts: closes with the code that the table has for the event. */
  fault(event: SessionEvent, reason: string): void {
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
    this.inbox?.close();
    this.access.close();
    this.#held = undefined;
    this.output.close();
    this.#requests.close();
  }

  /** For its inbox: does what a frame asks for. */
  readFrame(frame: Uint8Array): void {
    const { config, clock } = this.#parts;
    const reading = readClientFrame(frame, config, this.#requests.rates, clock.monotonicUs());
    if (reading.kind === "fault") {
      this.fault(reading.event, reading.reason);
      return;
    }
    const { requests } = reading;
    const from = this.serve(requests, 0);
    if (from === requests.length) return;
    keepRest(this.#parts, this, { requests, from }, frame.byteLength);
  }

  /** For its inbox: does a step of what a frame asks for, and says where the next begins. */
  serve(requests: readonly ClientRequest[], from: number): number {
    const end = Math.min(from + REQUESTS_PER_STEP, requests.length);
    for (let index = from; index < end; index += 1) {
      this.#onRequest(requests[index] as ClientRequest);
      if (this.#isOver) return requests.length;
    }
    return end;
  }

  #onRequest(request: ClientRequest): void {
    const nowUs = this.#parts.clock.monotonicUs();
    // A call is judged with what its principal may ask for.
    const verdict =
      request.kind === "call" ? SERVED : this.#requests.rates.judgeRequest(request.kind, nowUs);
    if (!this.access.isChecking) this.#onAdmitted(request, verdict);
    // Everything waits in its order until it is known who the client is.
    else if (verdict.does !== "serve" || (this.#held ??= []).push(request) > HELD_REQUESTS_MAX) {
      this.fault("request-rate-exceeded", `more than ${HELD_REQUESTS_MAX} requests before Welcome`);
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
      this.access.hello(hello.accessToken);
      return;
    }
    const step = this.#step(isKnown ? "hello" : "unknown-version");
    if (step.does !== "close") return;
    const version = `protocol version ${hello.protocolVersion} is not ${PROTOCOL_VERSION}`;
    this.#close(step.code, isFirst ? version : "a second hello");
  }

  /** For SessionAccess: it is known who the client is, and it is let in. */
  onWelcome(): void {
    const hello = this.#hello;
    // A session that closed meanwhile hears nothing more of its access.
    if (hello === undefined || !this.#serves("hello")) return;
    this.#hello = undefined;
    this.output.compress = hello.acceptCompression && this.#connection.compressionNegotiated;
    this.output.mayCut = hello.acceptsParts;
    this.#answersProbes = hello.answersProbes;
    const { config } = this.#parts;
    this.bandwidthBytesPerSecondMax = bandwidthBound(hello, config, this.access.principal);
    const { clientName, clientVersion } = hello;
    if (clientName !== "" || clientVersion !== "") {
      this.#client = Session.#named(quotedText(clientName), quotedText(clientVersion));
    }
    this.#logOpened();
    const own = {
      sessionId: this.id,
      bandwidthBytesPerSecondMax: this.bandwidthBytesPerSecondMax,
    };
    this.output.welcome(welcomeOf(this.#parts, own));
    this.access.announce();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const request of held) if (!this.#isOver) this.#onAdmitted(request, SERVED);
  }

  /** Most clients that come one after the other are the same program. */
  static #named(client: string, clientVersion: string): ClientName {
    const last = Session.#lastNamed;
    if (last.client === client && last.clientVersion === clientVersion) return last;
    return (Session.#lastNamed = { client, clientVersion });
  }

  /** For SessionAccess: the client is somebody else now, or may do other things. */
  onReplaced(): void {
    this.#requests.subscriptions?.review();
  }

  /** For SessionAccess: what the client is to hear of it. */
  tellAccess(message: AccessInit): void {
    this.output.access(message);
  }

  /** For SessionRequests: the client answers for what it has received. */
  onProbeAnswer(number: number): void {
    if (this.#answersProbes) this.output.onAnswer(number, this.#parts.clock.monotonicUs());
  }

  /** For Outbound. */
  onLag(lateness: Lateness): void {
    if (!this.#serves("lagging")) return;
    const { config, metrics, logger } = this.#parts;
    const { subscriptions } = this.#requests;
    const { id: sessionId, output } = this;
    tellLag(lateness, { config, metrics, logger, sessionId, output, subscriptions });
  }

  /** For Outbound. */
  onRecovered(): void {
    this.#requests.subscriptions?.recover();
  }

  /** For Outbound. */
  onSlow(lateness: Lateness): void {
    const { config, metrics } = this.#parts;
    const { subscriptions } = this.#requests;
    const owedBytes = (): number => this.output.owedBytes;
    const reason = oweLess(lateness, { config, metrics, subscriptions, owedBytes });
    if (reason !== undefined) this.fault("too-slow", reason);
  }

  /** For Outbound: what the client answers with the same number. */
  sendProbe(number: number): boolean {
    if (!this.#answersProbes) return this.#connection.ping(number);
    this.output.probe(number);
    return true;
  }

  #logOpened(): void {
    const { client: clientName, clientVersion } = this.#client;
    const own = { sessionId: this.id, principal: this.access.principal.id };
    const { remoteAddress } = this.#connection;
    const client = { clientName, clientVersion, remoteAddress };
    const { compress: compression } = this.output;
    this.#parts.logger.info({ ...own, ...client, compression }, "session opened");
  }
}
