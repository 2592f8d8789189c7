import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { Access } from "../access/access.ts";
import type { AccessConfig } from "../access/access-config.ts";
import { isAccessFault } from "../access/authenticator.ts";
import type { AccessFault, Authentication } from "../access/authenticator.ts";
import type { Credentials } from "../access/credentials.ts";
import type { Principal } from "../access/principal.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { accessStepOf } from "./access-table.ts";
import type { AccessAction, AccessEvent, AccessState } from "./access-table.ts";
import type { PrincipalAccounts } from "./principal-accounts.ts";
import type { SessionEvent } from "./session-table.ts";
import type { AccessInit, AuthenticateMessage } from "./wire-messages.ts";

/** What every session shares of it. */
type SessionAccessParts = {
  readonly access: Pick<Access, "authenticateNow" | "review">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly config: { readonly access: AccessConfig };
  readonly accounts: Pick<PrincipalAccounts, "takeConnection" | "giveConnection">;
};

/** The session whose client it is. */
export type AccessHost = {
  readonly id: string;
  /** The client is let in. */
  onWelcome(): void;
  /** The client is somebody else now, or may do other things. */
  onReplaced(): void;
  /** The session is to close. */
  fault(event: SessionEvent, reason: string): void;
  tellAccess(message: AccessInit): void;
};

/** Which fault of a proof closes a session that is not welcome yet, and how. */
const FAULT_EVENTS = {
  invalid: "unauthenticated",
  expired: "access-expired",
  revoked: "access-revoked",
  unavailable: "access-unavailable",
} as const satisfies Record<AccessFault["kind"], SessionEvent>;

const WIRE_ERRORS = {
  invalid: "ACCESS_ERROR_INVALID",
  expired: "ACCESS_ERROR_EXPIRED",
  revoked: "ACCESS_ERROR_REVOKED",
  unavailable: "ACCESS_ERROR_UNAVAILABLE",
} as const satisfies Record<AccessFault["kind"], AccessInit["error"]>;

/** In place of a timer that is over, which would be kept as long as the session. */
const NO_TIMER: CancelTimer = () => undefined;

type WireError = NonNullable<AccessInit["error"]>;

/**
 * Who the client of one session is: it is asked at Hello, may prove itself anew while it is in, is
 * told before its time is over, and leaves when it is or when what it proved is revoked. What may
 * happen when is the table in access-table.ts.
 */
export class SessionAccess {
  readonly #parts: SessionAccessParts;
  /** What the upgrade carried; the address alone if it was nothing else, as of most clients. */
  readonly #shown: Credentials | string;
  readonly #host: AccessHost;
  #state: AccessState = "unasked";
  #principal: Principal | undefined;
  /** The session counts as one of its principal's. */
  #isCounted = false;
  /** Of the check that is under way. */
  #cancelTimeout = NO_TIMER;
  /** Of what is told before the time of the client is over, and of what happens then. */
  #cancelEnd = NO_TIMER;

  constructor(parts: SessionAccessParts, credentials: Credentials, host: AccessHost) {
    this.#parts = parts;
    const { secret, certificate, remoteAddress } = credentials;
    const isAny = secret !== undefined || certificate !== undefined;
    this.#shown = isAny ? credentials : remoteAddress;
    this.#host = host;
  }

  /** Whether what the client asks for is to wait until it is known who it is. */
  get isChecking(): boolean {
    return this.#state === "checking";
  }

  /** Who the client is; undefined until that is known. */
  get known(): Principal | undefined {
    return this.#principal;
  }

  /** Who the client is. To be asked once it is welcome. */
  get principal(): Principal {
    assert(this.#principal !== undefined, "a client that is welcome is somebody");
    return this.#principal;
  }

  get #credentials(): Credentials {
    const shown = this.#shown;
    if (typeof shown !== "string") return shown;
    return { secret: undefined, certificate: undefined, remoteAddress: shown };
  }

  /** The client said Hello, with a secret or without one. */
  hello(accessToken: string): void {
    if (this.#step("hello") !== "check") return;
    const { clock, config } = this.#parts;
    const { authenticateTimeoutMs } = config.access;
    const credentials = this.#credentials;
    const secret = accessToken === "" ? credentials.secret : accessToken;
    this.#cancelTimeout = clock.after(authenticateTimeoutMs, () => {
      const reason = `the check took longer than ${authenticateTimeoutMs} ms`;
      this.#onChecked(0, { kind: "unavailable", reason });
    });
    this.#check({ ...credentials, secret }, 0);
  }

  /** The client shows a newer proof of who it is. */
  renew({ requestId, accessToken }: AuthenticateMessage): void {
    const action = this.#step("renew");
    if (action === "busy") {
      this.#refuse(requestId, "ACCESS_ERROR_UNAVAILABLE", "another one is being checked");
    }
    if (action !== "check") return;
    const { clock, config } = this.#parts;
    const { authenticateTimeoutMs } = config.access;
    this.#cancelTimeout = clock.after(authenticateTimeoutMs, () => {
      const reason = `the check took longer than ${authenticateTimeoutMs} ms`;
      this.#onChecked(requestId, { kind: "unavailable", reason });
    });
    this.#check({ ...this.#credentials, secret: accessToken }, requestId);
  }

  /** Something was revoked, or roles have changed. */
  review(): void {
    const before = this.#principal;
    if (before === undefined || this.#state === "over") return;
    const now = this.#parts.access.review(before);
    if (isAccessFault(now)) {
      if (this.#step("revoked") !== "close") return;
      this.#end("revoked", now.reason);
      this.#host.fault("access-revoked", now.reason);
      return;
    }
    this.#become(now);
    this.#host.onReplaced();
  }

  /** Sends what the client is to know of it, behind Welcome. */
  announce(): void {
    if (this.principal.kind !== "anonymous") this.#tell(0, false);
  }

  /** The session closes. Idempotent. */
  close(): void {
    this.#step("ended");
    this.#release();
  }

  #check(credentials: Credentials, requestId: number): void {
    const outcome = this.#parts.access.authenticateNow(credentials);
    if (!(outcome instanceof Promise)) {
      this.#onChecked(requestId, outcome);
      return;
    }
    // It never rejects, and what is thrown here is our own bug, which ends the process.
    void outcome.then((late) => this.#onChecked(requestId, late));
  }

  #onChecked(requestId: number, outcome: Authentication): void {
    this.#cancelTimeout();
    this.#cancelTimeout = NO_TIMER;
    // A check that took too long is over, and what it finds in the end means nothing.
    if (this.#state !== "checking" && this.#state !== "renewing") return;
    if (this.#state === "renewing") {
      this.#onRenewed(requestId, outcome);
      return;
    }
    if (isAccessFault(outcome)) {
      this.#step("refuted");
      this.#end(outcome.kind, outcome.reason);
      this.#host.fault(FAULT_EVENTS[outcome.kind], outcome.reason);
      return;
    }
    if (outcome.isNobody) {
      const reason = "this gateway serves who shows an API key or a token";
      this.#step("refuted");
      this.#end("nobody", reason);
      this.#host.fault("unauthenticated", reason);
      return;
    }
    if (!this.#parts.accounts.takeConnection(outcome)) {
      const reason = `${outcome.id} has as many connections as it may have`;
      this.#step("refuted");
      this.#end("limited", reason);
      this.#host.fault("access-limited", reason);
      return;
    }
    this.#isCounted = true;
    this.#step("proved");
    this.#become(outcome);
    this.#host.onWelcome();
  }

  #onRenewed(requestId: number, outcome: Authentication): void {
    if (isAccessFault(outcome)) {
      this.#step("refuted");
      this.#refuse(requestId, WIRE_ERRORS[outcome.kind], outcome.reason);
      return;
    }
    const { principal } = this;
    if (outcome.kind !== principal.kind || outcome.id !== principal.id) {
      this.#step("refuted");
      const message = "it is the proof of somebody else; open another connection for it";
      this.#refuse(requestId, "ACCESS_ERROR_OTHER_PRINCIPAL", message);
      return;
    }
    const endMs = outcome.expiresAtMs ?? Number.POSITIVE_INFINITY;
    const isLater = endMs > (principal.expiresAtMs ?? Number.POSITIVE_INFINITY);
    const isSame = outcome.token?.jti !== undefined && outcome.token.jti === principal.token?.jti;
    if (!isLater || isSame) {
      this.#step("refuted");
      const message = "it is the proof that is in use, or an older one";
      this.#refuse(requestId, "ACCESS_ERROR_STALE", message);
      return;
    }
    this.#step("proved");
    this.#become(outcome);
    this.#log("renewed", "");
    this.#tell(requestId, false);
    this.#host.onReplaced();
  }

  #become(principal: Principal): void {
    this.#principal = principal;
    this.#cancelEnd();
    this.#cancelEnd = NO_TIMER;
    const { expiresAtMs } = principal;
    if (expiresAtMs === undefined) return;
    const { clock, config } = this.#parts;
    const leftMs = this.#leftMs(expiresAtMs);
    const noticeMs = leftMs - config.access.expiryNoticeMs;
    const cancelNotice = clock.after(Math.max(0, noticeMs), () => this.#tell(0, true));
    const endMs = leftMs + config.access.expiryGraceMs;
    const cancelExpiry = clock.after(endMs, () => this.#onExpired());
    this.#cancelEnd = () => {
      cancelNotice();
      cancelExpiry();
    };
  }

  #onExpired(): void {
    if (this.#step("expired") !== "close") return;
    const reason = "access ended and was not renewed";
    this.#end("expired", reason);
    this.#host.fault("access-expired", reason);
  }

  #leftMs(expiresAtMs: number): number {
    return Math.max(0, Math.ceil(expiresAtMs - this.#parts.clock.nowUs() / 1_000));
  }

  #tell(requestId: number, isExpiring: boolean): void {
    const { id, expiresAtMs } = this.principal;
    // 0 stands for never, and what is over ends at once.
    const expiresInMs = expiresAtMs === undefined ? 0 : Math.max(1, this.#leftMs(expiresAtMs));
    this.#host.tellAccess({ requestId, principal: id, expiresInMs, isExpiring });
  }

  #refuse(requestId: number, error: WireError, message: string): void {
    this.#log("renewal refused", message);
    const { id, expiresAtMs } = this.principal;
    const expiresInMs = expiresAtMs === undefined ? 0 : Math.max(1, this.#leftMs(expiresAtMs));
    this.#host.tellAccess({ requestId, error, errorMessage: message, principal: id, expiresInMs });
  }

  #end(reason: string, message: string): void {
    this.#parts.metrics.accessEnded.inc({ reason });
    this.#log("ended", message);
    this.#release();
  }

  #log(decision: string, reason: string): void {
    const principal = this.#principal?.id ?? "unknown";
    const { remoteAddress } = this.#credentials;
    const { id: sessionId } = this.#host;
    this.#parts.logger.info(
      { sessionId, principal, decision, reason, remoteAddress },
      `access ${decision}`,
    );
  }

  #release(): void {
    this.#cancelTimeout();
    this.#cancelTimeout = NO_TIMER;
    this.#cancelEnd();
    this.#cancelEnd = NO_TIMER;
    if (this.#isCounted) this.#parts.accounts.giveConnection(this.principal);
    this.#isCounted = false;
  }

  #step(event: AccessEvent): AccessAction {
    const step = accessStepOf(this.#state, event);
    assert(step !== undefined, `${event} can happen to access that is ${this.#state}`);
    const [next, action] = step;
    this.#state = next;
    return action;
  }
}
