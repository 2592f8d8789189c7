import { CloseCodeNumbers } from "@tickwire/proto/messages";
import { CHANNELS } from "@tickwire/proto/model";
import type { Channel } from "@tickwire/proto/model";

/**
 * WebSocket close codes, from codes.proto. A client comes back after those below 4500; it does not
 * after the others.
 */
export const CloseCode = {
  GoingAway: CloseCodeNumbers.CLOSE_CODE_GOING_AWAY,
  SlowConsumer: CloseCodeNumbers.CLOSE_CODE_SLOW_CONSUMER,
  Internal: CloseCodeNumbers.CLOSE_CODE_INTERNAL,
  Overloaded: CloseCodeNumbers.CLOSE_CODE_OVERLOADED,
  RateLimited: CloseCodeNumbers.CLOSE_CODE_RATE_LIMITED,
  HelloTimeout: CloseCodeNumbers.CLOSE_CODE_HELLO_TIMEOUT,
  AccessExpired: CloseCodeNumbers.CLOSE_CODE_ACCESS_EXPIRED,
  AccessLimited: CloseCodeNumbers.CLOSE_CODE_ACCESS_LIMITED,
  AccessUnavailable: CloseCodeNumbers.CLOSE_CODE_ACCESS_UNAVAILABLE,
  ProtocolError: CloseCodeNumbers.CLOSE_CODE_PROTOCOL_ERROR,
  TextFrame: CloseCodeNumbers.CLOSE_CODE_TEXT_FRAME,
  FrameTooLarge: CloseCodeNumbers.CLOSE_CODE_FRAME_TOO_LARGE,
  UnsupportedVersion: CloseCodeNumbers.CLOSE_CODE_UNSUPPORTED_VERSION,
  Unauthenticated: CloseCodeNumbers.CLOSE_CODE_UNAUTHENTICATED,
  PermissionDenied: CloseCodeNumbers.CLOSE_CODE_PERMISSION_DENIED,
  AccessRevoked: CloseCodeNumbers.CLOSE_CODE_ACCESS_REVOKED,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The number of a channel in the schema, as batches carry it. */
export function channelNumberOf(channel: Channel): number {
  return 1 + CHANNELS.indexOf(channel);
}
