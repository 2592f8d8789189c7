import type { Registry } from "prom-client";
import { ANONYMOUS } from "./access/principal.ts";
import type { Principal } from "./access/principal.ts";
import type { Bus } from "#bus/bus.ts";
import { CloseCode } from "#wire/codes.ts";
import { SUBPROTOCOL } from "#wire/limits.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { Catalog } from "./catalog/catalog.ts";
import type { CatalogEvent } from "./catalog/catalog.ts";
import type { GatewayConfig } from "./config.ts";
import { Flusher } from "./session/outbound/flusher.ts";
import { HttpFace } from "./http/http-face.ts";
import { Hub } from "./topics/hub.ts";
import { announceLostIngestor } from "./catalog/ingestor-loss.ts";
import type { Logger } from "./logger.ts";
import { createGatewayMetrics } from "./metrics.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { createMarketData } from "./rpc/router.ts";
import { immediateScheduler } from "./topics/scheduler.ts";
import type { Scheduler } from "./topics/scheduler.ts";
import { Session } from "./session/session.ts";
import type { SessionParts } from "./session/session.ts";
import { ConnectRpc } from "./http/connect-rpc.ts";
import { errorAnswer } from "./transport/http-answer.ts";
import { selectTransport } from "./transport/select-transport.ts";
import type {
  Connection,
  ConnectionContext,
  HttpRequest,
  HttpResponse,
  Transport,
  TransportHandler,
  UpgradeDecision,
  UpgradeRequest,
} from "./transport/transport.ts";

/** What a gateway is made of. It owns none of these but the registry's gateway metrics. */
export type GatewayOptions = {
  readonly config: GatewayConfig;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets the gateway's metrics. */
  readonly registry: Registry;
  /** Default: the check phase of Node's event loop. */
  readonly scheduler?: Scheduler;
  /** Said in Welcome and on the front page. Default "0.1.0". */
  readonly serverVersion?: string;
};

/** A gateway that listens. */
export type RunningGateway = {
  readonly port: number;
  readonly transportKind: Transport["kind"];
  /** Sessions that are open now. */
  readonly sessions: number;
  /** Why the gateway should get no clients now; empty if it should. */
  notReadyReasons(): readonly string[];
  /**
   * Stops: not ready, no new connections, every client told, closes spread over the drain window,
   * whatever is left cut after `graceMs`, bus subscriptions released. Resolves when all that is
   * done. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
};

/** Rejects if it cannot listen: TransportOptionsError, or the operating system's reason. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = new Gateway(options);
  await gateway.listen();
  return gateway;
}

/**
 * The gateway's own limit, below, closes with a code; above this factor the transport just cuts.
 */
const MESSAGE_HEADROOM = 2;

class Gateway implements RunningGateway, TransportHandler<Principal> {
  readonly #options: GatewayOptions;
  readonly #metrics: GatewayMetrics;
  readonly #flusher: Flusher;
  readonly #hub: Hub;
  readonly #catalog: Catalog;
  readonly #sessionParts: SessionParts;
  readonly #http: HttpFace;
  readonly #sessions = new Set<Session>();
  readonly #stopListening: (() => void)[] = [];
  readonly #startedAt: string;
  #transport: Transport | undefined;
  #busConnected = true;
  #draining = false;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: GatewayOptions) {
    const { config, bus, clock, logger, registry } = options;
    const serverVersion = options.serverVersion ?? "0.1.0";
    const scheduler = options.scheduler ?? immediateScheduler;
    const metrics = createGatewayMetrics(registry);
    const { flushIntervalMsMax, queryTimeoutMs } = config;
    this.#options = options;
    this.#metrics = metrics;
    this.#startedAt = clock.nowUs().toString(36);
    this.#flusher = new Flusher({ clock, scheduler, flushIntervalMsMax, metrics });
    this.#hub = new Hub({ bus, clock, metrics, limits: config });
    this.#catalog = new Catalog({ bus, clock, logger, metrics, limits: config });
    const services = createMarketData({ bus, clock, catalog: this.#catalog, queryTimeoutMs });
    const hub = this.#hub;
    const catalog = this.#catalog;
    const flusher = this.#flusher;
    const shared = { config, clock, logger, metrics, services, serverVersion };
    this.#sessionParts = { ...shared, flusher, hub, catalog };
    const onInternalError = (method: string, error: unknown): void => {
      logger.error({ method, error }, "an RPC failed inside");
    };
    this.#http = new HttpFace({
      rpc: new ConnectRpc({ services, clock, metrics, limits: config, onInternalError }),
      webSocketPath: config.webSocketPath,
      serverVersion,
    });
    this.#listenToBus();
  }

  get port(): number {
    return this.#transport?.port ?? 0;
  }

  get transportKind(): Transport["kind"] {
    return this.#transport?.kind ?? "node";
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async listen(): Promise<void> {
    const { config, bus, logger } = this.#options;
    const select = {
      choice: config.transport,
      onFallback: (reason: string) => {
        logger.warn({ reason }, "uWebSockets.js cannot load here; serving on ws and node:http");
      },
    };
    const transportOptions = {
      host: config.host,
      port: config.port,
      path: config.webSocketPath,
      messageBytesMax: config.frameBytesMax * MESSAGE_HEADROOM,
      requestBytesMax: config.requestBytesMax,
      // What we write ahead, and one batch of any size that the bus carries.
      bufferedBytesMax: config.writeAheadBytesMax + bus.payloadBytesMax + config.frameBytesMax,
      idleTimeoutMs: config.idleTimeoutMs,
      compression: config.compression,
      connectionsMax: config.connectionsMax,
      trustedProxies: config.trustedProxies,
      proxyHeader: config.proxyHeader,
    };
    try {
      this.#transport = await selectTransport(select, transportOptions, this);
    } catch (error) {
      this.#release();
      throw error;
    }
    const fields = { host: config.host, port: this.port, transport: this.transportKind };
    logger.info(fields, "gateway listens");
  }

  onUpgrade(request: UpgradeRequest): UpgradeDecision<Principal> {
    if (this.#draining) {
      this.#metrics.upgradesRefused.inc({ reason: "draining" });
      const response = errorAnswer(503, "unavailable", "the gateway is shutting down");
      return { kind: "refuse", response };
    }
    if (request.subprotocols.includes(SUBPROTOCOL)) {
      const { remoteAddress } = request;
      const context = { principal: ANONYMOUS, remoteAddress, subprotocol: SUBPROTOCOL };
      return { kind: "accept", context };
    }
    this.#metrics.upgradesRefused.inc({ reason: "subprotocol" });
    const offered = request.subprotocols.join(", ").slice(0, 200);
    const message = `this gateway speaks the subprotocol ${SUBPROTOCOL}; offered: ${offered || "none"}`;
    return { kind: "refuse", response: errorAnswer(400, "invalid_argument", message) };
  }

  onRefused(limit: "connectionsMax" | "requestBytesMax"): void {
    if (limit === "connectionsMax") this.#metrics.upgradesRefused.inc({ reason: "connections" });
    else this.#metrics.bodiesRefused.inc();
  }

  onConnection(connection: Connection, _context: ConnectionContext<Principal>): Session {
    const id = `${this.#startedAt}-${connection.id}`;
    const session = new Session(id, connection, this.#sessionParts, (gone) => this.#gone(gone));
    this.#sessions.add(session);
    this.#metrics.connectionsTotal.inc();
    this.#metrics.connections.set(this.#sessions.size);
    return session;
  }

  onHttp(request: HttpRequest): Promise<HttpResponse> {
    return this.#http.serve(request);
  }

  notReadyReasons(): readonly string[] {
    const reasons: string[] = [];
    if (this.#draining) reasons.push("draining");
    if (!this.#busConnected) reasons.push("bus-disconnected");
    if (!this.#catalog.ready) reasons.push("no-catalog");
    return reasons;
  }

  close(options: { readonly graceMs: number }): Promise<void> {
    this.#closing ??= this.#drain(options.graceMs);
    return this.#closing;
  }

  #gone(session: Session): void {
    this.#sessions.delete(session);
    this.#metrics.connections.set(this.#sessions.size);
    if (this.#sessions.size === 0) this.#onEmpty?.();
  }

  #listenToBus(): void {
    const { bus } = this.#options;
    this.#stopListening.push(
      bus.onEvent((event) => {
        if (event.kind === "disconnected" || event.kind === "closed") this.#busConnected = false;
        if (event.kind === "connected" || event.kind === "reconnected") this.#busConnected = true;
        if (event.kind === "reconnected") this.#catalog.discover();
      }),
      this.#catalog.onEvent((event) => this.#onCatalogEvent(event)),
    );
  }

  #onCatalogEvent(event: CatalogEvent): void {
    switch (event.kind) {
      case "changed":
        for (const session of this.#sessions) session.onCatalogChanged(event.added, event.removed);
        return;
      case "lost":
        announceLostIngestor(this.#hub, this.#catalog, event, this.#options.clock);
        return;
      case "recovered":
        // Statuses were replaced by our own; of the others only what was missed is sent again.
        for (const feed of this.#hub.feedsOf(event.venue)) {
          feed.resync(feed.name.channel === "status");
        }
        return;
    }
  }

  async #drain(graceMs: number): Promise<void> {
    const { config, logger } = this.#options;
    this.#draining = true;
    logger.info({ sessions: this.#sessions.size, graceMs }, "gateway drains");
    this.#transport?.stopListening();
    const windowMs = Math.min(config.drainWindowMs, graceMs);
    for (const session of this.#sessions) session.announceGoingAway(windowMs);
    this.#flusher.flush();
    const cancelCloses = this.#spreadCloses(windowMs);
    await this.#emptyOrAfter(graceMs);
    for (const cancel of cancelCloses) cancel();
    for (const session of this.#sessions) session.terminate();
    this.#release();
    await this.#transport?.close();
    logger.info({}, "gateway closed");
  }

  /** Even over the window, so that the clients do not come back all at once. */
  #spreadCloses(windowMs: number): CancelTimer[] {
    const sessions = [...this.#sessions];
    return sessions.map((session, index) =>
      this.#options.clock.after(Math.floor((windowMs * index) / sessions.length), () => {
        this.#flusher.flush();
        session.close(CloseCode.GoingAway, "the gateway is shutting down");
      }),
    );
  }

  #emptyOrAfter(graceMs: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(graceMs, resolve);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
    });
  }

  #release(): void {
    for (const stop of this.#stopListening.splice(0)) stop();
    this.#catalog.close();
    this.#hub.close();
  }
}
