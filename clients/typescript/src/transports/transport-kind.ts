/** How frames travel: a WebSocket, a streamed answer of HTTP, or answers of polls. */
export type TransportKind = "websocket" | "sse" | "poll";

/** All of them, the best one first. */
export const TRANSPORT_KINDS: readonly TransportKind[] = ["websocket", "sse", "poll"];
