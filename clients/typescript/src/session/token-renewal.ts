import type { FrameMembers, ServerMessage } from "./frame.ts";
import type { SessionLink, SessionPart } from "./session-part.ts";

/** Access is renewed when so much of it is over, so that a failure leaves time for others. */
const RENEWED_AFTER_MIN = 0.7;
const RENEWED_AFTER_MAX = 0.9;
/** After a token that was refused, or none, it is tried again so soon, and less often each time. */
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 60_000;

type AccessMessage = Extract<ServerMessage, { kind: "access" }>["value"];

/**
 * Renews the access of a session on its connection, before it ends: asks the user's function for a
 * token and shows it. If none is to be had, the gateway closes the connection when the access is
 * over, and the next connection asks again.
 */
export class TokenRenewal implements SessionPart {
  readonly members: FrameMembers;
  readonly #link: Pick<SessionLink, "clock" | "random" | "send">;
  readonly #fetchToken: () => Promise<string>;
  #cancelTimer: () => void = () => undefined;
  #requestId = 0;
  #retryMs = RETRY_MS_MIN;
  /** A token is being fetched or judged; of an earlier connection, if the numbers differ. */
  #underWay: number | undefined;
  #connection = 0;

  /**
   * It is loaded late, and brings nothing that a page has already: `members` are those of access.
   */
  constructor(
    link: Pick<SessionLink, "clock" | "random" | "send">,
    fetchToken: () => Promise<string>,
    members: FrameMembers,
  ) {
    this.#link = link;
    this.#fetchToken = fetchToken;
    this.members = members;
  }

  handleConnected(): void {
    this.#connection += 1;
    this.#reset();
  }

  /** What is under way belongs to the connection that was left. */
  handleMoved(): void {
    this.#reset();
  }

  handleDisconnected(): void {
    this.#connection += 1;
    this.#reset();
  }

  handleMessage(message: ServerMessage): void {
    if (message.kind === "access") this.#onAccess(message.value);
  }

  close(): void {
    this.#connection += 1;
    this.#reset();
  }

  #reset(): void {
    this.#cancelTimer();
    this.#underWay = undefined;
    this.#retryMs = RETRY_MS_MIN;
  }

  #onAccess({ requestId, error, expiresInMs, isExpiring }: AccessMessage): void {
    if (requestId !== 0) {
      if (requestId !== this.#underWay) return;
      this.#underWay = undefined;
      if (error !== "ACCESS_ERROR_UNSPECIFIED") {
        this.#tryAgain();
        return;
      }
      this.#retryMs = RETRY_MS_MIN;
    }
    if (expiresInMs === 0) this.#cancelTimer();
    else if (!isExpiring) this.#renewAfter(expiresInMs * this.#share());
    else if (this.#underWay === undefined) void this.#renew();
  }

  #share(): number {
    const { random } = this.#link;
    return RENEWED_AFTER_MIN + (RENEWED_AFTER_MAX - RENEWED_AFTER_MIN) * random();
  }

  #renewAfter(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#link.clock.after(delayMs, () => void this.#renew());
  }

  #tryAgain(): void {
    this.#renewAfter(this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  /** Never rejects: a failure of the user's function is one more reason to try again. */
  async #renew(): Promise<void> {
    this.#cancelTimer();
    const connection = this.#connection;
    this.#requestId += 1;
    const requestId = this.#requestId;
    this.#underWay = requestId;
    let accessToken: string;
    try {
      accessToken = await this.#fetchToken();
    } catch {
      if (this.#underWay !== requestId) return;
      this.#underWay = undefined;
      this.#tryAgain();
      return;
    }
    if (connection !== this.#connection || this.#underWay !== requestId) return;
    this.#link.send([{ kind: "authenticate", value: { requestId, accessToken } }]);
  }
}
