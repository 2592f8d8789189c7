// What the entries export beside their connect(), whatever their client carries.
export type { BackoffOptions } from "../backoff.ts";
export { ConnectionError, TickwireError } from "../errors.ts";
export type {
  ConnectionErrorCode,
  ErrorCode,
  ErrorDetail,
  TickwireErrorOptions,
} from "../errors.ts";
export type { GatewayUrls } from "../connect.ts";
export type { AccessToken } from "../session/access-token.ts";
export { dateOfUs, isoOfUs, usOfDate } from "../events/times.ts";
export type { ClientClock, WebSocketConstructor, WebSocketLike } from "../host/environment.ts";
export type { FetchLike, ResponseLike } from "../transports/fetch-like.ts";
export type { TransportKind } from "../transports/transport-kind.ts";
export type { ClientState, StateListener, StateReason } from "../session/session.ts";
