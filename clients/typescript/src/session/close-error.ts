import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";

// What close codes mean, each at its place; a blank more is a code that means nothing.
/** From 4000 on. */
const PASSING_CLOSES =
  "going-away slow-consumer internal overloaded rate-limited hello-timeout     access-expired access-limited access-unavailable";
/** From 4500 on, after which no client comes back. */
const TERMINAL_CLOSES =
  "protocol-error protocol-error frame-too-large unsupported-version unauthenticated permission-denied     access-revoked";
/** The protocol's codes for those of the WebSocket itself that say the same. */
const CODE_OF_WEB_SOCKET: ReadonlyMap<number, number> = /* @__PURE__ */ new Map([
  [1001, 4000],
  [1009, 4502],
  [1011, 4002],
]);

/**
 * The error for a connection that was closed with this code. The range of a code that is not in
 * the list says whether to connect again.
 */
export function connectionErrorOfClose(closeCode: number, reason: string): ConnectionError {
  const known = CODE_OF_WEB_SOCKET.get(closeCode) ?? closeCode;
  // 4500-4999 by the protocol, and 1009, since the same frames would be refused again.
  const terminal = known >= 4500 && known <= 4999;
  const codes = (terminal ? TERMINAL_CLOSES : PASSING_CLOSES).split(" ");
  const code = codes[known - (terminal ? 4500 : 4000)] as ConnectionErrorCode | undefined;
  return new ConnectionError(
    code || (terminal ? "protocol-error" : "connection-lost"),
    `connection closed with ${closeCode}${reason && `: ${reason}`}`,
    { retryable: !terminal, closeCode },
  );
}
