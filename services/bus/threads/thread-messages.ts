import type { BusError, BusEvent, BusHeaders } from "../bus.ts";

/** One end of a channel between two threads, as a MessagePort is. */
export type PortEnd = {
  postMessage(message: unknown): void;
  on(event: "message", listener: (message: unknown) => void): unknown;
  close(): void;
};

/** What a thread asks of the thread that has the bus. Numbers are the thread's own. */
export type ThreadRequest =
  | {
      readonly kind: "subscribe";
      readonly number: number;
      readonly pattern: string;
      readonly queueGroup: string | undefined;
    }
  | { readonly kind: "unsubscribe"; readonly number: number }
  | { readonly kind: "publish"; readonly subject: string; readonly payload: Uint8Array }
  | {
      readonly kind: "request";
      readonly number: number;
      readonly subject: string;
      readonly payload: Uint8Array;
      readonly timeoutMs: number;
      readonly headers: BusHeaders | undefined;
    }
  | { readonly kind: "respond"; readonly reply: number; readonly payload: Uint8Array }
  | { readonly kind: "flush"; readonly number: number };

/** What a thread is sent beside its ring, each with a mark in the ring where its place is. */
export type ThreadObject =
  | {
      readonly kind: "message";
      /** Of the subscription. */
      readonly number: number;
      readonly subject: string;
      readonly payload: Uint8Array;
      readonly headers: BusHeaders | undefined;
      /** For the answer; undefined if none is expected. */
      readonly reply: number | undefined;
    }
  | { readonly kind: "answered"; readonly number: number; readonly payload: Uint8Array }
  | {
      readonly kind: "failed";
      readonly number: number;
      readonly code: BusError["code"];
      readonly message: string;
    }
  | { readonly kind: "event"; readonly event: BusEvent; readonly payloadBytesMax: number };

/**
 * Bytes that may be sent to another thread without what lies beside them: a view would be sent with
 * all of the memory that it is a view of.
 */
export function ownBytes(payload: Uint8Array): Uint8Array {
  if (payload.byteLength === payload.buffer.byteLength) return payload;
  return new Uint8Array(payload);
}
