/**
 * The bytes of what a socket has received.
 * @throws TypeError for a text frame. Of a text of digits an array of bytes would take the length.
 */
export function binaryOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError("it is a text frame, and the protocol is binary");
}
