import { Buffer } from "node:buffer";
import { once } from "node:events";
import { WebSocket } from "ws";
import type {
  Connection,
  ConnectionContext,
  HttpRequest,
  HttpResponse,
  Transport,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
  UpgradeRequest,
} from "#gateway/transport/transport.ts";
import { RawSocket } from "./gateway-raw-socket.ts";

/** What makes a transport: the suites run over each. */
export type CreateTransport = <Principal>(
  options: TransportOptions,
  handler: TransportHandler<Principal>,
) => Promise<Transport>;

/** Whom the tests take a client for: any object will do. */
type TestPrincipal = { readonly name: string };

/** What one accepted connection saw. */
class Seen {
  readonly connection: Connection;
  readonly context: ConnectionContext<TestPrincipal>;
  readonly messages: { bytes: Buffer; isBinary: boolean }[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  drains = 0;
  /** Numbers of pings that the client answered. */
  readonly pongs: number[] = [];
  onMessage: ((bytes: Buffer) => void) | undefined;
  onDrain: (() => void) | undefined;
  readonly #changed: (() => void)[] = [];

  constructor(connection: Connection, context: ConnectionContext<TestPrincipal>) {
    this.connection = connection;
    this.context = context;
  }

  change(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }

  /** Resolves when `condition` holds; checked after each thing that happens here. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((wake) => this.#changed.push(wake));
  }
}

export class Recorder implements TransportHandler<TestPrincipal> {
  readonly seen: Seen[] = [];
  readonly requests: HttpRequest[] = [];
  readonly upgrades: UpgradeRequest[] = [];
  readonly refused: string[] = [];
  answer: (request: HttpRequest) => Promise<HttpResponse> = (request) =>
    Promise.resolve({
      status: 200,
      headers: { "content-type": "text/plain", "x-path": request.path, "x-query": request.query },
      body: `${request.method} ${request.body.length}`,
    });
  onAccept: ((connection: Connection) => void) | undefined;
  readonly #waiting: ((seen: Seen) => void)[] = [];

  onUpgrade(request: UpgradeRequest): UpgradeDecision<TestPrincipal> {
    this.upgrades.push(request);
    if (request.subprotocols.includes("tickwire.v1")) {
      const { remoteAddress } = request;
      const principal = { name: `principal ${this.upgrades.length}` };
      const context = { principal, remoteAddress, subprotocol: "tickwire.v1" };
      return { kind: "accept", context };
    }
    const response = {
      status: 400,
      headers: { "content-type": "application/json" },
      body: '{"code":"invalid_argument"}',
    };
    return { kind: "refuse", response };
  }

  onRefused(limit: string): void {
    this.refused.push(limit);
  }

  onConnection(connection: Connection, context: ConnectionContext<TestPrincipal>) {
    const seen = new Seen(connection, context);
    this.seen.push(seen);
    this.onAccept?.(connection);
    this.#waiting.shift()?.(seen);
    return {
      onMessage: (data: Uint8Array, isBinary: boolean) => {
        const bytes = Buffer.from(data);
        seen.messages.push({ bytes, isBinary });
        seen.onMessage?.(bytes);
        seen.change();
      },
      onPong: (number: number) => {
        seen.pongs.push(number);
        seen.change();
      },
      onDrain: () => {
        seen.drains += 1;
        seen.onDrain?.();
        seen.change();
      },
      onClose: (code: number, reason: string) => {
        seen.closes.push({ code, reason });
        seen.change();
      },
    };
  }

  onHttp(request: HttpRequest): Promise<HttpResponse> {
    this.requests.push(request);
    return this.answer(request);
  }

  /** The next connection to be accepted. */
  next(): Promise<Seen> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Options of a transport under test; `start` overrides some of them. */
export const OPTIONS: TransportOptions = {
  host: "127.0.0.1",
  port: 0,
  path: "/v1/ws",
  messageBytesMax: 64 * 1024,
  requestBytesMax: 10_000,
  bufferedBytesMax: 1024 * 1024,
  idleTimeoutMs: 60_000,
  compression: true,
  connectionsMax: 100,
  trustedProxies: [],
  proxyHeader: "x-forwarded-for",
  http: {
    connectionsPerAddressMax: 100,
    bodyBytesMax: 1_000_000,
    bodyBytesPerAddressMax: 1_000_000,
    bodyTimeoutMs: 20_000,
    bodyBytesPerSecondMin: 1_000,
    requestsPerSecondMax: 10_000,
    requestsPerSecondPerAddressMax: 10_000,
  },
};

/** Starts transports and clients of one suite, and stops them. */
export class TransportStand {
  readonly raws: RawSocket[] = [];
  readonly options = OPTIONS;
  readonly #create: CreateTransport;
  readonly #open: Transport[] = [];
  readonly #sockets: WebSocket[] = [];

  constructor(create: CreateTransport) {
    this.#create = create;
  }

  readonly start = async (overrides: Partial<TransportOptions> = {}, recorder = new Recorder()) => {
    const transport = await this.#create({ ...OPTIONS, ...overrides }, recorder);
    this.#open.push(transport);
    const url = `http://127.0.0.1:${transport.port}`;
    return { transport, recorder, url };
  };

  readonly join = async (
    started: { readonly transport: Transport; readonly recorder: Recorder },
    perMessageDeflate: boolean | object = false,
    more: {
      readonly headers?: Record<string, string>;
      readonly ca?: string;
      readonly cert?: Buffer;
      readonly key?: Buffer;
    } = {},
  ) => {
    const next = started.recorder.next();
    const scheme = more.ca === undefined ? "ws" : "wss";
    const url = `${scheme}://127.0.0.1:${started.transport.port}/v1/ws`;
    const ws = new WebSocket(url, "tickwire.v1", { perMessageDeflate, ...more });
    this.#sockets.push(ws);
    const messages: Buffer[] = [];
    ws.on("message", (data: Buffer) => messages.push(data));
    await once(ws, "open");
    return { ws, messages, seen: await next };
  };

  readonly joinRaw = async (
    started: { readonly transport: Transport; readonly recorder: Recorder },
    extensions?: string,
    headers: readonly string[] = [],
  ) => {
    const next = started.recorder.next();
    const raw = await RawSocket.open({
      port: started.transport.port,
      path: "/v1/ws",
      subprotocol: "tickwire.v1",
      headers,
      ...(extensions === undefined ? {} : { extensions }),
    });
    this.raws.push(raw);
    return { raw, seen: await next };
  };

  async stop(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) socket.terminate();
    for (const raw of this.raws.splice(0)) raw.destroy();
    for (const transport of this.#open.splice(0)) await transport.close();
  }
}
