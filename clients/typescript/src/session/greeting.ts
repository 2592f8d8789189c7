// What every client says of itself and of the schema that it speaks.

/** The subprotocol of this schema. */
export const SUBPROTOCOL = "tickwire.v1";
export const PROTOCOL_VERSION = 1;
/** Of this package; the operator of a gateway sees it. */
export const CLIENT_VERSION = "0.1.0";
/** The same, unless the program says a name of its own. */
export const CLIENT_NAME = "tickwire-client-ts";
