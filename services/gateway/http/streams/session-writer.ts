import type { SendResult } from "../../transport/transport.ts";

/** Where what a session says goes: one streamed answer, or the answers of polls. */
export type SessionWriter = {
  /** Takes some bytes whole, unless it is closed. After `Buffered` a producer waits for a drain. */
  write(chunk: Uint8Array): SendResult;
  /** Bytes that the client may not have, as far as is known. */
  bufferedBytes(): number;
  /**
   * Calls back later, when the client has everything that was written before, as far as is known.
   * Never, if it goes before.
   */
  whenDelivered(callback: () => void): void;
  /** Ends behind what was written. Idempotent. */
  end(): void;
  /** Ends now. Idempotent. */
  abort(): void;
};

/** What a session hears of its writer. */
export type SessionWriterListener = {
  /** There is room again. */
  onDrain(): void;
  /** The client has gone, or has not come back. Called once, and not after `end` or `abort`. */
  onGone(): void;
};
