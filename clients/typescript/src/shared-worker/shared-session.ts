import { ConnectionError } from "../errors.ts";
import { createEnvironment } from "../host/environment.ts";
import type { ClientSession, TopicSource } from "../session/client-session.ts";
import type { Limits } from "../session/connection.ts";
import { RequestPacer } from "../session/request-pacer.ts";
import type { SessionLink, SessionPart } from "../session/session-part.ts";
import type { ClientState, StateListener, StateReason } from "../session/session.ts";
import { StreamStats } from "../stats/stream-stats.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import type { TransportKind } from "../transports/transport-kind.ts";
import {
  unpackError,
  type PortLike,
  type SharedOptions,
  type TabMessage,
  type WorkerMessage,
} from "./port-messages.ts";
import { RemoteSubscriptions } from "./remote-subscriptions.ts";

/** The side of a tab: as a session, with the worker's connection in place of one of its own. */
export class SharedSession implements ClientSession {
  readonly link: SessionLink;
  readonly url: string;
  readonly #port: PortLike<TabMessage>;
  readonly #parts: SessionPart[] = [];
  readonly #listeners = new Set<StateListener>();
  readonly #onClose: () => void;
  #subscriptions: RemoteSubscriptions | undefined;
  #state: ClientState = "connecting";
  #sessionId: string | undefined;
  /** Of the worker's connection; undefined while there is none. */
  #limits: Limits | undefined;
  #endError: ConnectionError | undefined;
  #closedBy: ConnectionError | undefined;
  #transport: TransportKind | undefined;

  constructor(
    port: PortLike<TabMessage>,
    given: {
      readonly url: string;
      readonly options: SharedOptions;
      readonly lockName: string | undefined;
      readonly onClose: () => void;
    },
  ) {
    const { url, options, lockName, onClose } = given;
    this.#port = port;
    this.#onClose = onClose;
    this.url = url;
    const environment = createEnvironment({});
    const { clock, random } = environment;
    this.link = {
      clock,
      random,
      backoff: { baseMs: 500, maxMs: 20_000 },
      // The worker keeps the pace of all tabs.
      pacer: new RequestPacer(clock),
      send: (messages) => this.#post({ kind: "send", messages }),
      reconnect: () => undefined,
      watchVisibility: (listener) => environment.watchVisibility(listener),
      nextFrame: (callback) => environment.nextFrame(callback),
      reportUncaught: (error) => environment.reportUncaught(error),
    };
    port.onmessage = ({ data }: { readonly data: WorkerMessage }) => this.#handle(data);
    port.start?.();
    this.#post({ kind: "hello", url, options, lockName });
  }

  get state(): ClientState {
    return this.#state;
  }

  get endError(): ConnectionError | undefined {
    return this.#endError;
  }

  get closedBy(): ConnectionError | undefined {
    return this.#closedBy;
  }

  get transport(): TransportKind | undefined {
    return this.#transport;
  }

  get welcome(): { readonly sessionId: string } | undefined {
    return this.#sessionId === undefined ? undefined : { sessionId: this.#sessionId };
  }

  /** One that comes late is told at once how the session stands. */
  carry(part: SessionPart): void {
    this.#parts.push(part);
    if (this.#closedBy !== undefined) part.close(this.#closedBy, this.#endError !== undefined);
    else if (this.#limits !== undefined) part.handleConnected(this.#limits);
  }

  /** The worker has subscribed them, and slows what nobody looks at. */
  openTopics(_channels: ChannelSource, _hiddenIntervalMs: number): TopicSource {
    const stats = new StreamStats(this.link);
    const meterOf = (topic: string) => stats.meterOf(topic);
    const topics = new RemoteSubscriptions((message) => this.#post(message), meterOf);
    this.#subscriptions = topics;
    this.carry(stats);
    return Object.assign(topics, { stats: () => stats.take() });
  }

  whole(): Promise<this> {
    return Promise.resolve(this);
  }

  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(message = "the client was closed"): void {
    this.#end(new ConnectionError("client-closed", message), false);
  }

  #post(message: TabMessage): void {
    if (this.#state !== "closed") this.#port.postMessage(message);
  }

  #handle(message: WorkerMessage): void {
    if (this.#state === "closed") return;
    switch (message.kind) {
      case "state":
        this.#handleState(message);
        return;
      case "items":
        this.#subscriptions?.take(message.items);
        this.#post({ kind: "ack" });
        return;
      case "message":
        for (const part of this.#parts) part.handleMessage(message.message);
    }
  }

  #handleState(message: Extract<WorkerMessage, { kind: "state" }>): void {
    const { state, reason, error, sessionId, limits } = message;
    this.#transport = message.transport;
    this.#sessionId = sessionId;
    this.#limits = limits;
    if (state === "closed") {
      const cause = error && unpackError(error);
      const fallback = new ConnectionError("connection-lost", "the worker's connection is over");
      this.#end(cause instanceof ConnectionError ? cause : fallback, true);
      return;
    }
    const before = this.#state;
    if (state === before) return;
    if (before === "connected") {
      const lost = new ConnectionError("connection-lost", "the worker lost its connection", {
        retryable: true,
      });
      for (const part of this.#parts) part.handleDisconnected(lost);
      this.#subscriptions?.disconnected();
    }
    this.#setState(state, reason as StateReason);
    if (limits !== undefined) for (const part of this.#parts) part.handleConnected(limits);
  }

  #end(error: ConnectionError, isFailure: boolean): void {
    if (this.#state === "closed") return;
    this.#endError = isFailure ? error : undefined;
    this.#closedBy = error;
    for (const part of this.#parts) part.close(error, isFailure);
    this.#subscriptions?.close(error, isFailure);
    this.#post({ kind: "bye" });
    this.#setState("closed", { code: error.code, reason: error.message, url: this.url, error });
    this.#port.close();
    this.#onClose();
  }

  #setState(state: ClientState, reason: StateReason): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state, reason);
      } catch (error) {
        this.link.reportUncaught(error);
      }
    }
  }
}
