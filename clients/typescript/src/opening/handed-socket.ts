import type { BareEnvironment, WebSocketLike } from "../host/environment.ts";
import type { SocketEnd } from "./opened.ts";

/**
 * A socket that another has opened and used, for who uses it from now on: at first it takes what
 * went out already, and does not send it again.
 */
export class HandedSocket implements WebSocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly #socket: WebSocketLike;
  readonly #sent: readonly Uint8Array[];
  #repeated = 0;
  /** Whether everything that was to be sent again was what went out before. */
  #isSame = true;
  #isLive = false;

  constructor(socket: WebSocketLike, sent: readonly Uint8Array[]) {
    this.#socket = socket;
    this.#sent = sent;
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** It is open. */
  open(): void {
    this.onopen?.({} as never);
  }

  /** Brings a message. */
  deliver(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  /** It has ended. */
  end(end: SocketEnd): void {
    this.onclose?.(end as never);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.#isLive) {
      this.#socket.send(data);
      return;
    }
    const before = this.#sent[this.#repeated++];
    this.#isSame &&= before !== undefined && isEqual(before, data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /**
   * From now on what is sent goes out. False if what was sent so far is not what went out before,
   * so that nobody knows what the gateway makes of it.
   */
  goLive(): boolean {
    this.#isLive = true;
    return this.#isSame && this.#repeated === this.#sent.length;
  }

  /** How an environment opens sockets, of which the first is this one. */
  openedFirst({ openWebSocket }: Pick<BareEnvironment, "openWebSocket">): typeof openWebSocket {
    let isHanded = false;
    return (...given) => {
      if (isHanded) return openWebSocket(...given);
      isHanded = true;
      return this;
    };
  }

  /**
   * Brings what came meanwhile, and hands on what comes from now on. Where what was sent again is
   * not what went out, the connection is given up instead, and the next one resumes.
   */
  goOn(isSame: boolean, waiting: readonly unknown[], end: SocketEnd | undefined): void {
    if (!isSame) {
      this.end({ code: 1006, reason: "" });
      this.#socket.close(4000, "connection-lost");
      return;
    }
    for (const data of waiting) this.deliver(data);
    if (end !== undefined) this.end(end);
    else this.#listen();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.onmessage = (event: never) => this.onmessage?.(event);
    socket.onerror = (event: never) => this.onerror?.(event);
    socket.onclose = (event: never) => this.onclose?.(event);
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
