import { createConnect, type BaseConnectOptions } from "../connect.ts";
import { ConnectionError, TickwireError } from "../errors.ts";
import type { ServerMessage } from "../session/frame.ts";
import type { Session } from "../session/session.ts";
import { ALL_CHANNELS } from "../topics/all-channels.ts";
import { Consumer } from "../topics/consumer.ts";
import { Subscriptions } from "../topics/subscriptions.ts";
import { CallRelay } from "./call-relay.ts";
import { packError, type PortLike, type TabMessage, type WorkerMessage } from "./port-messages.ts";
import { TabQueue } from "./tab-queue.ts";

type AttachMessage = Extract<TabMessage, { kind: "attach" }>;

/** One connection to the gateway, with what it carries for the tabs. */
type Line = { readonly session: Session; readonly subscriptions: Subscriptions };

/** What a tab has subscribed: where, and for whom. */
type Attachment = { consumer: Consumer; line: Line; readonly asked: AttachMessage };

/** Connections of one worker: a topic that two tabs want in two ways needs two. */
const LINES_MAX = 4;

/** Waits until a lock is free: its holder is gone. */
type WhenLockFree = (name: string, callback: () => void) => void;

/** The side of the worker: one connection for all tabs that say the same address and options. */
export class SharedHost {
  readonly #whenLockFree: WhenLockFree;
  readonly #lines: Line[] = [];
  readonly #tabs = new Set<Tab>();
  #relay: CallRelay | undefined;
  #connect: (() => Line | undefined) | undefined;

  constructor(whenLockFree: WhenLockFree) {
    this.#whenLockFree = whenLockFree;
  }

  /** Tabs that are there. */
  get tabs(): number {
    return this.#tabs.size;
  }

  /** A tab has come. */
  join(port: PortLike<WorkerMessage>): void {
    const tab = new Tab(port, {
      hello: (message) => this.#hello(tab, message),
      attach: (consumer, asked) => this.#attach(consumer, asked),
      lines: this.#lines,
      relay: () => this.#relay,
      gone: () => this.#leave(tab),
    });
    this.#tabs.add(tab);
  }

  #hello(tab: Tab, { url, options, lockName }: Extract<TabMessage, { kind: "hello" }>): void {
    this.#connect ??= () => this.#open(url, options as BaseConnectOptions);
    if (this.#lines[0] === undefined || this.#lines[0].session.state === "closed") {
      this.#closeLines();
      this.#connect();
    }
    if (lockName !== undefined) this.#whenLockFree(lockName, () => tab.close());
    this.#tellState(tab);
  }

  /** There can be no connection with such options. */
  #refuse(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : "the options are bad";
    const error = packError(new ConnectionError("connect-failed", message));
    const reason = { code: "connect-failed", reason: message, url: "" } as const;
    const nothing = { sessionId: undefined, transport: undefined, limits: undefined };
    for (const tab of this.#tabs) {
      tab.post({ kind: "state", state: "closed", reason, error, ...nothing });
      tab.close();
    }
    this.#connect = undefined;
  }

  #open(url: string, options: BaseConnectOptions): Line | undefined {
    let line: Line | undefined;
    const isFirst = this.#lines.length === 0;
    const connect = createConnect((session) => {
      const subscriptions = new Subscriptions(session.link, ALL_CHANNELS);
      session.carry(subscriptions);
      if (isFirst) {
        this.#relay = new CallRelay(session.link);
        session.carry(this.#relay);
        session.onState(() => {
          for (const tab of this.#tabs) this.#tellState(tab);
        });
      }
      line = { session, subscriptions };
    });
    // Whoever connects hears of it by the state; of bad options, by what follows here.
    connect(url, { ...options, waitForFirstConnect: true }).catch((error: unknown) => {
      if (line === undefined) this.#refuse(error);
    });
    if (line !== undefined) this.#lines.push(line);
    return line;
  }

  #tellState(tab: Tab): void {
    const line = this.#lines[0];
    if (line === undefined) return;
    const { state, welcome, endError, transport } = line.session;
    tab.post({
      kind: "state",
      state,
      reason: {
        code: state === "connected" ? "welcome" : "connection-lost",
        reason: state,
      } as never,
      error: endError && packError(endError),
      sessionId: welcome?.sessionId,
      transport,
      limits: state === "connected" ? welcome?.limits : undefined,
    });
  }

  /** On the first connection that can serve it. Throws TickwireError if none can. */
  #attach(consumer: Consumer, asked: AttachMessage): Line {
    for (let index = 0; ; index += 1) {
      const line = this.#lines[index] ?? this.#connect?.();
      if (line === undefined) throw new TickwireError("options-conflict", "no connection");
      try {
        line.subscriptions.attach(asked.topics, asked.options, consumer, () => undefined);
        return line;
      } catch (error) {
        const mayOpen = index + 1 < LINES_MAX;
        if (!(error instanceof TickwireError) || error.code !== "options-conflict" || !mayOpen) {
          throw error;
        }
      }
    }
  }

  #leave(tab: Tab): void {
    this.#tabs.delete(tab);
    if (this.#tabs.size === 0) this.#closeLines();
  }

  #closeLines(): void {
    for (const { session } of this.#lines.splice(0)) session.close();
  }
}

/** What a tab asks of the host. */
type TabHost = {
  readonly hello: (message: Extract<TabMessage, { kind: "hello" }>) => void;
  readonly attach: (consumer: Consumer, asked: AttachMessage) => Line;
  readonly lines: readonly Line[];
  readonly relay: () => CallRelay | undefined;
  readonly gone: () => void;
};

/** One tab, as the worker sees it. */
class Tab {
  readonly #port: PortLike<WorkerMessage>;
  readonly #host: TabHost;
  readonly #queue: TabQueue;
  readonly #attachments = new Map<number, Attachment>();
  #isGone = false;

  constructor(port: PortLike<WorkerMessage>, host: TabHost) {
    this.#port = port;
    this.#host = host;
    this.#queue = new TabQueue({
      post: (items) => this.post({ kind: "items", items }),
      overflow: (id) => this.#detach(id),
      rebase: (id) => this.#rebase(id),
    });
    port.onmessage = ({ data }: { readonly data: TabMessage }) => this.#handle(data);
    port.start?.();
  }

  post(message: WorkerMessage): void {
    if (!this.#isGone) this.#port.postMessage(message);
  }

  deliver(message: ServerMessage): void {
    this.post({ kind: "message", message });
  }

  /** The tab is gone, by its word or without one. Idempotent. */
  close(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    for (const id of this.#attachments.keys()) this.#detach(id);
    this.#host.relay()?.leave(this);
    this.#port.close();
    this.#host.gone();
  }

  #handle(message: TabMessage): void {
    if (this.#isGone) return;
    switch (message.kind) {
      case "hello":
        this.#host.hello(message);
        return;
      case "attach":
        this.#attach(message);
        return;
      case "detach":
        this.#detach(message.id);
        this.#queue.forget(message.id);
        return;
      case "update":
        for (const { subscriptions } of this.#host.lines) {
          subscriptions.update(message.topics, message.wish);
        }
        return;
      case "send":
        for (const sent of message.messages) this.#host.relay()?.send(this, sent);
        return;
      case "ack":
        this.#queue.answered();
        return;
      case "bye":
        this.close();
    }
  }

  #attach(asked: AttachMessage): void {
    const { id, bufferEventsMax } = asked;
    const queue = this.#queue;
    const consumer = new Consumer(asked.topics, {
      event: (event) => queue.event(id, event, bufferEventsMax),
      notice: (notice) => {
        if (notice.type !== "refused") queue.notice(id, notice, bufferEventsMax);
      },
      refused: (refused) => queue.push({ id, refused }),
      misfit: (info) => {
        queue.push({ id, info });
        return undefined;
      },
      end: (error) => {
        const isOwn = !this.#attachments.delete(id);
        if (!isOwn) queue.push({ id, ended: error && packError(error) });
      },
    });
    try {
      const line = this.#host.attach(consumer, asked);
      this.#attachments.set(id, { consumer, line, asked });
    } catch (error) {
      if (!(error instanceof TickwireError)) throw error;
      queue.push({ id, ended: packError(error) });
    }
  }

  #detach(id: number): void {
    const attachment = this.#attachments.get(id);
    this.#attachments.delete(id);
    attachment?.consumer.close(undefined);
  }

  /** Whoever joins gets the whole of a book. */
  #rebase(id: number): void {
    const attachment = this.#attachments.get(id);
    if (attachment === undefined) return;
    this.#detach(id);
    this.#attach(attachment.asked);
  }
}
