import { WebSocket } from "ws";
import type { WebSocketFactory, WebSocketLike } from "./environment.ts";

// What a gateway may send in one message: a whole book of a large venue is a few MB.
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** Sockets of the package `ws`: Node 20 has no WebSocket of its own. */
export const openNodeWebSocket: WebSocketFactory = (url, protocols, { compression }) => {
  const socket = new WebSocket(url, protocols, {
    perMessageDeflate: compression,
    maxPayload: FRAME_BYTES_MAX,
  });
  // Frames then come as views of what was read, without a copy.
  socket.binaryType = "nodebuffer";
  return socket as unknown as WebSocketLike;
};
