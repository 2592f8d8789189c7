import { traced } from "#core/tracing.ts";
import type { Span, Tracing } from "#core/tracing.ts";
import type { Bus, BusMessage, BusSubscription } from "./bus.ts";
import { parseQuerySubject } from "./subject.ts";

/**
 * A bus whose requests and answers are spans, so that what an ingestor does for a gateway belongs
 * to the trace of whoever asked. What is published passes as it is. Only for processes that trace:
 * others use the bus itself.
 */
export function tracedBus(bus: Bus, tracing: Tracing): Bus {
  return {
    get kind() {
      return bus.kind;
    },
    get payloadBytesMax() {
      return bus.payloadBytesMax;
    },
    get isOverloaded() {
      return bus.isOverloaded;
    },
    get droppedMessages() {
      return bus.droppedMessages;
    },
    publish: (subject, payload, content) => bus.publish(subject, payload, content),
    subscribe(pattern, handler, options): BusSubscription {
      return bus.subscribe(pattern, (message) => handle(message, handler, tracing), options);
    },
    request(subject, payload, options) {
      const attributes = attributesOf(subject);
      // Whoever asks for somebody else, as for another thread, says what the span belongs to.
      const { headers } = options;
      const parent = headers === undefined ? {} : { headers };
      const kind = "client";
      const span = tracing.start(`ask ${questionOf(subject)}`, { kind, attributes, ...parent });
      return traced(span, () =>
        bus.request(subject, payload, { ...options, headers: span.headers() }),
      );
    },
    ...(bus.openLeases === undefined ? {} : { openLeases: bus.openLeases.bind(bus) }),
    flush: () => bus.flush(),
    onEvent: (listener) => bus.onEvent(listener),
    drain: () => bus.drain(),
    close: () => bus.close(),
  };
}

/** A message without headers is no question of somebody who traces. */
function handle(
  message: BusMessage,
  handler: (message: BusMessage) => void,
  tracing: Tracing,
): void {
  const { subject, headers } = message;
  if (headers === undefined) {
    handler(message);
    return;
  }
  const attributes = attributesOf(subject);
  const span = tracing.start(`answer ${questionOf(subject)}`, {
    kind: "server",
    attributes,
    headers,
  });
  try {
    span.within(() => handler(new TracedMessage(message, span)));
  } catch (error) {
    span.end({ message: "it failed" });
    throw error;
  }
}

/** Ends the span with its answer. */
class TracedMessage implements BusMessage {
  readonly #message: BusMessage;
  readonly #span: Span;

  constructor(message: BusMessage, span: Span) {
    this.#message = message;
    this.#span = span;
  }

  get subject(): string {
    return this.#message.subject;
  }

  get payload(): Uint8Array {
    return this.#message.payload;
  }

  get headers(): BusMessage["headers"] {
    return this.#message.headers;
  }

  get expectsAnswer(): boolean {
    return this.#message.expectsAnswer === true;
  }

  respond(payload: Uint8Array): void {
    try {
      this.#message.respond(payload);
    } finally {
      this.#span.end();
    }
  }
}

function attributesOf(subject: string): Readonly<Record<string, string>> {
  return { "messaging.system": "nats", "messaging.destination.name": subject };
}

/** Few names for many subjects. */
function questionOf(subject: string): string {
  return parseQuerySubject(subject)?.query ?? "message";
}
