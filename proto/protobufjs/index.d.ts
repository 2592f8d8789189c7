/**
 * The protobufjs static classes of the schema, under `tickwire.v1` and `tickwire.bus.v1`.
 *
 * 64-bit fields decode to `Long`, and are encoded from a number or a `Long`. Never give them a
 * `bigint`: protobufjs writes 0 for it without an error. The codecs of `@tickwire/proto/messages`
 * and `@tickwire/proto/codec` check both, and need no protobufjs.
 */
export { google, tickwire } from "../gen/wire.js";
