import type { PeerCertificate } from "../access/credentials.ts";
import type { SharedAdmission } from "./shared-admission.ts";

/** What became of bytes that were handed to a connection or to a streamed HTTP body. */
export const SendResult = {
  /** Given to the kernel. */
  Sent: "sent",
  /** Accepted; some of it waits in user space. */
  Buffered: "buffered",
  /** Refused, because the buffer limit is reached or the receiver is closed. Nothing was sent. */
  Dropped: "dropped",
} as const;
export type SendResult = (typeof SendResult)[keyof typeof SendResult];

/** One client's WebSocket. Every method is safe after the connection closed. */
export type Connection = {
  readonly id: number;
  /** The client's address, as in the context of the connection. */
  readonly remoteAddress: string;
  /** Whether permessage-deflate was negotiated. */
  readonly compressionNegotiated: boolean;
  /** Sends one binary message. `frame` is copied before this returns; `compress` is a wish. */
  send(frame: Uint8Array, compress: boolean): SendResult;
  /**
   * Sends a ping of the WebSocket behind everything that was sent before; `onPong` tells of its
   * answer. `number` is below 2^32. False if there is no room for it now.
   */
  ping(number: number): boolean;
  /**
   * Runs `write` at once. What it sends may leave as one piece after it: until then it counts as
   * sent, and not as buffered.
   */
  together(write: () => void): void;
  /** Bytes accepted and not yet taken by the kernel. */
  bufferedBytes(): number;
  /** Sends what is buffered, then a close frame. The reason is cut to 123 bytes. Idempotent. */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame. */
  terminate(): void;
};

/** What the gateway does with a connection. Called synchronously; what it throws is fatal. */
export type ConnectionHandler = {
  /** `data` is only valid during the call. */
  onMessage(data: Uint8Array, isBinary: boolean): void;
  /** The client answered `ping` of that number, or sent a pong of its own that looks like it. */
  onPong(number: number): void;
  /** The buffer shrank; maybe there is room again. */
  onDrain(): void;
  /** Called exactly once, also after `close()` and `terminate()`. */
  onClose(code: number, reason: string): void;
};

/** Who is at the other end of a connection; decided at the upgrade and fixed from then on. */
export type ConnectionContext<Principal> = {
  /** Whom the gateway takes the client for. The transport hands it on and never looks at it. */
  readonly principal: Principal;
  /** The client's address; see `UpgradeRequest.remoteAddress`. */
  readonly remoteAddress: string;
  /** One of those that the client offered. */
  readonly subprotocol: string;
};

/** Headers of a request. Names are in lower case; a repeated header's values are joined. */
export type RequestHeaders = ReadonlyMap<string, string>;

export type HttpRequest = {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: string;
  readonly headers: RequestHeaders;
  /** The client's address; see `UpgradeRequest.remoteAddress`. */
  readonly remoteAddress: string;
  /** What the client, or a trusted proxy for it, has proved by a certificate. */
  readonly certificate?: PeerCertificate | undefined;
  /** The whole body, at most `requestBytesMax`. */
  readonly body: Uint8Array;
  /** Aborted when the client goes away before the answer is complete. */
  readonly signal: AbortSignal;
};

/** A body that is known as a whole. */
export type HttpBytes = Uint8Array | string;

/**
 * A body that is made while it is sent. The transport calls `open` once, after the handler's answer
 * and before the first byte. It does not call it for HEAD, nor if the client has gone by then, so
 * whatever a stream needs is to be acquired in `open`. What `open` throws is fatal.
 */
export type HttpStream = { open(writer: HttpWriter): HttpStreamHandler };

/** The body of an HTTP answer. */
export type HttpBody = HttpBytes | HttpStream;

/**
 * Takes a streamed body. Every method is safe after the stream ended. A client that takes nothing
 * of what waits for it for about 10 s is cut.
 */
export type HttpWriter = {
  /**
   * Sends some bytes, in order; they are copied before this returns. After anything but `Sent` a
   * producer waits for `onDrain`; one that goes on is refused at `bufferedBytesMax`.
   */
  write(chunk: Uint8Array): SendResult;
  /** Bytes accepted and not yet taken by the kernel. */
  bufferedBytes(): number;
  /** Completes the body after what was accepted. Idempotent. */
  end(): void;
  /**
   * Cuts the connection, so that the client sees that the body is not whole. Does nothing after
   * `end`.
   */
  abort(): void;
};

/** What a producer hears about its stream. Called synchronously; what it throws is fatal. */
export type HttpStreamHandler = {
  /** What was buffered has been taken. */
  onDrain(): void;
  /**
   * Called exactly once: with true when the body was ended and nothing of it waits, with false if
   * the client has gone or the stream was aborted before.
   */
  onClose(whole: boolean): void;
};

/** An answer. Content-Length and Transfer-Encoding are the transport's to say. */
export type HttpResponse<Body extends HttpBody = HttpBody> = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
};

export type UpgradeRequest = {
  readonly path: string;
  readonly headers: RequestHeaders;
  /**
   * The address that the connection comes from; behind a trusted proxy, the address that the proxy
   * names.
   */
  readonly remoteAddress: string;
  /** As offered, in order. */
  readonly subprotocols: readonly string[];
  /** What the client, or a trusted proxy for it, has proved by a certificate. */
  readonly certificate?: PeerCertificate | undefined;
};

/** Accepts a client as what the context says, or refuses it with an HTTP answer. */
export type UpgradeDecision<Principal> =
  | { readonly kind: "accept"; readonly context: ConnectionContext<Principal> }
  | { readonly kind: "refuse"; readonly response: HttpResponse<HttpBytes> };

/**
 * What a transport serves. Bad input never makes a handler throw. What one throws, or what its
 * promise rejects with, is our own bug: the transport calls no handler any more, and throws the
 * error again as an uncaught exception, which ends the process.
 */
export type TransportHandler<Principal> = {
  onUpgrade(request: UpgradeRequest): UpgradeDecision<Principal>;
  /** The transport refused something by itself, because of a limit of its options. */
  onRefused(limit: RefusalLimit): void;
  /** `context` is the one that `onUpgrade` accepted the client with. */
  onConnection(connection: Connection, context: ConnectionContext<Principal>): ConnectionHandler;
  onHttp(request: HttpRequest): Promise<HttpResponse>;
};

/**
 * What strangers may hold of the server, for each address and in all. An address is that of the
 * socket; behind a trusted proxy, requests and bodies count for the client that the proxy names,
 * and connections of the proxy itself count only in all.
 */
export type HttpLimits = {
  /** Sockets of one address: WebSockets, HTTP connections, and those that said nothing yet. */
  readonly connectionsPerAddressMax: number;
  /** Bytes of request bodies that are held at once. */
  readonly bodyBytesMax: number;
  readonly bodyBytesPerAddressMax: number;
  /** A body must have arrived within this time. */
  readonly bodyTimeoutMs: number;
  /** A body must come at least this fast, after its first seconds. */
  readonly bodyBytesPerSecondMin: number;
  /** Requests and upgrades; twice as many may come in a burst. */
  readonly requestsPerSecondMax: number;
  readonly requestsPerSecondPerAddressMax: number;
};

/** The limits for which a transport refuses something by itself. */
export type RefusalLimit = "connectionsMax" | "requestBytesMax" | keyof HttpLimits;

/** Which peers are believed when they name the client that they speak for. */
export type ProxyOptions = {
  /** Addresses and networks such as `10.0.0.0/8` or `::1`. */
  readonly trustedProxies: readonly string[];
  /** The header that the trusted proxies write. */
  readonly proxyHeader: ProxyHeader;
  /** In which they name the subject of the certificate that they have verified, in lower case. */
  readonly certificateHeader?: string;
};

/** Only one header is believed: a proxy passes on the other one as the client wrote it. */
export const PROXY_HEADERS = ["x-forwarded-for", "forwarded"] as const;
export type ProxyHeader = (typeof PROXY_HEADERS)[number];

/** PEM files of a server's certificate, with its chain, and of its key. */
export type TlsOptions = {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the key, if it is encrypted. */
  readonly passphrase?: string;
  /** PEM file of the authorities that sign what clients may show; without it, none are asked. */
  readonly clientCaFile?: string;
  /** Whether a client without such a certificate is served too. */
  readonly clientCertificates?: "required" | "optional";
};

/** A listener of another thread, which hands on what connects to it. */
export type SharedListener = {
  /** The IP address that it listens on. */
  readonly address: string;
  readonly port: number;
  /** The transport of this descriptor gets its share of what connects from now on. */
  add(descriptor: unknown): void;
  /** Resolves when it gets nothing any more. Never rejects. */
  remove(descriptor: unknown): Promise<void>;
};

export type TransportOptions = ProxyOptions & {
  /** Takes what this hands on, in place of listening; only the transport `uws` can. */
  readonly listener?: SharedListener;
  /** Limits hold over all transports that share these accounts. */
  readonly shared?: SharedAdmission;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** WebSocket path. */
  readonly path: string;
  /** Serves `wss:` and `https:` instead of `ws:` and `http:`; `reloadTls` reads it again. */
  readonly tls?: TlsOptions;
  /**
   * Above this a connection is cut without a close frame; the gateway's own, lower limit closes
   * with a code.
   */
  readonly messageBytesMax: number;
  /** HTTP bodies above this are answered 413. */
  readonly requestBytesMax: number;
  /** Buffered bytes of a connection or a streamed body at which more is dropped. */
  readonly bufferedBytesMax: number;
  /** A connection from which nothing (not even a pong) came for this long is cut. */
  readonly idleTimeoutMs: number;
  readonly compression: boolean;
  /** Sockets of every kind together. */
  readonly connectionsMax: number;
  readonly http: HttpLimits;
};

/** A listening server. */
export type Transport = {
  readonly kind: "uws" | "node";
  /** The IP address that it listens on. */
  readonly address: string;
  readonly port: number;
  /** Sockets of every kind that are open now, as `connectionsMax` counts them. */
  readonly sockets: number;
  /**
   * Reads the files of the certificate again, for connections that come from now on.
   * @throws TransportOptionsError if they cannot serve; then everything stays as it was.
   */
  reloadTls(): void;
  /** Accepts no more connections; those open live on. Idempotent. */
  stopListening(): void;
  /** Cuts what is still open. Idempotent. */
  close(): Promise<void>;
  /** The same before it returns, for a thread that ends. A listener is to be left before. */
  abandon(): void;
};
