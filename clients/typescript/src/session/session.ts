import type { BackoffOptions } from "../backoff.ts";
import type { ClientConnection, ConnectionFactory, Welcome } from "./connection.ts";
import type { Environment } from "../host/environment.ts";
import type { NetworkChange } from "../host/page-events.ts";
import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";
import { FrameCodec, SESSION_MEMBERS, type ServerMessage } from "./frame.ts";
import { GatewayAddresses } from "./gateway-addresses.ts";
import { RequestPacer } from "./request-pacer.ts";
import { sessionStep, type SessionEvent, type SessionPhase } from "./session-machine.ts";
import type { SessionLink, SessionPart } from "./session-part.ts";
import type { TransportKind } from "../transports/transport-kind.ts";
import { shownAddress } from "./shown-address.ts";

/**
 * `connecting` before the first Welcome, `connected`, `reconnecting` between connections, `closed`
 * for good: by `close()`, or by a close code that forbids to reconnect.
 */
export type ClientState = "connecting" | "connected" | "reconnecting" | "closed";

/** Why the state is what it is. */
export type StateReason = {
  /**
   * `welcome` when connected, `moved` when another connection has taken over without a break, else
   * what ended the connection.
   */
  readonly code: "welcome" | "moved" | ConnectionErrorCode;
  /** For people and logs. */
  readonly reason: string;
  /** The address that it is about, without its user and its query. */
  readonly url: string;
  /** Absent when connected. */
  readonly error?: ConnectionError;
};

/**
 * Called after each change of `state`, and when another connection has taken over. What it throws
 * goes to the host as uncaught.
 */
export type StateListener = (state: ClientState, reason: StateReason) => void;

/** What a session is made with. */
type SessionOptions = {
  readonly environment: Environment;
  /** Makes one connection, which is dialled later. */
  readonly createConnection: ConnectionFactory;
  /** Addresses of gateways that serve the same, the preferred one first. */
  readonly urls: readonly string[];
  /** False: the first lost connection closes the client. */
  readonly reconnect: BackoffOptions | false;
  /** Keep dialling when the first connection cannot be made. */
  readonly waitForFirstConnect: boolean;
  /** Connected to another address for so long, goes back to the first; 0 never does. */
  readonly returnToFirstMs: number;
  /** While something else than the best transport carries it, the best is tried this often. */
  readonly retryTransportMs: number;
};

/** One connection, from its dial on. */
type Dialled = {
  readonly connection: ClientConnection;
  /** Of its address. */
  readonly index: number;
  welcome: Welcome | undefined;
  readyAtUs: number;
  /** Its gateway has said that it goes away. */
  isGoing: boolean;
};

const BACKOFF_DEFAULT: BackoffOptions = { baseMs: 500, maxMs: 20_000 };
/** A gateway tells its clients one after the other; those that it tells together part here. */
const MOVE_SPREAD_MS = 100;
/**
 * What has not moved from a gateway that does not end the connection itself is cut after so long.
 */
const OLD_MS_MAX = 60_000;
/** What the gateway takes for an answer, in requests. */
const COST_OF_ANSWER = 0.1;

/**
 * One client's logical state over any number of connections. What happens in which phase is said by
 * SESSION_TABLE; this class does it.
 */
export class Session {
  /** For the parts of this session. */
  readonly link: SessionLink;
  readonly #options: SessionOptions;
  readonly #environment: Environment;
  readonly #backoff: BackoffOptions;
  readonly #addresses: GatewayAddresses;
  readonly #pacer: RequestPacer;
  readonly #parts: SessionPart[] = [];
  #frames: FrameCodec | undefined;
  readonly #listeners = new Set<StateListener>();
  readonly #unwatchNetwork: () => void;
  #phase: SessionPhase = "idle";
  #state: ClientState = "connecting";
  /** Where requests go to, once it is welcomed. */
  #main: Dialled | undefined;
  /** Beside it: the next one while it is made, or the old one until nobody needs it. */
  #other: Dialled | undefined;
  /** The index of the address that is, or was last, dialled. */
  #index = 0;
  #failedDials = 0;
  #cancelTimer: () => void = () => undefined;
  #endError: ConnectionError | undefined;
  #closedBy: ConnectionError | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#environment = options.environment;
    const { clock, random } = options.environment;
    this.#backoff = options.reconnect === false ? BACKOFF_DEFAULT : options.reconnect;
    this.#addresses = new GatewayAddresses(options.urls, this.#backoff, random);
    this.#pacer = new RequestPacer(clock);
    this.link = {
      clock,
      random,
      backoff: this.#backoff,
      pacer: this.#pacer,
      send: (messages) => {
        if (this.welcome !== undefined) this.#main?.connection.send(messages);
      },
      reconnect: (error) => this.#main?.connection.close(error),
      watchVisibility: (listener) => this.#environment.watchVisibility(listener),
      nextFrame: (callback) => this.#environment.nextFrame(callback),
      reportUncaught: (error) => this.#environment.reportUncaught(error),
    };
    this.#unwatchNetwork = options.environment.watchNetwork((change) => this.#onNetwork(change));
  }

  /**
   * Adds what the session carries, mostly before it starts. Parts are told of everything in order;
   * one that comes later is told at once how the session stands.
   */
  carry(part: SessionPart): void {
    this.#parts.push(part);
    this.#frames?.add(part.members);
    if (this.#closedBy !== undefined) part.close(this.#closedBy, this.#endError !== undefined);
    else if (this.welcome !== undefined) part.handleConnected(this.welcome.limits);
  }

  /** Where the session stands now. */
  get state(): ClientState {
    return this.#state;
  }

  /** Of the current connection; undefined while there is none. */
  get welcome(): Welcome | undefined {
    return this.#main?.welcome;
  }

  /** The address that it is connected to, or dialled last, without its user and its query. */
  get url(): string {
    return shownAddress(this.#addresses.urlOf(this.#main?.index ?? this.#index));
  }

  /** What carries the connection, or is tried now; undefined while there is none. */
  get transport(): TransportKind | undefined {
    return this.#main?.connection.transport;
  }

  /** What ended the client for good; undefined while it lives and after `close()`. */
  get endError(): ConnectionError | undefined {
    return this.#endError;
  }

  /** What closed the client, by itself or by `close()`; undefined while it lives. */
  get closedBy(): ConnectionError | undefined {
    return this.#closedBy;
  }

  /** Calls `listener` after each change of `state`. The result removes it. */
  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Dials for the first time. */
  start(): void {
    if (this.#step("start") === "dial") this.#dial();
  }

  /** Ends everything: iterators end cleanly, calls reject. Idempotent. */
  close(message = "the client was closed", cause?: unknown): void {
    this.#shutDown(new ConnectionError("client-closed", message, { cause }), false);
  }

  #step(event: SessionEvent) {
    const [next, action] = sessionStep(this.#phase, event);
    this.#phase = next;
    return action;
  }

  #dial(): void {
    this.#main = this.#open();
    this.#main.connection.open();
  }

  /** A connection to the address that is up, which is still to be opened. */
  #open(): Dialled {
    this.#frames ??= new FrameCodec([
      SESSION_MEMBERS,
      ...this.#parts.map(({ members }) => members),
    ]);
    const index = this.#index;
    const connection = this.#options.createConnection(this.#addresses.urlOf(index), this.#frames, {
      onWelcome: (welcome) => this.#onWelcome(dialled, welcome),
      onMessage: (message) => this.#onMessage(dialled, message),
      onBatch: (bytes, start, end) => {
        if (dialled === this.#main) {
          for (const part of this.#parts) part.handleBatch?.(bytes, start, end);
        } else if (this.#phase === "moving") {
          for (const part of this.#parts) part.handleOldBatch?.(bytes, start, end);
        }
        this.#leaveOldIfDone();
      },
      onPing: () => {
        if (dialled === this.#main) this.#pacer.charge(1);
      },
      onEnd: (error) => this.#onEnd(dialled, error),
    });
    const dialled: Dialled = {
      connection,
      index,
      welcome: undefined,
      readyAtUs: 0,
      isGoing: false,
    };
    return dialled;
  }

  #onWelcome(dialled: Dialled, welcome: Welcome): void {
    const isMain = dialled === this.#main;
    if (!isMain && this.#main?.isGoing === true && isSameGateway(welcome, this.welcome)) {
      const message = "a balancer has led to the gateway that is to be left";
      dialled.connection.close(new ConnectionError("going-away", message, { retryable: true }));
      return;
    }
    dialled.welcome = welcome;
    dialled.readyAtUs = this.#environment.clock.nowUs();
    this.#failedDials = 0;
    const action = this.#step(isMain ? "welcome" : "nextWelcome");
    const { limits, sessionId } = welcome;
    this.#cancelTimer();
    if (action === "takeOver") this.#takeOver(dialled);
    this.#pacer.start(limits.requestsPerSecondMax);
    const code = action === "takeOver" ? "moved" : "welcome";
    this.#setState("connected", { code, reason: `session ${sessionId}`, url: this.url });
    for (const part of this.#parts) part.handleConnected(limits);
    if (action === "takeOver") this.#watchOld();
    else this.#returnToFirst();
  }

  /** A gateway that goes away ends what is left by itself; another one would keep it for ever. */
  #watchOld(): void {
    this.#leaveOldIfDone();
    if (this.#phase !== "moving" || this.#other?.isGoing === true) return;
    this.#cancelTimer = this.#environment.clock.after(OLD_MS_MAX, () => {
      const message = `not everything has moved within ${OLD_MS_MAX} ms`;
      const error = new ConnectionError("going-away", message, { retryable: true });
      if (this.#step("due") === "release") this.#releaseOther(error);
      this.#returnToFirst();
    });
  }

  /** What is asked for goes to the other connection from now on. */
  #takeOver(next: Dialled): void {
    const old = this.#main!;
    this.#main = next;
    this.#other = old;
    this.#pacer.stop();
    const error = new ConnectionError("going-away", "another connection has taken over");
    for (const part of this.#parts) {
      if (part.handleMoved === undefined) part.handleDisconnected(error);
      else part.handleMoved({ send: (messages) => old.connection.send(messages) });
    }
  }

  #leaveOldIfDone(): void {
    if (this.#phase !== "moving" || this.#parts.some(({ needsOld }) => needsOld)) return;
    this.#step("oldDone");
    this.#releaseOther(new ConnectionError("going-away", "everything has moved"));
    this.#returnToFirst();
  }

  /** Lets go of the connection that is made or left beside the main one. */
  #releaseOther(error: ConnectionError): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#other = undefined;
    other.connection.close(error);
    if (other.welcome === undefined) return;
    this.#cancelTimer();
    for (const part of this.#parts) part.handleOldEnded?.(error);
  }

  #onMessage(dialled: Dialled, message: ServerMessage): void {
    const isMain = dialled === this.#main;
    if (message.kind === "notice" && message.value.kind === "NOTICE_KIND_GOING_AWAY") {
      if (isMain) this.#onGoingAway(dialled);
      return;
    }
    if (message.kind === "probe") {
      if (isMain) this.#pacer.charge(COST_OF_ANSWER);
      dialled.connection.send([{ kind: "probeAnswer", value: { number: message.value.number } }]);
      return;
    }
    if (isMain) {
      for (const part of this.#parts) part.handleMessage(message);
    } else if (this.#phase === "moving") {
      for (const part of this.#parts) part.handleOldMessage?.(message);
    }
    this.#leaveOldIfDone();
  }

  /** The gateway will close: another connection is made while this one still serves. */
  #onGoingAway(dialled: Dialled): void {
    if (dialled.isGoing || this.#options.reconnect === false) return;
    dialled.isGoing = true;
    this.#addresses.avoid(dialled.index, this.#environment.clock.nowUs());
    if (this.#step("leave") === "schedule") this.#schedule(MOVE_SPREAD_MS);
  }

  /** Another connection is sought after a while, or within `spreadMs`, if there is a reason to. */
  #schedule(spreadMs?: number): void {
    const { clock, random } = this.#environment;
    this.#releaseOther(new ConnectionError("going-away", "its gateway is not the one to stay at"));
    if (this.#main?.isGoing !== true) {
      this.#returnToFirst();
      return;
    }
    const { index, delayMs } = this.#addresses.next(this.#main.index, clock.nowUs());
    this.#seekAfter(index, spreadMs === undefined ? delayMs : random() * spreadMs);
  }

  #returnToFirst(): void {
    const { returnToFirstMs, retryTransportMs } = this.#options;
    const main = this.#main;
    if (main === undefined) return;
    if (main.index !== 0 && returnToFirstMs > 0) this.#seekAfter(0, returnToFirstMs);
    else if (main.connection.isFallback) this.#seekAfter(main.index, retryTransportMs);
  }

  #seekAfter(index: number, delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#environment.clock.after(delayMs, () => {
      if (this.#step("due") !== "seek") return;
      this.#index = index;
      this.#other = this.#open();
      this.#other.connection.open();
    });
  }

  #onEnd(dialled: Dialled, error: ConnectionError): void {
    if (this.#phase === "closed") return;
    const { clock } = this.#environment;
    const nowUs = clock.nowUs();
    const heldMs = dialled.welcome === undefined ? 0 : (nowUs - dialled.readyAtUs) / 1_000;
    if (dialled === this.#main) {
      this.#onMainEnd(dialled, error, heldMs);
      return;
    }
    if (dialled !== this.#other) return;
    if (dialled.welcome === undefined) this.#addresses.failed(dialled.index, nowUs, heldMs);
    const action = this.#step(this.#phase === "seeking" ? "nextLost" : "oldDone");
    if (action === "release") this.#releaseOther(error);
    this.#other = undefined;
    if (action === "schedule") this.#schedule();
    else this.#returnToFirst();
  }

  #onMainEnd(main: Dialled, error: ConnectionError, heldMs: number): void {
    const { reconnect, waitForFirstConnect } = this.#options;
    this.#pacer.stop();
    this.#main = undefined;
    this.#failedDials += 1;
    this.#addresses.failed(main.index, this.#environment.clock.nowUs(), heldMs);
    const hasTriedAll = this.#failedDials >= this.#addresses.count;
    const gaveUp = this.#state === "connecting" && !waitForFirstConnect && hasTriedAll;
    const action = this.#step("lost");
    if (action === "wait") this.#releaseOther(error);
    for (const part of this.#parts) part.handleDisconnected(error);
    if (!error.retryable || reconnect === false || gaveUp) {
      this.#shutDown(error, true);
      return;
    }
    if (action === "promote") {
      this.#main = this.#other;
      this.#other = undefined;
    } else {
      this.#dialLater(main.index);
    }
    const state = this.#state === "connecting" ? "connecting" : "reconnecting";
    const url = shownAddress(this.#addresses.urlOf(main.index));
    this.#setState(state, { code: error.code, reason: error.message, url, error });
  }

  #dialLater(after: number): void {
    const { clock } = this.#environment;
    const { index, delayMs } = this.#addresses.next(after, clock.nowUs());
    this.#cancelTimer();
    this.#cancelTimer = clock.after(delayMs, () => {
      if (this.#step("due") !== "dial") return;
      this.#index = index;
      this.#dial();
    });
  }

  #onNetwork(change: NetworkChange): void {
    // Some hosts say "offline" and still reach a local gateway: ask the connection itself.
    if (this.welcome !== undefined) this.#main?.connection.probe();
    if (change === "offline" || this.#phase !== "waiting") return;
    this.#addresses.reset();
    this.#dialLater(this.#index);
  }

  #shutDown(error: ConnectionError, isFailure: boolean): void {
    const { url } = this;
    if (this.#step("end") !== "close") return;
    this.#endError = isFailure ? error : undefined;
    this.#closedBy = error;
    this.#cancelTimer();
    this.#unwatchNetwork();
    this.#setState("closed", { code: error.code, reason: error.message, url, error });
    // Before the sockets are closed, so that cancelled calls and unsubscribes still go out.
    for (const part of this.#parts) part.close(error, isFailure);
    this.#main?.connection.close(error);
    this.#other?.connection.close(error);
  }

  #setState(state: ClientState, reason: StateReason): void {
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

/** Whether both came from one run of one gateway, as far as it says so. */
function isSameGateway(one: Welcome, other: Welcome | undefined): boolean {
  return one.gatewayId !== "" && one.gatewayId === other?.gatewayId;
}
