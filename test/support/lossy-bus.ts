import { readBusBatch } from "@tickwire/proto/codec";
import type { Bus, BusEvent, BusMessage, BusSubscribeOptions, BusSubscription } from "#bus/bus.ts";

/** A bus that loses what it is told to on the way to its subscribers, and counts it. */
export class LossyBus implements Bus {
  /** Whether a message on this subject is lost now. */
  loses: (subject: string) => boolean = () => false;
  /** What it says of itself; undefined: what the other bus says. */
  overloaded: boolean | undefined;
  /** Events of lost batches, by the subject of their topic. */
  readonly lostEvents = new Map<string, number>();
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  get kind(): Bus["kind"] {
    return this.#bus.kind;
  }

  get payloadBytesMax(): number {
    return this.#bus.payloadBytesMax;
  }

  get isOverloaded(): boolean {
    return this.overloaded ?? this.#bus.isOverloaded;
  }

  get droppedMessages(): number {
    return this.#bus.droppedMessages;
  }

  publish(subject: string, payload: Uint8Array): void {
    this.#bus.publish(subject, payload);
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options?: BusSubscribeOptions,
  ): BusSubscription {
    const receive = (message: BusMessage): void => {
      const { subject, payload } = message;
      if (!this.loses(subject)) handler(message);
      else if (subject.startsWith("md.")) {
        const known = this.lostEvents.get(subject) ?? 0;
        this.lostEvents.set(subject, known + readBusBatch(payload).count);
      }
    };
    return this.#bus.subscribe(pattern, receive, options);
  }

  request(
    subject: string,
    payload: Uint8Array,
    options: { readonly timeoutMs: number },
  ): Promise<Uint8Array> {
    return this.#bus.request(subject, payload, options);
  }

  flush(): Promise<void> {
    return this.#bus.flush();
  }

  onEvent(listener: (event: BusEvent) => void): () => void {
    return this.#bus.onEvent(listener);
  }

  drain(): Promise<void> {
    return this.#bus.drain();
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}
