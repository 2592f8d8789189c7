/** What a client of a text stream is told at a time. */
export type StreamEvent = {
  /** Such as `trades`, `snapshot` or `gap`: what `addEventListener` of an EventSource is given. */
  readonly name: string;
  /** One JSON object without a newline. */
  readonly data: string;
};

/** An event of the given values; what is undefined is left out. */
export function streamEvent(name: string, values: Readonly<Record<string, unknown>>): StreamEvent {
  return { name, data: JSON.stringify(values) };
}
