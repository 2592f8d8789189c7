/**
 * The protobufjs static classes of the schema, under `tickwire.v1` and `tickwire.bus.v1`.
 *
 * 64-bit fields: they decode to `Long`, and encode from a number or a `Long`. Never give them a
 * `bigint`: protobufjs writes 0 for it without an error. The codecs of `@tickwire/proto/service`
 * and `@tickwire/proto/codec` check both.
 */
export { google, tickwire } from "./gen/wire.js";
