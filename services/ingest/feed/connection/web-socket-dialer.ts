import { WebSocket } from "ws";
import { DIRECT_ROUTE } from "../network/venue-route.ts";
import type { VenueRoute } from "../network/venue-route.ts";

/** What a connection reports. Called synchronously, one at a time, never from within `dial`. */
export type FeedSocketHandlers = {
  onOpen(): void;
  /** A whole message: text as string, binary as bytes that the receiver may keep. */
  onFrame(frame: string | Uint8Array): void;
  /**
   * In its place for a message of text, as the bytes of its UTF-8, which nobody else has: from who
   * receives them so, and for whom the text need not be made.
   */
  onText?(bytes: Uint8Array): void;
  /** The venue pinged; the pong has been sent already. */
  onPing?(): void;
  /** The venue answered our ping. */
  onPong?(): void;
  /** The last call for this connection; also after a failed handshake and after `terminate()`. */
  onClose(code: number, reason: string): void;
  /** Why the connection failed, for the log; `onClose` follows. */
  onError?(message: string): void;
};

/** One connection to a venue. Every method is safe in every state, and does nothing once closed. */
export type FeedSocket = {
  send(frame: string): void;
  /** A protocol ping; `onPong` tells of the answer. */
  ping(): void;
  /** Starts the closing handshake. */
  close(): void;
  /** Drops the connection at once. */
  terminate(): void;
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  bufferedBytes(): number;
};

/** Opens connections; the real one, the simulated market's, a capture's, a test's. */
export type FeedDialer = {
  dial(url: string, handlers: FeedSocketHandlers, limits: DialLimits): FeedSocket;
};

/** What a connection may be sent; a larger message closes it with 1009. */
export type DialLimits = { readonly frameBytesMax: number };

type WebSocketDialerOptions = {
  /** From dialling to the end of the HTTP upgrade. */
  readonly handshakeTimeoutMs: number;
  /** Offer permessage-deflate. */
  readonly compression: boolean;
  /** The way to the venue. */
  readonly route: VenueRoute;
  /** Sent with every handshake. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

export const WEB_SOCKET_DIALER_DEFAULTS: WebSocketDialerOptions = {
  handshakeTimeoutMs: 10_000,
  compression: true,
  route: DIRECT_ROUTE,
};

/**
 * The dialer for the real network. Venue pings are answered with their payload, as `ws` does by
 * itself.
 */
export function createWebSocketDialer(
  options: WebSocketDialerOptions = WEB_SOCKET_DIALER_DEFAULTS,
): FeedDialer {
  return {
    dial: (url, handlers, limits) => dialWebSocket(url, handlers, { ...options, ...limits }),
  };
}

function dialWebSocket(
  url: string,
  handlers: FeedSocketHandlers,
  options: WebSocketDialerOptions & DialLimits,
): FeedSocket {
  const socket = new WebSocket(url, {
    handshakeTimeout: options.handshakeTimeoutMs,
    maxPayload: options.frameBytesMax,
    perMessageDeflate: options.compression,
    followRedirects: false,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
    ...options.route.optionsFor(url),
  });
  socket.on("open", () => handlers.onOpen());
  socket.on("message", (data, isBinary) => {
    // `ws` hands out Buffers as long as binaryType is not changed.
    const bytes = data as Buffer;
    if (isBinary) handlers.onFrame(bytes);
    else deliverText(handlers, bytes);
  });
  socket.on("ping", () => handlers.onPing?.());
  socket.on("pong", () => handlers.onPong?.());
  socket.on("error", (error) => handlers.onError?.(error.message));
  socket.on("close", (code, reason) => handlers.onClose(code, reason.toString("utf8")));
  return {
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    ping() {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
    bufferedBytes: () => socket.bufferedAmount,
  };
}

/** Gives a message of text to its receiver in the way that costs it least. */
export function deliverText(handlers: FeedSocketHandlers, bytes: Uint8Array): void {
  if (handlers.onText !== undefined) handlers.onText(bytes);
  else handlers.onFrame(textOfBytes(bytes));
}

/** The text of a message that came as the bytes of its UTF-8. */
export function textOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
