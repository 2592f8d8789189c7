/** What Hello and Welcome say, and no other version is spoken. */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocol that belongs to it. */
export const SUBPROTOCOL = "tickwire.v1";

/** How long a client may take to say Hello, unless the operator sets another time. */
export const HELLO_TIMEOUT_MS = 10_000;
