import {
  BufferOverflowError,
  ConnectionError,
  TickwireError,
  TopicRefusedError,
  type ErrorDetail,
  type TopicRefusal,
} from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import type { Limits } from "../session/connection.ts";
import type { ClientMessage, ServerMessage } from "../session/frame.ts";
import type { ClientState, StateReason } from "../session/session.ts";
import type { WireOptions } from "../topics/subscription-entry.ts";
import type { TopicInfo } from "../topics/topic.ts";
import type { ViewWish } from "../topics/view-wish.ts";
import type { TransportKind } from "../transports/transport-kind.ts";

/** What of a client's options goes to the worker, which makes the connection. */
export type SharedOptions = Readonly<Record<string, unknown>>;

/** From a tab to the worker. */
export type TabMessage =
  | {
      readonly kind: "hello";
      readonly url: string;
      readonly options: SharedOptions;
      /** Held by the tab for as long as it lives, where the host has locks. */
      readonly lockName: string | undefined;
    }
  | {
      readonly kind: "attach";
      readonly id: number;
      readonly topics: readonly string[];
      readonly options: WireOptions;
      readonly bufferEventsMax: number;
    }
  | { readonly kind: "detach"; readonly id: number }
  | {
      readonly kind: "update";
      readonly topics: readonly string[];
      readonly wish: Partial<ViewWish>;
    }
  | { readonly kind: "send"; readonly messages: readonly ClientMessage[] }
  /** So many batches of items were handled. */
  | { readonly kind: "ack" }
  | { readonly kind: "bye" };

/** Something for one consumer of a tab. */
export type TabItem =
  | { readonly id: number; readonly event: MarketEvent }
  | { readonly id: number; readonly notice: NoticeEvent }
  | { readonly id: number; readonly refused: TopicRefusal }
  | { readonly id: number; readonly info: TopicInfo }
  | { readonly id: number; readonly ended: PackedError | undefined };

/** From the worker to a tab. */
export type WorkerMessage =
  | {
      readonly kind: "state";
      readonly state: ClientState;
      readonly reason: Omit<StateReason, "error">;
      readonly error: PackedError | undefined;
      readonly sessionId: string | undefined;
      readonly transport: TransportKind | undefined;
      /** Of a connection that is ready now. */
      readonly limits: Limits | undefined;
    }
  | { readonly kind: "items"; readonly items: readonly TabItem[] }
  | { readonly kind: "message"; readonly message: ServerMessage };

/** An error as it travels: a copy of one is no instance of its class. */
type PackedError = {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: readonly ErrorDetail[];
  readonly closeCode?: number | undefined;
  readonly refusals?: readonly TopicRefusal[] | undefined;
  readonly bufferEventsMax?: number | undefined;
};

export function packError(error: TickwireError): PackedError {
  const { name, code, message, retryable, details } = error;
  return {
    name,
    code,
    message,
    retryable,
    details,
    closeCode: error instanceof ConnectionError ? error.closeCode : undefined,
    refusals: error instanceof TopicRefusedError ? error.refusals : undefined,
    bufferEventsMax: error instanceof BufferOverflowError ? error.bufferEventsMax : undefined,
  };
}

export function unpackError(packed: PackedError): TickwireError {
  const { code, message, retryable, details, closeCode, refusals, bufferEventsMax } = packed;
  if (refusals !== undefined) return new TopicRefusedError(refusals);
  if (bufferEventsMax !== undefined) return new BufferOverflowError(bufferEventsMax);
  if (packed.name !== "ConnectionError") {
    return new TickwireError(code as TickwireError["code"], message, { retryable, details });
  }
  const close = closeCode === undefined ? {} : { closeCode };
  const options = { retryable, details, ...close };
  return new ConnectionError(code as ConnectionError["code"], message, options);
}

/** What of a MessagePort is used. */
export type PortLike<Out> = {
  postMessage(message: Out): void;
  onmessage: ((event: { readonly data: never }) => void) | null;
  start?(): void;
  close(): void;
};
