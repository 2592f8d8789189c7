import type { ClientRequest } from "#wire/frame-codec.ts";
import type { Principal } from "../access/principal.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import type { TurnLine } from "../turns/turns.ts";
import { admitCall, PRINCIPAL_RETRY_AFTER_MS } from "./call-admission.ts";
import type { CallTable } from "./call-table.ts";
import { isOfSession, RateLimits } from "./rate-limits.ts";
import type { RequestVerdict } from "./rate-limits.ts";
import { createCalls } from "./session-calls.ts";
import type { SessionAccess } from "./session-access.ts";
import type { SessionOutput } from "./session-output.ts";
import type { SessionParts } from "./session-parts.ts";
import type { SessionEvent } from "./session-table.ts";
import { SubscribeSpans } from "./subscribe-spans.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { SubscriptionsHost, TopicsRequestKind } from "./subscription-parts.ts";
import type { CallMessage, SubscribeMessage } from "./wire-messages.ts";

/** What a client asks for when it is known who it is. */
type AdmittedRequest = Exclude<ClientRequest, { readonly kind: "hello" }>;

/** The session whose requests they are. */
export type RequestsHost = {
  readonly id: string;
  readonly remoteAddress: string;
  readonly output: SessionOutput;
  readonly access: Pick<SessionAccess, "principal" | "renew">;
  /** Market data that the session gets at most; 0 is no bound. */
  readonly bandwidthBytesPerSecondMax: number;
  /** The client answers for what it has received. */
  onProbeAnswer(number: number): void;
  /** The client has done what ends its session. */
  fault(event: SessionEvent, reason: string): void;
};

/** As they are told to the client. */
const KINDS = {
  subscribe: "REQUEST_KIND_SUBSCRIBE",
  unsubscribe: "REQUEST_KIND_UNSUBSCRIBE",
  update: "REQUEST_KIND_UPDATE",
  ping: "REQUEST_KIND_PING",
} as const;

/** By then some of the requests that wait have had their turn. */
const TURN_RETRY_AFTER_MS = 1_000;

/**
 * What one client may ask for and has: its rate, its subscriptions and its calls. What is above the
 * rate, of the session or of the principal, is refused with the time to wait; who goes on all the
 * same is closed. Nothing that the client does throws.
 */
export class SessionRequests implements SubscriptionsHost {
  readonly rates: RateLimits;
  readonly #parts: SessionParts;
  readonly #session: RequestsHost;
  /** The work of subscriptions, while there is some. */
  #line: TurnLine | undefined;
  /** Made only where something is traced. */
  readonly #spans: SubscribeSpans | undefined;
  /** Made when the client first asks for topics, as most that only connect never do. */
  #subscriptions: Subscriptions | undefined;
  /** Made with the first call. */
  #calls: CallTable | undefined;
  /** The gateway goes away, and waits for the calls that are under way. */
  #refusesCalls = false;

  constructor(parts: SessionParts, session: RequestsHost) {
    this.#parts = parts;
    this.#session = session;
    this.rates = new RateLimits(parts.config, parts.clock.monotonicUs());
    if (parts.tracing === undefined) return;
    const spans = new SubscribeSpans(parts.tracing, session.id);
    this.#spans = spans;
    session.output.onSubscribed = (requestId) => spans.answered(requestId);
  }

  /** The topics that the client gets; undefined before it asked for any. */
  get subscriptions(): Subscriptions | undefined {
    return this.#subscriptions;
  }

  get callsInFlight(): number {
    return this.#calls?.active ?? 0;
  }

  /** Refuses calls from now on, so that those under way are the last. */
  refuseCalls(): void {
    this.#refusesCalls = true;
  }

  /** Serves the request, or says why not now. `verdict` is what the rate of the session says. */
  serve(request: AdmittedRequest, verdict: RequestVerdict): void {
    if (request.kind === "call") {
      this.#serveCall(request.value);
      return;
    }
    const { requestsPerSecondMax } = this.#parts.config;
    if (!this.#isGranted(request, verdict, `requestsPerSecondMax ${requestsPerSecondMax}`)) return;
    if (isOfSession(request.kind)) this.#answer(request);
    else if (this.#isPaid(request) && this.#hasRoom(request)) this.#do(request);
  }

  /** Ends everything that could still send something. Idempotent. */
  close(): void {
    this.#subscriptions?.close();
    this.#spans?.close();
    this.#calls?.closeAll();
  }

  /** What keeps the session going. */
  #answer(request: Exclude<AdmittedRequest, { readonly kind: "call" }>): void {
    if (request.kind === "cancel") this.#calls?.cancel(request.value.callId);
    else if (request.kind === "credit") {
      this.#calls?.credit(request.value.callId, request.value.credits);
    } else if (request.kind === "authenticate") this.#session.access.renew(request.value);
    else if (request.kind === "probeAnswer") this.#session.onProbeAnswer(request.value.number);
  }

  #do(request: Exclude<AdmittedRequest, { readonly kind: "call" }>): void {
    if (request.kind === "subscribe") this.#subscribe(request.value);
    else if (request.kind === "unsubscribe" || request.kind === "update") {
      this.#topics().ask(request);
    } else if (request.kind === "ping") {
      this.#session.output.pong(request.value.nonce, this.#parts.clock.nowUs());
    }
  }

  /** Tells the client if not. `limit` is what it exceeds. */
  #isGranted(request: AdmittedRequest, verdict: RequestVerdict, limit: string): boolean {
    if (verdict.does === "serve") return true;
    const { kind } = request;
    if (verdict.does === "close" || !(kind in KINDS)) {
      this.#session.fault("request-rate-exceeded", `requests go on above ${limit} a second`);
      return false;
    }
    const requestId = "requestId" in request.value ? request.value.requestId : 0;
    this.#refuse(kind as keyof typeof KINDS, requestId, verdict.retryAfterMs, `more than ${limit}`);
    return false;
  }

  #refuse(kind: keyof typeof KINDS, requestId: number, retryAfterMs: number, why: string): void {
    this.#parts.metrics.requestsRefused.inc({ request: kind });
    const message = `${why} a second`;
    const code = "CODE_RESOURCE_EXHAUSTED";
    this.#session.output.refused({ kind: KINDS[kind], requestId, code, message, retryAfterMs });
  }

  /** Whether the principal may ask for one more, whichever session it asks by. */
  #isPaid(request: AdmittedRequest): boolean {
    const { accounts, clock } = this.#parts;
    const { principal } = this.#session.access;
    const nowUs = clock.monotonicUs();
    if (accounts.takeRequests(principal, 1, nowUs)) return true;
    const verdict = this.rates.refuse(PRINCIPAL_RETRY_AFTER_MS, nowUs);
    const { requestsPerSecondMax = 0 } = principal.limits;
    const limit = `the requestsPerSecondMax ${requestsPerSecondMax} of ${principal.id}`;
    return this.#isGranted(request, verdict, limit);
  }

  /** Whether fewer requests wait for their turns than may come in a second. */
  #hasRoom(request: AdmittedRequest): boolean {
    const { config, clock } = this.#parts;
    const { requestsPerSecondMax } = config;
    if (request.kind === "ping" || (this.#line?.waiting ?? 0) <= requestsPerSecondMax) return true;
    const verdict = this.rates.refuse(TURN_RETRY_AFTER_MS, clock.monotonicUs());
    return this.#isGranted(request, verdict, `requestsPerSecondMax ${requestsPerSecondMax}`);
  }

  #serveCall(call: CallMessage): void {
    const { accounts, clock, config } = this.#parts;
    const { requestsPerSecondMax } = config;
    const parts = { rates: this.rates, accounts, requestsPerSecondMax };
    const { principal } = this.#session.access;
    const admission = admitCall(parts, principal, clock.monotonicUs());
    if (admission.does === "close") {
      this.#session.fault("request-rate-exceeded", admission.reason);
      return;
    }
    const calls = (this.#calls ??= this.#makeCalls());
    let refusal = admission.does === "serve" ? undefined : admission.error;
    if (refusal === undefined && this.#refusesCalls) {
      refusal = new RpcError("unavailable", "the gateway is shutting down");
    }
    const isNext = refusal === undefined ? calls.start(call) : calls.refuse(call, refusal);
    if (!isNext) {
      this.#session.fault("call-id-not-rising", `call_id ${call.callId} is not rising`);
    }
  }

  #subscribe(message: SubscribeMessage): void {
    const topics = this.#topics();
    if (this.#spans === undefined) {
      topics.subscribe(message);
      return;
    }
    const request = { requestId: message.requestId, topics: message.topics.length };
    this.#spans.begin(request, () => topics.subscribe(message));
  }

  #topics(): Subscriptions {
    const { output } = this.#session;
    return (this.#subscriptions ??= new Subscriptions(this.#parts, this, output));
  }

  /** For Subscriptions, as what follows. */
  get principal(): Principal {
    return this.#session.access.principal;
  }

  get line(): TurnLine {
    return (this.#line ??= this.#parts.turns.open());
  }

  get bandwidthBytesPerSecondMax(): number {
    return this.#session.bandwidthBytesPerSecondMax;
  }

  onWorkDone(): void {
    if ((this.#line?.waiting ?? 0) <= 1) this.#line = undefined;
  }

  takeTopics(topics: number): boolean {
    return this.rates.takeTopics(topics, this.#parts.clock.monotonicUs());
  }

  onTooManyTopics(kind: TopicsRequestKind, requestId: number): void {
    this.#spans?.answered(requestId);
    const { config, clock } = this.#parts;
    const limit = `topicsPerSecondMax ${config.topicsPerSecondMax} topics`;
    const verdict = this.rates.refuseTopics(clock.monotonicUs());
    if (verdict.does === "refuse") {
      this.#refuse(kind, requestId, verdict.retryAfterMs, `more than ${limit} named`);
    } else {
      this.#session.fault("topic-rate-exceeded", `requests go on above ${limit} a second`);
    }
  }

  #makeCalls(): CallTable {
    const { id, remoteAddress, access, output } = this.#session;
    return createCalls(this.#parts, { id, remoteAddress, rates: this.rates, access }, output);
  }
}
