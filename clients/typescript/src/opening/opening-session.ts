import { backoffDelayMs } from "../backoff.ts";
import type { BaseConnectOptions } from "../connect.ts";
import { ConnectionError } from "../errors.ts";
import type { Environment, WebSocketLike } from "../host/environment.ts";
import { LateCode } from "../host/late-code.ts";
import { bytesOf, fieldsOf, messageBytes, messageOf, numberOf, textOf } from "../lite/wire.ts";
import type { BareSession, ClientSession, EarlyLink } from "../session/client-session.ts";
import { CLIENT_NAME, CLIENT_VERSION, PROTOCOL_VERSION, SUBPROTOCOL } from "../session/greeting.ts";
import type { ClientState, StateListener, StateReason } from "../session/session.ts";
import { shownAddress } from "../session/shown-address.ts";
import { streamUrl } from "../session/stream-url.ts";
import type { ChannelSource } from "../topics/channel-source.ts";
import type { TransportKind } from "../transports/transport-kind.ts";
import type { Attachment, Opened, SocketEnd, Whole } from "./opened.ts";
import { OpeningTopics } from "./opening-topics.ts";

// Kinds of the schema's ServerMessage and ClientMessage.
const WELCOME = 1;
const HELLO = 1;

/** From the dial to Welcome. */
const CONNECT_MS_MAX = 10_000;
/** The rest of the code comes so long after Welcome, also if there is nothing to read. */
const QUIET_MS_MAX = 2_000;
/** Topics that are asked for before the code has come; others wait for it. */
const TOPICS_MAX = 20;
/** Below so many requests a second the pace is what takes over knows. */
const REQUESTS_PER_SECOND_MIN = 50;
/** What has come, and waits for what takes over; at more the connection is given up. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const BACKOFF = { baseMs: 500, maxMs: 20_000 };

/** Takes over from an opening. */
type TakeOver = (opened: Opened) => Whole;

/**
 * A session of which a page loads at first what it takes to be welcomed, and to read the trades and
 * quotes of topics by their names. Everything else is in what takes over as soon as it has come,
 * which is loaded when the first events are there: patterns, books, options, calls; and whatever
 * the gateway says or the network does, which waits for it here.
 */
export class OpeningSession implements ClientSession {
  readonly #address: string;
  readonly #url: string;
  readonly #options: BaseConnectOptions;
  readonly #environment: Environment;
  readonly #link: EarlyLink;
  readonly #code: LateCode<TakeOver>;
  readonly #listeners = new Set<StateListener>();
  readonly #sent: Uint8Array[] = [];
  readonly #past: (readonly Attachment[] | Uint8Array)[] = [];
  /** What has come since it was too much for the opening. */
  readonly #waiting: unknown[] = [];
  #keptBytes = 0;
  #socket: WebSocketLike | undefined;
  #end: SocketEnd | undefined;
  #topics: OpeningTopics | undefined;
  #opened: Pick<Opened, "channels" | "hiddenIntervalMs"> | undefined;
  #topicsMax = 0;
  #sessionId: string | undefined;
  #state: ClientState = "connecting";
  #closedBy: ConnectionError | undefined;
  #loading: Promise<BareSession> | undefined;
  #cancelTimer: () => void = () => undefined;
  #isVisible = true;
  readonly #unwatch: () => void;
  #whole: Whole | undefined;

  /** Throws ConnectionError for a bad address. `load` brings what takes over. */
  constructor(
    address: string,
    options: BaseConnectOptions,
    environment: Environment,
    load: () => Promise<TakeOver>,
  ) {
    this.#address = address;
    this.#url = streamUrl(address);
    this.#options = options;
    this.#environment = environment;
    const { clock, random } = environment;
    this.#link = {
      clock,
      random,
      backoff: BACKOFF,
      nextFrame: (callback) => environment.nextFrame(callback),
      reportUncaught: (error) => environment.reportUncaught(error),
    };
    this.#code = new LateCode(load, this.#link);
    this.#unwatch = environment.watchVisibility((isVisible) => {
      this.#isVisible = isVisible;
    });
  }

  get link(): EarlyLink {
    return this.#link;
  }

  get state(): ClientState {
    return this.#whole?.session.state ?? this.#state;
  }

  get welcome(): { readonly sessionId: string } | undefined {
    if (this.#whole !== undefined) return this.#whole.session.welcome;
    const sessionId = this.#sessionId;
    return sessionId === undefined || this.#state !== "connected" ? undefined : { sessionId };
  }

  get url(): string {
    return this.#whole?.session.url ?? shownAddress(this.#url);
  }

  get transport(): TransportKind | undefined {
    if (this.#whole !== undefined) return this.#whole.session.transport;
    return this.#state === "connected" ? "websocket" : undefined;
  }

  get endError(): ConnectionError | undefined {
    return this.#whole?.session.endError;
  }

  get closedBy(): ConnectionError | undefined {
    return this.#whole === undefined ? this.#closedBy : this.#whole.session.closedBy;
  }

  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  openTopics(channels: ChannelSource, hiddenIntervalMs: number): OpeningTopics {
    const { clock } = this.#environment;
    this.#opened = { channels, hiddenIntervalMs };
    this.#topics = new OpeningTopics({
      nowUs: () => clock.nowUs(),
      topicsMax: () => this.#topicsMax,
      isGoing: () => this.#isGoing,
      ask: (attachments, message) => {
        this.#past.push(attachments);
        this.#send(message);
      },
      need: () => this.#preload(),
    });
    return this.#topics;
  }

  whole(): Promise<BareSession> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /**
   * Dials. `open` when the gateway has welcomed the client, `silent` if it has not in time,
   * `failed` for any other reason: whoever knows all reasons is to try.
   */
  open(signal: AbortSignal | undefined): Promise<"open" | "silent" | "failed"> {
    const { openWebSocket, clock } = this.#environment;
    return new Promise((resolve) => {
      const settle = (outcome: "open" | "silent" | "failed") => {
        cancelTimer();
        signal?.removeEventListener("abort", giveUp);
        if (outcome === "open") this.#begin();
        else {
          this.#unwatch();
          this.#letGo(4005);
        }
        resolve(outcome);
      };
      const giveUp = () => settle("failed");
      const cancelTimer = clock.after(CONNECT_MS_MAX, () => settle("silent"));
      signal?.addEventListener("abort", giveUp, { once: true });
      try {
        const compression = this.#options.compression ?? true;
        const socket = openWebSocket(this.#url, [SUBPROTOCOL], { compression });
        this.#socket = socket;
        if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
        socket.onopen = () => (socket.protocol === SUBPROTOCOL ? this.#greet() : giveUp());
        socket.onmessage = ({ data }: { data: unknown }) =>
          settle(this.#welcomes(data) ? "open" : "failed");
        socket.onerror = () => undefined;
        socket.onclose = giveUp;
      } catch {
        // Why, is said by who tries next.
        giveUp();
      }
    });
  }

  close(message = "the client was closed"): void {
    if (this.#whole !== undefined) {
      this.#whole.session.close(message);
      return;
    }
    if (this.#state === "closed") return;
    const error = new ConnectionError("client-closed", message);
    this.#closedBy = error;
    this.#tell("closed", { code: error.code, reason: message, url: this.url, error });
    this.#topics?.close();
    this.#unwatch();
    this.#letGo(1000);
  }

  /** Whether frames are handed on here. */
  get #isGoing(): boolean {
    return this.#state === "connected" && this.#waiting.length === 0 && this.#end === undefined;
  }

  #greet(): void {
    const { token, clientName = CLIENT_NAME, compression = true } = this.#options;
    const accessToken = typeof token === "string" ? token : undefined;
    const hello = messageBytes(
      [1, PROTOCOL_VERSION],
      [2, clientName],
      [3, CLIENT_VERSION],
      [4, compression],
      [5, true],
      [6, accessToken],
      [13, true],
    );
    this.#send(messageBytes([HELLO, hello]));
  }

  #send(message: readonly number[]): void {
    const frame = Uint8Array.from(messageBytes([1, message]));
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
      const requestsMax = numberOf(limits, 5) || Infinity;
      if (requestsMax >= REQUESTS_PER_SECOND_MIN) {
        this.#topicsMax = Math.min(TOPICS_MAX, numberOf(limits, 3) || TOPICS_MAX);
      }
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
    const reason = `session ${this.#sessionId}`;
    this.#tell("connected", { code: "welcome", reason, url: this.url });
  }

  #receive(data: unknown): void {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    const isBinary = bytes instanceof Uint8Array;
    this.#keptBytes += isBinary ? bytes.length : 0;
    const events = isBinary && this.#isGoing ? (this.#topics?.take(bytes) ?? -1) : -1;
    if (events >= 0) {
      this.#past.push(bytes as Uint8Array);
      // After this turn, in which the page may draw what has come.
      if (events > 0) this.#preloadAfter(1);
    } else if (this.#end === undefined) {
      this.#waiting.push(data);
      this.#preload();
    }
    if (this.#keptBytes > KEPT_BYTES_MAX) this.#lose();
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
    if (this.#loading !== undefined) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#environment.clock.after(delayMs, () => this.#preload());
  }

  /** Its failure is told where it matters. */
  #preload(): void {
    if (this.#whole === undefined && this.#state !== "closed") {
      this.whole().catch(() => undefined);
    }
  }

  async #load(): Promise<BareSession> {
    this.#cancelTimer();
    let takeOver: TakeOver;
    try {
      takeOver = await this.#code.get();
    } catch (cause) {
      throw this.#notLoaded(cause);
    }
    if (this.#closedBy !== undefined) throw this.#closedBy;
    const whole = takeOver({
      url: this.#address,
      options: this.#options,
      environment: this.#environment,
      isVisible: this.#isVisible,
      socket: this.#socket!,
      sent: this.#sent,
      past: this.#past,
      ...this.#opened!,
    });
    this.#whole = whole;
    this.#unwatch();
    const { session, topics } = whole;
    session.onState((state, reason) => this.#tell(state, reason));
    // While its code did not come, the connection may have been told to be lost.
    const isBack = this.#state !== "connected" && session.state === "connected";
    if (isBack && this.#end === undefined) {
      this.#tell("connected", { code: "welcome", reason: "", url: this.url });
    }
    this.#topics?.handOver(topics);
    whole.goOn(this.#waiting, this.#end);
    return session;
  }

  /** It is tried again for as long as the client lives. */
  #notLoaded(cause: unknown): ConnectionError {
    const message = "the rest of the client's code could not be loaded";
    const error = new ConnectionError("connect-failed", message, { retryable: true, cause });
    this.#loading = undefined;
    if (this.#state === "closed") return error;
    const delayMs = backoffDelayMs(Infinity, BACKOFF, this.#environment.random);
    this.#preloadAfter(delayMs);
    this.#topics?.failLater(error);
    if (!this.#isGoing) {
      this.#letGo(4000);
      this.#end ??= { code: 1006, reason: "" };
      this.#preloadAfter(delayMs);
      this.#tell("reconnecting", { code: error.code, reason: message, url: this.url, error });
    }
    return error;
  }

  #tell(state: ClientState, reason: StateReason): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state, reason);
      } catch (error) {
        this.#environment.reportUncaught(error);
      }
    }
  }
}

function binaryOf(data: unknown): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer);
}
