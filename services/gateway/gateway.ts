import { assert } from "#core/assert.ts";
import type { Bus } from "#bus/bus.ts";
import type { ServiceState } from "#core/state-page.ts";
import { quotedText } from "#core/visible-text.ts";
import { SUBPROTOCOL } from "#wire/protocol.ts";
import { Origins } from "./access/origins.ts";
import type { Access } from "./access/access.ts";
import { isAccessFault } from "./access/authenticator.ts";
import {
  secretOfHeaders,
  secretOfSubprotocols,
  takeSecretOfQuery,
  withoutSecrets,
} from "./access/credentials.ts";
import type { Credentials } from "./access/credentials.ts";
import type { CatalogEvent } from "./catalog/catalog.ts";
import type { VenuePartition } from "./catalog/venue-partition.ts";
import { Drain } from "./drain.ts";
import type { HttpFace } from "./http/http-face.ts";
import { RequestsInFlight } from "./http/requests-in-flight.ts";
import type { SessionDoor } from "./http/streams/stream-parts.ts";
import { Session } from "./session/session.ts";
import type { SessionParts } from "./session/session-parts.ts";
import type { CatalogChange } from "./session/subscription-parts.ts";
import type { TlsReload } from "./transport/tls-reload.ts";
import type { TurnLine, Work } from "./turns/turns.ts";
import { errorAnswer } from "./transport/http-answer.ts";
import type {
  Connection,
  ConnectionContext,
  HttpBytes,
  HttpRequest,
  HttpResponse,
  RefusalLimit,
  Transport,
  TransportHandler,
  UpgradeDecision,
  UpgradeRequest,
} from "./transport/transport.ts";

/** A gateway that listens. */
export type RunningGateway = {
  /** The IP address that it listens on. */
  readonly address: string;
  readonly port: number;
  readonly transportKind: Transport["kind"];
  /**
   * Reads the files of access and of the certificate again, at once instead of when they are next
   * looked at. What is broken leaves everything as it was, and is logged.
   */
  reload(): Promise<void>;
  /** Sessions that are open now. */
  readonly sessions: number;
  /** What operators see of it. */
  readonly state: ServiceState;
  /** Whether whoever shows this key or token may see the state. */
  mayAdminister(secret: string, remoteAddress: string): Promise<boolean>;
  /** Why the gateway should get no clients now; empty if it should. */
  notReadyReasons(): readonly string[];
  /**
   * Stops: not ready, but serving everybody for `lameDuckMs`, so that load balancers notice; then
   * no new connections, clients told at the rate of closes, closed after the drain window when
   * their calls have ended, whatever is left cut after `graceMs` in all, bus subscriptions
   * released. Resolves when all that is done. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
  /**
   * What the threads have counted that it has besides this one, in the text format of Prometheus;
   * empty if it has none.
   */
  metricsOfThreads(): Promise<string>;
};

/** A gateway that is one thread. */
export type GatewayOfThread = RunningGateway & {
  /** Cuts every connection before it returns, for a thread that ends because of a bug. */
  abandon(): void;
};

/** What a gateway runs, and gives up when it stops. */
type GatewayParts = {
  readonly bus: Bus;
  /** Ends the part that all ids of sessions share, so that no two gateways give the same. */
  readonly idSuffix: string;
  readonly sessionParts: SessionParts;
  readonly http: Pick<HttpFace, "serve">;
  /** What operators see of the gateway. */
  readonly stateOf: (gateway: Gateway) => ServiceState;
  readonly access: Access;
  /** With TLS, what notices that the certificate has changed. */
  readonly certificates?: Pick<TlsReload, "reload" | "close"> | undefined;
  /** Listens, and serves the handler. */
  readonly openTransport: (handler: TransportHandler<Credentials>) => Promise<Transport>;
};

/** The life of a gateway: it listens, has sessions while it is ready, and drains. */
export class Gateway implements GatewayOfThread, TransportHandler<Credentials> {
  readonly state: ServiceState;
  readonly #parts: GatewayParts;
  readonly #sessions = new Set<Session>();
  readonly #stopListening: (() => void)[] = [];
  /** In every session's id, so that ids of two runs differ. */
  readonly #startedAt: string;
  readonly #origins: Origins;
  /** For what happens to all sessions at once. */
  readonly #line: TurnLine;
  readonly #requests: RequestsInFlight;
  #transport: Transport | undefined;
  #busConnected = true;
  /** From the start of the shutdown on, while everything is served as before. */
  #leaving = false;
  #drain: Drain | undefined;
  /** Sessions are being looked at, because the access of some may have ended; and once more. */
  #isReviewing = false;
  #reviewsAgain = false;
  #closing: Promise<void> | undefined;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.state = parts.stateOf(this);
    this.#startedAt = parts.sessionParts.clock.nowUs().toString(36) + parts.idSuffix;
    this.#origins = new Origins(parts.sessionParts.config);
    this.#line = parts.sessionParts.turns.open();
    const { clock } = parts.sessionParts;
    const onDone = (): void => this.#drain?.onGone();
    this.#requests = new RequestsInFlight({ clock, onDone, isDraining: () => this.#leaving });
    this.#listenToBus();
    parts.access.onChanged = () => this.#reviewAccess();
  }

  get address(): string {
    return this.#listening.address;
  }

  get port(): number {
    return this.#listening.port;
  }

  get transportKind(): Transport["kind"] {
    return this.#listening.kind;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async mayAdminister(secret: string, remoteAddress: string): Promise<boolean> {
    const credentials = { secret, certificate: undefined, remoteAddress };
    const outcome = await this.#parts.access.authenticate(credentials);
    return !isAccessFault(outcome) && outcome.mayAdminister;
  }

  /** Every session that is open, in the order in which they came. */
  each(): Iterable<Session> {
    return this.#sessions;
  }

  /** Sockets of every kind; 0 before it listens. */
  get sockets(): number {
    return this.#transport?.sockets ?? 0;
  }

  /** Called once, before anything else. Rejects, with everything released, if it cannot listen. */
  async listen(): Promise<void> {
    try {
      this.#transport = await this.#parts.openTransport(this);
    } catch (error) {
      this.#release();
      throw error;
    }
    const { config, logger } = this.#parts.sessionParts;
    const { address, port, transportKind } = this;
    const fields = { host: config.host, address, port, transport: transportKind };
    logger.info(fields, "gateway listens");
  }

  notReadyReasons(): readonly string[] {
    const reasons: string[] = [];
    if (this.#leaving) reasons.push("draining");
    if (!this.#busConnected) reasons.push("bus-disconnected");
    if (!this.#parts.sessionParts.catalog.ready) reasons.push("no-catalog");
    return reasons;
  }

  onUpgrade(request: UpgradeRequest): UpgradeDecision<Credentials> {
    const { metrics } = this.#parts.sessionParts;
    const draining = this.#refuseDraining();
    if (draining !== undefined) return { kind: "refuse", response: draining };
    const foreign = this.#refuseForeign(request);
    if (foreign !== undefined) {
      metrics.upgradesRefused.inc({ reason: "origin" });
      return { kind: "refuse", response: foreign };
    }
    if (request.subprotocols.includes(SUBPROTOCOL)) {
      const { remoteAddress, certificate, headers, subprotocols } = request;
      const secret = secretOfHeaders(headers) ?? secretOfSubprotocols(subprotocols);
      // A browser cannot see how an upgrade is refused, so who it is is judged behind its Hello.
      const principal = { secret, certificate, remoteAddress };
      const context = { principal, remoteAddress, subprotocol: SUBPROTOCOL };
      return { kind: "accept", context };
    }
    metrics.upgradesRefused.inc({ reason: "subprotocol" });
    const offered = quotedText(withoutSecrets(request.subprotocols).join(", "));
    const message = `this gateway speaks the subprotocol ${SUBPROTOCOL}; offered: ${offered || "none"}`;
    return { kind: "refuse", response: errorAnswer(400, "invalid_argument", message) };
  }

  onRefused(limit: RefusalLimit): void {
    const { metrics } = this.#parts.sessionParts;
    metrics.limitsExceeded.inc({ limit });
    if (limit === "connectionsMax") metrics.upgradesRefused.inc({ reason: "connections" });
    if (limit === "requestBytesMax") metrics.bodiesRefused.inc();
  }

  onConnection(connection: Connection, context: ConnectionContext<Credentials>): Session {
    const { sessionParts } = this.#parts;
    const { principal: credentials } = context;
    const idPrefix = this.#startedAt;
    const onGone = this.#onGone;
    const session = new Session({ idPrefix, connection, credentials, onGone }, sessionParts);
    this.#sessions.add(session);
    sessionParts.metrics.connectionsTotal.inc();
    sessionParts.metrics.connections.set(this.#sessions.size);
    return session;
  }

  async onHttp(request: HttpRequest): Promise<HttpResponse> {
    const foreign = this.#refuseForeign(request);
    if (foreign !== undefined) return foreign;
    const preflight = this.#origins.preflightHeaders(request.method, request.headers);
    if (preflight !== undefined) return { status: 204, headers: preflight, body: "" };
    const serve = (given: HttpRequest): Promise<HttpResponse> => this.#serveHttp(given);
    const answer = await this.#requests.track(request, serve);
    const { vary, ...others } = this.#origins.corsHeaders(request.headers);
    const varies = [answer.headers["vary"], vary].filter((name) => name !== undefined).join(", ");
    // A proxy that keeps its connection would come back to a gateway that goes away.
    const kept = this.#leaving ? { connection: "close" } : {};
    return { ...answer, headers: { ...answer.headers, ...others, ...kept, vary: varies } };
  }

  async reload(): Promise<void> {
    this.#parts.certificates?.reload();
    await this.#parts.access.reload();
  }

  close(options: { readonly graceMs: number }): Promise<void> {
    this.#closing ??= this.#shutDown(options.graceMs);
    return this.#closing;
  }

  metricsOfThreads(): Promise<string> {
    return Promise.resolve("");
  }

  abandon(): void {
    this.#transport?.abandon();
  }

  get #listening(): Transport {
    assert(this.#transport !== undefined, "the gateway listens before it is used");
    return this.#transport;
  }

  /** A request that shows what is no proof is refused; one that shows nothing is nobody's. */
  async #serveHttp(given: HttpRequest): Promise<HttpResponse> {
    const { access, http } = this.#parts;
    const { secret, query } = takeSecretOfQuery(given.query);
    const request = { ...given, query };
    const { headers, certificate, remoteAddress } = request;
    const shown = secretOfHeaders(headers) ?? secret;
    const credentials = { secret: shown, certificate, remoteAddress };
    const who = await access.authenticateNow(credentials);
    if (!isAccessFault(who)) {
      const { accounts, clock } = this.#parts.sessionParts;
      if (accounts.takeRequests(who, 1, clock.monotonicUs())) {
        return http.serve({ ...request, principal: who }, this.#doorFor(credentials));
      }
      const message = `${who.id} asks for more than it may`;
      return errorAnswer(429, "resource_exhausted", message, { "retry-after": "1" });
    }
    const isPassing = who.kind === "unavailable";
    const code = isPassing ? "unavailable" : "unauthenticated";
    const more = isPassing ? { "retry-after": "1" } : { "www-authenticate": "Bearer" };
    return errorAnswer(isPassing ? 503 : 401, code, who.reason, more);
  }

  #reviewAccess(): void {
    if (this.#isReviewing) {
      this.#reviewsAgain = true;
      return;
    }
    this.#isReviewing = true;
    this.#line.add(this.#reviewSessions());
  }

  *#reviewSessions(): Work {
    do {
      this.#reviewsAgain = false;
      for (const session of this.#sessions) {
        session.reviewAccess();
        if (this.#line.isOver) yield;
      }
    } while (this.#reviewsAgain);
    this.#isReviewing = false;
  }

  #refuseForeign(request: UpgradeRequest | HttpRequest): HttpResponse<HttpBytes> | undefined {
    const refusal = this.#origins.refusal(request.headers);
    if (refusal === undefined) return undefined;
    const { reason, status, message } = refusal;
    this.#parts.sessionParts.metrics.originsRefused.inc({ reason });
    return errorAnswer(status, "permission_denied", message);
  }

  #refuseDraining(): HttpResponse<HttpBytes> | undefined {
    if (this.#drain === undefined) return undefined;
    this.#parts.sessionParts.metrics.upgradesRefused.inc({ reason: "draining" });
    return errorAnswer(503, "unavailable", "the gateway is shutting down", { "retry-after": "1" });
  }

  /** How a session that HTTP carries comes in: as one on a WebSocket does. */
  #doorFor(credentials: Credentials): SessionDoor {
    const { remoteAddress } = credentials;
    const context = { principal: credentials, remoteAddress, subprotocol: SUBPROTOCOL };
    return {
      refusal: () => this.#refuseDraining(),
      accept: (connection) => this.onConnection(connection, context),
    };
  }

  /** One function for all sessions. */
  readonly #onGone = (session: Session): void => {
    const wasThere = this.#sessions.delete(session);
    assert(wasThere, "a session goes once");
    this.#parts.sessionParts.metrics.connections.set(this.#sessions.size);
    this.#drain?.onGone();
  };

  #listenToBus(): void {
    const { bus, sessionParts } = this.#parts;
    this.#stopListening.push(
      bus.onEvent((event) => {
        if (event.kind === "disconnected" || event.kind === "closed") this.#onBusDown();
        if (event.kind === "reconnected") this.#onBusUp();
        if (event.kind === "connected") this.#busConnected = true;
      }),
      sessionParts.catalog.onEvent((event) => this.#onCatalogEvent(event)),
    );
  }

  /** Nothing can be said of any ingestor now, but that we cannot hear it. */
  #onBusDown(): void {
    if (!this.#busConnected) return;
    this.#busConnected = false;
    const { hub, catalog, clock } = this.#parts.sessionParts;
    catalog.busDown();
    for (const partition of this.#partitions()) {
      hub.venueDown(partition, "bus-down", clock.nowUs());
    }
  }

  #onBusUp(): void {
    this.#busConnected = true;
    const { hub, catalog } = this.#parts.sessionParts;
    catalog.busUp();
    for (const partition of this.#partitions()) {
      const lostSinceUs = catalog.partLostSinceUs(partition);
      if (lostSinceUs === undefined) hub.venueBack(partition);
      else hub.venueDown(partition, "ingestor-lost", lostSinceUs);
    }
  }

  #partitions(): VenuePartition[] {
    const { catalog } = this.#parts.sessionParts;
    return catalog.venues.flatMap((venue) => catalog.partitionsOf(venue));
  }

  #onCatalogEvent(event: CatalogEvent): void {
    if (event.kind === "changed") this.#line.add(this.#tellSessions(event));
    else this.#parts.sessionParts.hub.onCatalogEvent(event);
  }

  *#tellSessions(change: CatalogChange): Work {
    // Who goes meanwhile is passed over, and who comes is told last, though it finds the change.
    for (const session of this.#sessions) {
      session.onCatalogChanged(change);
      if (this.#line.isOver) yield;
    }
  }

  async #shutDown(graceMs: number): Promise<void> {
    const { config, clock, logger } = this.#parts.sessionParts;
    const sessions = this.#sessions;
    const lameDuckMs = Math.min(config.lameDuckMs, graceMs);
    this.#leaving = true;
    if (lameDuckMs > 0) {
      logger.info({ sessions: sessions.size, lameDuckMs }, "gateway is about to drain");
      await new Promise<void>((resolve) => void clock.after(lameDuckMs, resolve));
    }
    await this.#runDrain(graceMs - lameDuckMs);
    this.#release();
    await this.#listening.close();
    logger.info({}, "gateway closed");
  }

  async #runDrain(graceMs: number): Promise<void> {
    const { config, clock, logger, metrics } = this.#parts.sessionParts;
    const { drainWindowMs: windowMs, drainClosesPerSecondMax: closesPerSecondMax } = config;
    const sessions = this.#sessions;
    const requestsInFlight = (): number => this.#requests.count;
    const limits = { windowMs, closesPerSecondMax, graceMs };
    const line = this.#line;
    const drain = new Drain({ ...limits, clock, sessions, requestsInFlight, line });
    this.#drain = drain;
    const { neededMs, overdueSessions } = drain.plan;
    metrics.drainOverdue.set(overdueSessions);
    const fields = { sessions: sessions.size, ...limits, neededMs, overdueSessions };
    if (overdueSessions === 0) logger.info(fields, "gateway drains");
    else logger.warn(fields, "gateway drains, and its rate of closes is too low for its deadline");
    this.#listening.stopListening();
    const result = await drain.run();
    for (const outcome of ["left", "closed", "cut"] as const) {
      metrics.drainedSessions.inc({ outcome }, result[outcome]);
    }
    logger.info(result, "gateway has drained");
  }

  #release(): void {
    for (const stop of this.#stopListening.splice(0)) stop();
    this.#parts.access.close();
    this.#parts.certificates?.close();
    this.#parts.sessionParts.catalog.close();
    this.#parts.sessionParts.hub.close();
  }
}
