/** The text of a frame, whatever it arrived as. Bytes that are not UTF-8 become damaged JSON. */
export function textOfFrame(frame: string | Uint8Array): string {
  return typeof frame === "string" ? frame : UTF_8.decode(frame);
}

const UTF_8 = new TextDecoder();
