import { backoffDelayMs } from "../backoff.ts";
import { ConnectionError } from "../errors.ts";
import type { BareEnvironment, WebSocketLike } from "../host/environment.ts";
import type { LateCode } from "../host/late-code.ts";
import type { SocketEnd } from "../opening/opened.ts";
import { CLIENT_VERSION, PROTOCOL_VERSION, SUBPROTOCOL } from "../session/greeting.ts";
import type { ClientState } from "../session/session.ts";
import { streamUrl } from "../session/stream-url.ts";
import { FirstFrames } from "./first-frames.ts";
import { LITE_CLIENT_NAME, type LiteConnectOptions } from "./lite-options.ts";
import { intervalConflict } from "./lite-session.ts";
import type {
  LiteAttachment,
  LiteOpened,
  LiteSession,
  LiteStateListener,
  LiteWhole,
  TopicsConsumer,
  TopicWish,
} from "./lite-session.ts";
import { bytesOf, fieldsOf, messageBytes, messageOf, numberOf, textOf, type Pair } from "./wire.ts";

// Kinds of the schema's ServerMessage and ClientMessage.
const WELCOME = 1;
const HELLO = 1;
const SUBSCRIBE = 2;

/** From the dial to Welcome, if the options say nothing. */
export const CONNECT_MS_MAX = 10_000;
/** The rest of the code comes so long after Welcome, also if there is nothing to read. */
const QUIET_MS_MAX = 2_000;
/** Topics that are asked for before the code has come; others wait for it. */
const TOPICS_MAX = 20;
/** What has come before what takes over; at more the connection is given up. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

/** Waits between dials, if the options say nothing, and between attempts to load. */
export const LITE_BACKOFF = { baseMs: 500, maxMs: 20_000 };

/** What takes over cannot be had. */
export function notLoaded(cause: unknown): ConnectionError {
  const message = "the rest of the client's code could not be loaded";
  return new ConnectionError("connect-failed", message, { retryable: true, cause });
}

/** Brings what takes over. */
type TakeOverCode = {
  readonly takeOverLite: (opened: LiteOpened) => LiteWhole;
};

/**
 * The small client's session of which a page loads at first what it takes to be welcomed, and to
 * read the first events. Everything else is in what takes over: it is loaded behind the first
 * events, and at once for whatever is out of the ordinary, which waits for it here.
 */
export class LiteOpening implements LiteSession {
  readonly #address: string;
  readonly #url: string;
  readonly #options: LiteConnectOptions;
  readonly #environment: BareEnvironment;
  readonly #code: LateCode<TakeOverCode>;
  readonly #listeners = new Set<LiteStateListener>();
  readonly #sent: Uint8Array[] = [];
  readonly #past: (readonly LiteAttachment[] | Uint8Array)[] = [];
  /** What has come since it was too much for the opening. */
  readonly #waiting: unknown[] = [];
  #frames = new FirstFrames<LiteAttachment>();
  /** Everybody who has come, asked for or not. */
  readonly #attachments = new Set<LiteAttachment>();
  /** Those who are not asked for here. */
  readonly #later = new Set<LiteAttachment>();
  #unsent: LiteAttachment[] = [];
  #keptBytes = 0;
  #topicsMax = 0;
  #socket: WebSocketLike | undefined;
  #end: SocketEnd | undefined;
  #sessionId: string | undefined;
  #state: ClientState = "connecting";
  #endError: ConnectionError | undefined;
  #isLoading = false;
  #cancelTimer: () => void = () => undefined;
  #whole: LiteSession | undefined;

  /** Throws ConnectionError for a bad address. */
  constructor(
    address: string,
    options: LiteConnectOptions,
    environment: BareEnvironment,
    code: LateCode<TakeOverCode>,
  ) {
    this.#address = address;
    this.#url = streamUrl(address);
    this.#options = options;
    this.#environment = environment;
    this.#code = code;
  }

  get state(): ClientState {
    return this.#state;
  }

  get sessionId(): string | undefined {
    if (this.#whole !== undefined) return this.#whole.sessionId;
    return this.#state === "connected" ? this.#sessionId : undefined;
  }

  get endError(): ConnectionError | undefined {
    return this.#whole?.endError ?? this.#endError;
  }

  onState(listener: LiteStateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Dials. True when the gateway has welcomed the client; false with `endError` where why not is
   * known here, and without where whoever knows all reasons is to try.
   */
  open(): Promise<boolean> {
    const { clock, openWebSocket } = this.#environment;
    const { signal } = this.#options;
    return new Promise((resolve) => {
      const settle = (isOpen: boolean) => {
        this.#cancelTimer();
        signal?.removeEventListener("abort", abort);
        if (isOpen) this.#begin();
        else this.#letGo(4005);
        resolve(isOpen);
      };
      const fail = () => settle(false);
      const failFor = (error: ConnectionError) => {
        this.#endError = error;
        fail();
      };
      const abort = () => failFor(closedByCaller());
      this.#cancelTimer = clock.after(CONNECT_MS_MAX, () => {
        const message = `no Welcome within ${CONNECT_MS_MAX} ms`;
        failFor(new ConnectionError("connect-timeout", message, { retryable: true }));
      });
      signal?.addEventListener("abort", abort, { once: true });
      try {
        const socket = openWebSocket(this.#url, [SUBPROTOCOL], { compression: true });
        this.#socket = socket;
        if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
        socket.onopen = () => (socket.protocol === SUBPROTOCOL ? this.#greet() : fail());
        socket.onmessage = ({ data }: { data: unknown }) => settle(this.#welcomes(data));
        socket.onerror = () => undefined;
        socket.onclose = fail;
      } catch {
        // Why, is said by who tries next.
        fail();
      }
    });
  }

  attach(names: readonly string[], wish: TopicWish, consumer: TopicsConsumer): void {
    if (this.#whole !== undefined) {
      this.#whole.attach(names, wish, consumer);
      return;
    }
    let topics = names.length;
    let isPlain = wish.conflationIntervalMs === 0;
    for (const other of this.#attachments) {
      const name = names.find((each) => other.topics.includes(each));
      const { conflationIntervalMs } = other.wish;
      if (name !== undefined && conflationIntervalMs !== wish.conflationIntervalMs) {
        throw intervalConflict(name, conflationIntervalMs);
      }
      isPlain &&= name === undefined;
      topics += other.topics.length;
    }
    const attachment = { topics: names, wish, consumer };
    this.#attachments.add(attachment);
    if (!isPlain || topics > this.#topicsMax) this.#attachLater(attachment);
    else {
      // Everything asked for in one turn goes into one request.
      if (this.#unsent.length === 0) queueMicrotask(() => this.#flush());
      this.#unsent.push(attachment);
    }
  }

  detach(names: readonly string[], consumer: TopicsConsumer): void {
    if (this.#whole !== undefined) this.#whole.detach(names, consumer);
    else {
      for (const each of this.#attachments) {
        if (each.consumer !== consumer) continue;
        this.#attachments.delete(each);
        // What was asked for is to be given up.
        if (!this.#later.delete(each)) this.#preload();
      }
    }
  }

  close(): void {
    if (this.#whole !== undefined) {
      this.#whole.close();
      return;
    }
    if (this.#endError !== undefined) return;
    this.#endError = closedByCaller();
    for (const { consumer } of this.#attachments) consumer.end(undefined);
    this.#tell("closed", this.#endError);
    this.#letGo(1000);
  }

  /** Whether frames are handed on here. */
  get #isGoing(): boolean {
    return this.#state === "connected" && this.#waiting.length === 0 && this.#end === undefined;
  }

  #greet(): void {
    const { token, clientName = LITE_CLIENT_NAME } = this.#options;
    this.#send(
      HELLO,
      [1, PROTOCOL_VERSION],
      [2, clientName],
      [3, CLIENT_VERSION],
      [4, true],
      [6, token as string | undefined],
    );
  }

  #send(kind: number, ...pairs: readonly Pair[]): void {
    const bytes = messageBytes([1, messageBytes([kind, messageBytes(...pairs)])]);
    const frame = Uint8Array.from(bytes);
    this.#sent.push(frame);
    try {
      this.#socket?.send(frame);
    } catch {
      this.#lose();
    }
  }

  /** Whether a frame is nothing but a Welcome that needs no explanation. */
  #welcomes(data: unknown): boolean {
    try {
      const bytes = binaryOf(data);
      const [message, ...more] = bytesOf(fieldsOf(bytes), 1).map((each) => fieldsOf(each));
      const welcome = message && messageOf(message, WELCOME);
      const limits = welcome && messageOf(welcome, 5);
      if (welcome === undefined || limits === undefined || more.length > 0) return false;
      this.#topicsMax = Math.min(TOPICS_MAX, numberOf(limits, 3) || TOPICS_MAX);
      this.#sessionId = textOf(welcome, 2);
      this.#past.push(bytes);
      return numberOf(welcome, 1) === PROTOCOL_VERSION;
    } catch {
      // Whatever is wrong with it, whoever tries next says it.
      return false;
    }
  }

  #begin(): void {
    const socket = this.#socket!;
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data);
    socket.onclose = (end: SocketEnd) => {
      this.#end ??= end;
      this.#preload();
    };
    this.#preloadAfter(QUIET_MS_MAX);
    this.#tell("connected", undefined);
  }

  #receive(data: unknown): void {
    // What is text is not of the ordinary.
    const bytes = typeof data === "string" ? undefined : binaryOf(data);
    this.#keptBytes += bytes?.length ?? 0;
    if (bytes !== undefined && this.#isGoing && this.#take(bytes)) this.#past.push(bytes);
    else if (this.#end === undefined) {
      this.#waiting.push(data);
      this.#preload();
    }
    if (this.#keptBytes > KEPT_BYTES_MAX) this.#lose();
  }

  /** False with nothing done if there is anything in a frame that is not of the ordinary. */
  #take(bytes: Uint8Array): boolean {
    const frame = this.#frames.read(bytes);
    if (frame === undefined) return false;
    for (const [{ consumer }, notice] of frame.starts) consumer.notice(notice);
    for (const [{ consumer }, { events }] of frame.readings) {
      for (const event of events) consumer.event(event as never);
      // After this turn, in which the page may draw what has come.
      this.#preloadAfter(1);
    }
    return true;
  }

  #flush(): void {
    if (this.#whole !== undefined) return;
    const group = this.#unsent.filter(({ consumer }) => !consumer.closed);
    this.#unsent = [];
    if (!this.#isGoing) for (const each of group) this.#attachLater(each);
    else if (group.length > 0) {
      const { asked } = this.#frames;
      asked.push(group);
      this.#past.push(group);
      const topics = group.flatMap((each) => each.topics);
      const wishes = topics.map((topic) => [2, messageBytes([1, topic])] as const);
      this.#send(SUBSCRIBE, [1, asked.length], ...wishes);
    }
  }

  #attachLater(attachment: LiteAttachment): void {
    this.#later.add(attachment);
    this.#preload();
  }

  /** As if the connection had broken: the next one resumes. */
  #lose(): void {
    if (this.#whole !== undefined) return;
    this.#letGo(4000);
    this.#end ??= { code: 1006, reason: "" };
    this.#preload();
  }

  #letGo(closeCode: number): void {
    this.#cancelTimer();
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // `ws` throws an error that nobody listens to, and one may still come.
    socket.onerror = () => undefined;
    try {
      socket.close(closeCode);
    } catch {
      // What cannot even be closed is left to the host.
      return;
    }
  }

  #preloadAfter(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#environment.clock.after(delayMs, () => this.#preload());
  }

  #preload(): void {
    if (this.#isLoading || this.#whole !== undefined || this.#endError !== undefined) return;
    this.#isLoading = true;
    this.#cancelTimer();
    this.#code.get().then(
      ({ takeOverLite }) => this.#handOver(takeOverLite),
      (cause: unknown) => this.#notLoaded(notLoaded(cause)),
    );
  }

  #handOver(takeOver: TakeOverCode["takeOverLite"]): void {
    if (this.#endError !== undefined) return;
    const whole = takeOver({
      url: this.#address,
      options: this.#options,
      environment: this.#environment,
      socket: this.#socket!,
      sent: this.#sent,
      past: this.#past,
    });
    const { session } = whole;
    this.#whole = session;
    session.onState((state, error) => this.#tell(state, error));
    for (const { topics, wish, consumer } of [...this.#later, ...this.#unsent]) {
      if (!consumer.closed) session.attach(topics, wish, consumer);
    }
    whole.goOn(this.#waiting, this.#end);
    // Nothing is kept of what has been.
    for (const list of [this.#past, this.#sent, this.#waiting, this.#unsent]) list.length = 0;
    this.#attachments.clear();
    this.#later.clear();
    this.#frames = new FirstFrames();
  }

  /** It is tried again for as long as the client lives. */
  #notLoaded(error: ConnectionError): void {
    this.#isLoading = false;
    if (this.#endError !== undefined) return;
    for (const { consumer } of this.#later) consumer.end(error);
    if (!this.#isGoing) {
      this.#letGo(4000);
      this.#end ??= { code: 1006, reason: "" };
      this.#tell("reconnecting", error);
    }
    const { random } = this.#environment;
    this.#preloadAfter(backoffDelayMs(Infinity, LITE_BACKOFF, random));
  }

  #tell(state: ClientState, error: ConnectionError | undefined): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state, error);
      } catch (thrown) {
        this.#environment.reportUncaught(thrown);
      }
    }
  }
}

function closedByCaller(): ConnectionError {
  return new ConnectionError("client-closed", "the client was closed");
}

function binaryOf(data: unknown): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer);
}
