/**
 * The smallest client: trades and quotes by name over a WebSocket.
 *
 * @module @tickwire/client/lite
 */
import { createBareEnvironment } from "./host/environment.ts";
import type { LiteClient } from "./lite/lite-face.ts";
import { connectOpening } from "./lite/lite-opening-connect.ts";
import type { LiteConnectOptions } from "./lite/lite-options.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * `ws://host:port` means its path `/v1/ws`.
 */
export function connect(url: string, options: LiteConnectOptions = {}): Promise<LiteClient> {
  return connectOpening(url, options, createBareEnvironment(options));
}

export {
  BufferOverflowError,
  ConnectionError,
  TickwireError,
  TopicRefusedError,
} from "./errors.ts";
export type { ConnectionErrorCode, TopicErrorCode, TopicRefusal } from "./errors.ts";
export type { Quote, Trade } from "./events/market-event.ts";
export type { NoticeEvent } from "./events/stream-events.ts";
export type { LiteClient, LiteStreamOptions } from "./lite/lite-face.ts";
export type { LiteConnectOptions } from "./lite/lite-options.ts";
export { onFrame } from "./lite/frames.ts";
export type { FrameUpdate } from "./streams/event-stream.ts";
export type { LiteStream } from "./lite/lite-stream.ts";
