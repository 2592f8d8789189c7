import type { FrameForm } from "./frame-decoder.ts";

/** The text that some venues send in answer to the text `ping`. It is no JSON. */
export const PONG = "pong";

/** A form in which that text is a message too, rather than damaged JSON. */
export function withTextPongs<Message, Body>(
  form: FrameForm<Message, Body>,
): FrameForm<Message | typeof PONG, Body> {
  return {
    message: (text) => (text === PONG ? PONG : form.message(text)),
    body: (text) => form.body(text),
  };
}
