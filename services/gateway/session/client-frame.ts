import { decodeClientFrame, measureClientFrame, WireError } from "#wire/frame-codec.ts";
import type { ClientRequest } from "#wire/frame-codec.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { SessionEvent } from "./session-table.ts";

/** What limits the frames of a client. */
type FrameLimits = {
  readonly frameBytesMax: number;
  readonly frameFieldsMax: number;
  readonly frameMessagesMax: number;
  readonly requestsPerSecondMax: number;
};

/** What a frame asks for, or the fault that ends the session. */
type FrameReading =
  | { readonly kind: "requests"; readonly requests: readonly ClientRequest[] }
  | { readonly kind: "fault"; readonly event: SessionEvent; readonly reason: string };

/**
 * Reads what a client sent. A frame is judged and paid for by what is in it before anything is made
 * of it, because a thousand bytes may inflate to half a million messages.
 */
export function readClientFrame(
  data: Uint8Array,
  limits: FrameLimits,
  rates: Pick<RateLimits, "takeFrame" | "takeUnknown">,
  nowUs: number,
): FrameReading {
  const { frameBytesMax, frameFieldsMax, frameMessagesMax } = limits;
  const bytes = data.byteLength;
  if (bytes > frameBytesMax) {
    return tooLarge(`frame of ${bytes} bytes exceeds frameBytesMax ${frameBytesMax}`);
  }
  try {
    const size = measureClientFrame(data, frameFieldsMax);
    if (size === undefined) {
      return tooLarge(`a frame has more fields than frameFieldsMax ${frameFieldsMax}`);
    }
    const messages = size.outerFields;
    if (messages > frameMessagesMax) {
      return tooLarge(`frame of ${messages} messages exceeds frameMessagesMax ${frameMessagesMax}`);
    }
    const { fields, unknownFields } = size;
    const isPaid = rates.takeFrame({ bytes, messages, fields, unknownFields }, nowUs);
    if (!isPaid) return tooMuch(limits);
    const requests = decodeClientFrame(data);
    // A frame without messages is one that means nothing, too.
    const unknown = Math.max(1, messages) - requests.length;
    if (!rates.takeUnknown(unknown, nowUs)) return tooMuch(limits);
    return { kind: "requests", requests };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const reason = `not a ClientFrame: ${error.message}`;
    return { kind: "fault", event: "unreadable-frame", reason };
  }
}

function tooLarge(reason: string): FrameReading {
  return { kind: "fault", event: "oversized-frame", reason };
}

function tooMuch({ requestsPerSecondMax }: FrameLimits): FrameReading {
  const reason = `frames ask for more than requestsPerSecondMax ${requestsPerSecondMax} a second`;
  return { kind: "fault", event: "request-rate-exceeded", reason };
}
