import { CloseCodeNumbers } from "@tickwire/proto/messages";

/** WebSocket close codes, from codes.proto. */
export const CloseCode = {
  GoingAway: CloseCodeNumbers.CLOSE_CODE_GOING_AWAY,
  SlowConsumer: CloseCodeNumbers.CLOSE_CODE_SLOW_CONSUMER,
  Internal: CloseCodeNumbers.CLOSE_CODE_INTERNAL,
  Overloaded: CloseCodeNumbers.CLOSE_CODE_OVERLOADED,
  RateLimited: CloseCodeNumbers.CLOSE_CODE_RATE_LIMITED,
  HelloTimeout: CloseCodeNumbers.CLOSE_CODE_HELLO_TIMEOUT,
  ProtocolError: CloseCodeNumbers.CLOSE_CODE_PROTOCOL_ERROR,
  TextFrame: CloseCodeNumbers.CLOSE_CODE_TEXT_FRAME,
  FrameTooLarge: CloseCodeNumbers.CLOSE_CODE_FRAME_TOO_LARGE,
  UnsupportedVersion: CloseCodeNumbers.CLOSE_CODE_UNSUPPORTED_VERSION,
  Unauthenticated: CloseCodeNumbers.CLOSE_CODE_UNAUTHENTICATED,
  PermissionDenied: CloseCodeNumbers.CLOSE_CODE_PERMISSION_DENIED,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** True if the code asks the client to come back: 4000 to 4499 do, 4500 to 4999 do not. */
export function isReconnectable(code: CloseCode): boolean {
  return code < 4500;
}
