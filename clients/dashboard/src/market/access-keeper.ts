import { tokenEndMs } from "./access-words.ts";

/** A new token is waited for so long; then the client has the old one, and asks again later. */
const WAIT_MS = 5_000;

type Host = {
  /** The client has a connection, which it wants to keep. */
  readonly isConnected: () => boolean;
  readonly afterMs: (delayMs: number, callback: () => void) => void;
  /** The client has asked for a token that follows the one that it has shown. */
  readonly onRenewal: (endsAtMs: number) => void;
};

/** Holds the key or token of this window, and hands it to the client when it is asked for. */
export class AccessKeeper {
  readonly #host: Host;
  #token: string;
  /** Whoever waits for the reader to enter one. */
  #waiting: ((token: string) => void)[] = [];
  #isWanted = false;

  constructor(token: string, host: Host) {
    this.#token = token;
    this.#host = host;
  }

  get hasToken(): boolean {
    return this.#token !== "";
  }

  /** When the token ends; undefined for a key, and for none. */
  get endsAtMs(): number | undefined {
    return tokenEndMs(this.#token);
  }

  /**
   * For the client. It gets the token at once for a first connection, and a key always. Where it
   * has a connection whose access ends, it gets what the reader enters, if that is soon.
   */
  current(): string | Promise<string> {
    const { endsAtMs } = this;
    if (!this.#host.isConnected() || endsAtMs === undefined) {
      this.#isWanted = false;
      return this.#token;
    }
    this.#isWanted = true;
    this.#host.onRenewal(endsAtMs);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#host.afterMs(WAIT_MS, () => resolve(this.#token));
    });
  }

  /**
   * Takes what the reader has entered. True if the client will show it on the connection that it
   * has, now or when it asks again; otherwise it has to connect anew.
   */
  enter(token: string): boolean {
    this.#token = token;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(token);
    const isTaken = this.#isWanted && this.#host.isConnected();
    this.#isWanted = false;
    return isTaken;
  }
}
