import { randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import type { ThreadClock } from "#core/clock.ts";
import type { SharedAccounts } from "#core/shared-accounts.ts";
import type { Tracing } from "#core/tracing.ts";
import { Access } from "./access/access.ts";
import { Looks } from "./access/looks.ts";
import type { Credentials } from "./access/credentials.ts";
import { createGatewayState } from "./admin/gateway-state.ts";
import { limitUse } from "./admin/limit-use.ts";
import { Catalog } from "./catalog/catalog.ts";
import type { GatewayConfig } from "./config.ts";
import { Gateway } from "./gateway.ts";
import type { GatewayOfThread, RunningGateway } from "./gateway.ts";
import { EventLog } from "./history/event-log.ts";
import { ConnectRpc } from "./http/connect-rpc.ts";
import type { ConnectRpcParts } from "./http/connect-rpc.ts";
import { HttpFace } from "./http/http-face.ts";
import { readPageFolder } from "./http/page-folder.ts";
import { StaticFiles } from "./http/static-files.ts";
import { createSessionToken } from "./http/streams/session-token.ts";
import { StreamFace } from "./http/streams/stream-face.ts";
import type { Logger } from "#core/logger.ts";
import { createGatewayMetrics, registerLimitUse } from "./metrics.ts";
import { createMarketData } from "./rpc/router.ts";
import { tracedServices } from "./rpc/traced-services.ts";
import { InboxSpace } from "./session/frame-inbox.ts";
import { PrincipalAccounts } from "./session/principal-accounts.ts";
import { Flusher } from "./session/outbound/flusher.ts";
import { SubscriptionTable } from "./session/topic-subscription.ts";
import { Hub } from "./topics/hub.ts";
import { selectTransport } from "./transport/select-transport.ts";
import type {
  SharedListener,
  TlsOptions,
  Transport,
  TransportHandler,
  TransportOptions,
} from "./transport/transport.ts";
import { TlsReload } from "./transport/tls-reload.ts";
import { immediateScheduler } from "./turns/scheduler.ts";
import { Turns } from "./turns/turns.ts";

export type { RunningGateway };

/** What a gateway shares that is one of several threads. */
type GatewayThread = {
  /** Of the threads, from 0 on; no two that run have the same. */
  readonly index: number;
  /** Hands on what connects to the port of all threads. */
  readonly listener: SharedListener;
  /** What all threads count together, for the limits that hold over all of them. */
  readonly together: {
    /** By address: sockets, bodies and requests. */
    readonly addresses: SharedAccounts;
    /** By principal. */
    readonly principals: SharedAccounts;
    /** By address: sessions that are polled. */
    readonly polls: SharedAccounts;
    /** A clock that is the same for all of them, in nanoseconds. */
    readonly nowNs: () => bigint;
  };
};

/** What a gateway is made of. It owns none of these but the registry's gateway metrics. */
type GatewayOptions = {
  readonly config: GatewayConfig;
  readonly bus: Bus;
  readonly clock: ThreadClock;
  /** What was published, beyond the life of its publisher. Not closed by the gateway. */
  readonly log?: StreamLog | undefined;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
  readonly logger: Logger;
  /** Where spans go; absent if nothing is traced. The bus traces its own requests. */
  readonly tracing?: Tracing | undefined;
  /** Gets the gateway's metrics. */
  readonly registry: Registry;
  /** The gateway is one of several threads of a process. */
  readonly thread?: GatewayThread | undefined;
  /** Said in Welcome and on the front page. Default "0.1.0". */
  readonly serverVersion?: string;
  /** Where the built dashboard is; without it, or before it is built, the front page is text. */
  readonly dashboardFolder?: string;
};

/**
 * Builds a gateway and starts it. Rejects if it cannot listen: TransportOptionsError, or the
 * operating system's reason.
 */
export async function startGateway(options: GatewayOptions): Promise<GatewayOfThread> {
  const { config, bus, clock, logger, registry, tracing, random = Math.random } = options;
  const { serverVersion = "0.1.0" } = options;
  const metrics = createGatewayMetrics(registry);
  const { access: accessConfig, allowAnonymous } = config;
  const accessParts = { config: accessConfig, allowAnonymous, bus, clock, logger, metrics };
  const access = await Access.open(accessParts);
  const scheduler = immediateScheduler;
  const { flushIntervalMsMax } = config;
  const flusher = new Flusher({ clock, scheduler, flushIntervalMsMax, metrics });
  const turns = new Turns({ clock, scheduler, metrics });
  const catalog = new Catalog({ bus, clock, logger, metrics, turns, limits: config });
  const common = { bus, clock, logger, metrics, turns, scheduler };
  const log = options.log && new EventLog({ log: options.log, clock, logger, metrics });
  const budget = new ByteBudget({ bytesMax: config.resumeTotalBytesMax });
  const resume = { log, budget, resumeBytesMax: config.resumeBytesMax };
  const hub = new Hub({ ...common, catalog, random, resume, limits: config });
  const { queryTimeoutMs, replaysMax } = config;
  const looks = new Looks({ clock, metrics });
  const methodParts = { ...common, catalog, log, looks, queryTimeoutMs, replaysMax };
  const untraced = createMarketData(methodParts);
  const services = tracing === undefined ? untraced : tracedServices(untraced, tracing);
  const together = options.thread?.together;
  const principals = together && { accounts: together.principals, nowNs: together.nowNs };
  const accounts = new PrincipalAccounts(metrics, principals);
  const http = createHttpFace(options, { services, accounts, turns, metrics });
  const inboxSpace = new InboxSpace(metrics);
  const table = new SubscriptionTable({ metrics });
  const identity = { serverVersion, gatewayId: randomUUID() };
  const own = { config, clock, logger, metrics, services, turns, inboxSpace, tracing, ...identity };
  const tls = tlsOptions(config);
  const everyMs = config.tls.reloadMs;
  const certificates = tls && new TlsReload({ tls, everyMs, clock, logger, metrics });
  await certificates?.start();
  const gateway = new Gateway({
    bus,
    idSuffix: options.thread === undefined ? "" : `.${options.thread.index}`,
    sessionParts: { ...own, flusher, hub, catalog, table, access, accounts, looks },
    access,
    http,
    stateOf: (running) =>
      createGatewayState({ gateway: running, hub, catalog, metrics, turns, clock, config }),
    certificates,
    openTransport: async (handler) => {
      const transport = await openTransport(options, handler);
      certificates?.serves(transport);
      return transport;
    },
  });
  registerLimitUse(registry, () => limitUse(config, { gateway, hub, catalog }));
  await gateway.listen();
  return gateway;
}

/** What is served over HTTP: calls, streams and polls, the page. */
function createHttpFace(
  options: GatewayOptions,
  parts: Pick<ConnectRpcParts, "services" | "accounts" | "turns" | "metrics">,
): HttpFace {
  const { config, bus, clock, logger, serverVersion = "0.1.0" } = options;
  const { pathPrefix, webSocketPath } = config;
  const rpc = new ConnectRpc({
    ...parts,
    clock,
    limits: config,
    onInternalError: (method, error) =>
      logger.error({ method, error }, "an RPC failed with an internal error"),
  });
  const { turns, metrics } = parts;
  const streams = new StreamFace({
    config,
    bus,
    clock,
    scheduler: immediateScheduler,
    turns,
    metrics,
    createToken: createSessionToken,
    polledTogether: options.thread?.together.polls,
    bufferedBytesMax: bufferedBytesOf(config, bus),
  });
  const dashboard = readDashboard(options);
  return new HttpFace({ rpc, streams, pathPrefix, webSocketPath, serverVersion, dashboard });
}

function openTransport(
  { config, bus, logger, thread }: GatewayOptions,
  handler: TransportHandler<Credentials>,
): Promise<Transport> {
  const onFallback = (reason: string): void =>
    logger.warn({ reason }, "uWebSockets.js cannot serve here; serving on ws and node:http");
  const choice = { choice: config.transport, onFallback };
  const own = transportOptions(config, bus);
  if (thread === undefined) return selectTransport(choice, own, handler);
  const { listener, together } = thread;
  const shared = { accounts: together.addresses, nowNs: together.nowNs };
  return selectTransport({ ...choice, choice: "uws" }, { ...own, listener, shared }, handler);
}

function readDashboard({ config, dashboardFolder, logger }: GatewayOptions) {
  if (!config.dashboard || dashboardFolder === undefined) return undefined;
  const files = readPageFolder(dashboardFolder);
  if (files !== undefined) return new StaticFiles(files, { webSocketPath: config.webSocketPath });
  logger.warn({ dashboardFolder }, "the dashboard is not built, so the front page is text");
  return undefined;
}

/**
 * The gateway's own limit, below, closes with a code; above this factor the transport just cuts.
 */
const MESSAGE_HEADROOM = 2;

/** What we write ahead to one client, and one batch of any size that the bus carries. */
function bufferedBytesOf({ writeAheadBytesMax, frameBytesMax }: GatewayConfig, bus: Bus): number {
  return writeAheadBytesMax + bus.payloadBytesMax + frameBytesMax;
}

/** The files of the certificate, if TLS is on. */
export function tlsOptions({ tls }: GatewayConfig): TlsOptions | undefined {
  const { certFile, keyFile, passphrase, clientCaFile, clientCertificates } = tls;
  if (certFile === undefined || keyFile === undefined) return undefined;
  return {
    certFile,
    keyFile,
    clientCertificates,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(clientCaFile === undefined ? {} : { clientCaFile }),
  };
}

function transportOptions(config: GatewayConfig, bus: Bus): TransportOptions {
  const tls = tlsOptions(config);
  const { certificateHeader } = config.access;
  return {
    ...(tls === undefined ? {} : { tls }),
    ...(certificateHeader === undefined ? {} : { certificateHeader }),
    host: config.host,
    port: config.port,
    path: config.pathPrefix + config.webSocketPath,
    messageBytesMax: config.frameBytesMax * MESSAGE_HEADROOM,
    requestBytesMax: config.requestBytesMax,
    bufferedBytesMax: bufferedBytesOf(config, bus),
    idleTimeoutMs: config.idleTimeoutMs,
    compression: config.compression,
    connectionsMax: config.connectionsMax,
    http: {
      connectionsPerAddressMax: config.connectionsPerAddressMax,
      bodyBytesMax: config.httpBodyBytesMax,
      bodyBytesPerAddressMax: config.httpBodyBytesPerAddressMax,
      bodyTimeoutMs: config.httpBodyTimeoutMs,
      bodyBytesPerSecondMin: config.httpBodyBytesPerSecondMin,
      requestsPerSecondMax: config.httpRequestsPerSecondMax,
      requestsPerSecondPerAddressMax: config.httpRequestsPerSecondPerAddressMax,
    },
    trustedProxies: config.trustedProxies,
    proxyHeader: config.proxyHeader,
  };
}
