import { BusError } from "./bus.ts";
import { isSubject, isSubjectPattern } from "./subject.ts";

/** What every bus refuses, and the words that it refuses it with. */

export function closedError(cause?: unknown): BusError {
  return new BusError("bus-closed", "the bus is closed", causedBy(cause));
}

export function requestTimeout(subject: string, timeoutMs: number, cause?: unknown): BusError {
  const message = `no answer on ${subject} in ${timeoutMs} ms`;
  return new BusError("request-timeout", message, causedBy(cause));
}

/** Throws BusError if nothing can be published there. */
export function checkSubject(subject: string): void {
  if (isSubject(subject)) return;
  throw new BusError("invalid-subject", `cannot publish on ${JSON.stringify(subject)}`);
}

/** Throws BusError if nothing can be subscribed to with it. */
export function checkPattern(pattern: string): void {
  if (isSubjectPattern(pattern)) return;
  throw new BusError("invalid-subject", `cannot subscribe to ${JSON.stringify(pattern)}`);
}

/** Throws BusError if the payload is too large. */
export function checkSize(payload: Uint8Array, payloadBytesMax: number): void {
  if (payload.length <= payloadBytesMax) return;
  throw new BusError(
    "payload-too-large",
    `payload of ${payload.length} bytes exceeds payloadBytesMax ${payloadBytesMax}`,
  );
}

function causedBy(cause: unknown): ErrorOptions | undefined {
  return cause === undefined ? undefined : { cause };
}
