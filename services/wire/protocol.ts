/** What Hello and Welcome say, and no other version is spoken. */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocol that belongs to it. */
export const SUBPROTOCOL = "tickwire.v1";
