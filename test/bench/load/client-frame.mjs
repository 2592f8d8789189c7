/**
 * A frame from a client with a mask of zeros, behind its length, as readers.c takes it: of text for
 * a string, of bytes for a buffer.
 */
export function clientFrame(message) {
  const opcode = typeof message === "string" ? 0x81 : 0x82;
  const payload = Buffer.from(message);
  const short = payload.length < 126;
  const header = short
    ? Buffer.from([opcode, 0x80 | payload.length, 0, 0, 0, 0])
    : Buffer.from([opcode, 0xfe, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length + payload.length);
  return Buffer.concat([length, header, payload]);
}
