import type { CancelTimer, Clock } from "#core/clock.ts";
import {
  BusError,
  type Bus,
  type BusContent,
  type BusEvent,
  type BusMessage,
  type BusSubscribeOptions,
  type BusSubscription,
  type RequestOptions,
} from "./bus.ts";
import {
  checkPattern,
  checkSize,
  checkSubject,
  closedError,
  requestTimeout,
} from "./bus-errors.ts";
import {
  DeliveryQueue,
  DeliveryTarget,
  PENDING_MESSAGES_MAX,
  type HandlerErrorListener,
  type Schedule,
} from "./delivery-queue.ts";
import { GivenMessage } from "./given-message.ts";
import { hasWildcard, matchesTokens } from "./subject.ts";

type MemoryBusOptions = {
  /** For request time-outs. */
  readonly clock: Clock;
  /** When messages are delivered; default setImmediate. */
  readonly schedule?: Schedule;
  /** Default 1 MiB, as a NATS server has it. */
  readonly payloadBytesMax?: number;
  /** Without it, what a handler throws becomes an uncaught exception. */
  readonly onHandlerError?: HandlerErrorListener;
};

const PAYLOAD_BYTES_MAX = 1_048_576;

/** Subjects whose subscribers are remembered; at the limit all are forgotten and found anew. */
const ROUTES_MAX = 200_000;

class Subscription extends DeliveryTarget {
  readonly queueGroup: string | undefined;
  readonly tokens: readonly string[];

  constructor(
    options: ConstructorParameters<typeof DeliveryTarget>[0] & {
      readonly queueGroup: string | undefined;
    },
  ) {
    super(options);
    this.queueGroup = options.queueGroup;
    this.tokens = options.pattern.split(".");
  }
}

/** Who gets the messages of one subject. */
type Route = {
  readonly targets: Subscription[];
  readonly groups: Map<string, { readonly members: Subscription[]; next: number }>;
};

type PendingRequest = { readonly reject: (error: BusError) => void };

/** The bus within one process: no copies, no sockets, the same guarantees as the other. */
export class MemoryBus implements Bus {
  readonly kind = "memory";
  readonly payloadBytesMax: number;
  readonly #clock: Clock;
  readonly #queue: DeliveryQueue;
  readonly #exact = new Map<string, Set<Subscription>>();
  readonly #wild = new Set<Subscription>();
  readonly #routes = new Map<string, Route>();
  readonly #requests = new Set<PendingRequest>();
  readonly #listeners = new Set<(event: BusEvent) => void>();
  #state: "open" | "draining" | "closed" = "open";
  #draining: Promise<void> | undefined;

  constructor(options: MemoryBusOptions) {
    this.#clock = options.clock;
    this.payloadBytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX;
    this.#queue = new DeliveryQueue({
      monotonicUs: () => this.#clock.monotonicUs(),
      schedule: options.schedule ?? ((run) => void setImmediate(run)),
      onHandlerError: options.onHandlerError,
      onSlowConsumer: (pattern, dropped) => this.#tell({ kind: "slow-consumer", pattern, dropped }),
    });
  }

  get isOverloaded(): boolean {
    return this.#queue.isDropping;
  }

  get droppedMessages(): number {
    return this.#queue.dropped;
  }

  publish(subject: string, payload: Uint8Array, content?: BusContent): void {
    const route = this.#check(subject, payload);
    if (route.targets.length === 0 && route.groups.size === 0) return;
    this.#route(route, new GivenMessage(subject, payload, content));
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void,
    options: BusSubscribeOptions = {},
  ): BusSubscription {
    this.#checkOpen();
    checkPattern(pattern);
    const subscription: Subscription = new Subscription({
      pattern,
      handler,
      pendingMax: options.pendingMessagesMax ?? PENDING_MESSAGES_MAX,
      queueGroup: options.queueGroup,
      remove: () => this.#remove(subscription),
    });
    if (hasWildcard(pattern)) {
      this.#wild.add(subscription);
      this.#routes.clear();
    } else {
      const known = this.#exact.get(pattern);
      if (known === undefined) this.#exact.set(pattern, new Set([subscription]));
      else known.add(subscription);
      this.#routes.delete(pattern);
    }
    return subscription;
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const route = this.#check(subject, payload);
      if (route.targets.length === 0 && route.groups.size === 0) {
        throw new BusError("no-responders", `nobody answers on ${subject}`);
      }
      let cancel: CancelTimer | undefined;
      const settle = (finish: () => void): void => {
        if (!this.#requests.delete(pending)) return;
        cancel?.();
        finish();
      };
      const pending: PendingRequest = { reject: (error) => settle(() => reject(error)) };
      this.#requests.add(pending);
      const { timeoutMs } = options;
      cancel = this.#clock.after(timeoutMs, () => {
        pending.reject(requestTimeout(subject, timeoutMs));
      });
      this.#route(
        route,
        new GivenMessage(
          subject,
          payload,
          undefined,
          (answer) => {
            checkSize(answer, this.payloadBytesMax);
            // Behind what was published before it. Nothing rejects: closing resolves it as well.
            void this.#queue.whenDelivered().then(() => settle(() => resolve(answer)));
          },
          options.headers,
        ),
      );
    });
  }

  async flush(): Promise<void> {
    if (this.#state === "closed") throw closedError();
    await this.#settled();
  }

  onEvent(listener: (event: BusEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  drain(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      this.#draining = this.#drain();
    }
    return this.#draining ?? Promise.resolve();
  }

  close(): Promise<void> {
    this.#shut("closed");
    return Promise.resolve();
  }

  async #drain(): Promise<void> {
    await this.#settled();
    this.#shut("drained");
  }

  async #settled(): Promise<void> {
    await this.#queue.whenDelivered();
    // What was delivered may have been answered, and answers wait for what was published then.
    await this.#queue.whenDelivered();
  }

  #shut(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const pending of this.#requests) pending.reject(closedError());
    for (const subscription of this.#subscriptions()) subscription.closed = true;
    this.#exact.clear();
    this.#wild.clear();
    this.#routes.clear();
    this.#queue.clear();
    this.#tell({ kind: "closed", reason });
    this.#listeners.clear();
  }

  *#subscriptions(): Iterable<Subscription> {
    yield* this.#wild;
    for (const set of this.#exact.values()) yield* set;
  }

  #remove(subscription: Subscription): void {
    const { pattern } = subscription;
    if (this.#wild.delete(subscription)) {
      this.#routes.clear();
      return;
    }
    const set = this.#exact.get(pattern);
    set?.delete(subscription);
    if (set?.size === 0) this.#exact.delete(pattern);
    this.#routes.delete(pattern);
  }

  #check(subject: string, payload: Uint8Array): Route {
    this.#checkOpen();
    checkSize(payload, this.payloadBytesMax);
    const known = this.#routes.get(subject);
    if (known !== undefined) return known;
    checkSubject(subject);
    return this.#find(subject);
  }

  #checkOpen(): void {
    if (this.#state !== "open") throw closedError();
  }

  #find(subject: string): Route {
    const route: Route = { targets: [], groups: new Map() };
    for (const subscription of this.#exact.get(subject) ?? []) join(route, subscription);
    if (this.#wild.size > 0) {
      const tokens = subject.split(".");
      for (const subscription of this.#wild) {
        if (matchesTokens(subscription.tokens, tokens)) join(route, subscription);
      }
    }
    if (this.#routes.size >= ROUTES_MAX) this.#routes.clear();
    this.#routes.set(subject, route);
    return route;
  }

  #route(route: Route, message: BusMessage): void {
    const { targets } = route;
    for (let index = 0; index < targets.length; index++) {
      this.#queue.push(targets[index]!, message);
    }
    if (route.groups.size === 0) return;
    for (const group of route.groups.values()) {
      group.next = (group.next + 1) % group.members.length;
      this.#queue.push(group.members[group.next]!, message);
    }
  }

  #tell(event: BusEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function join(route: Route, subscription: Subscription): void {
  const { queueGroup } = subscription;
  if (queueGroup === undefined) {
    route.targets.push(subscription);
    return;
  }
  const group = route.groups.get(queueGroup);
  if (group === undefined) route.groups.set(queueGroup, { members: [subscription], next: 0 });
  else group.members.push(subscription);
}
