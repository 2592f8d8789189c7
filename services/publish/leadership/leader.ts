import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { isLaterToken, NO_TOKEN } from "#core/fencing-token.ts";
import type { Logger } from "#core/logger.ts";
import type { LeaderRole } from "#wire/leader-role.ts";
import type { Claims } from "./claims.ts";
import { LEADER_TABLE } from "./leader-table.ts";
import type { LeaderEvent, LeaderState } from "./leader-table.ts";
import { MISSED_INTERVALS_MAX, Peers } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** A term that somebody else leads. */
export type LedTerm = {
  readonly publisherId: string;
  readonly token: number;
  readonly epoch: number;
};

/** What is done where a partition is published. Called synchronously; none may throw. */
type LeaderActions = {
  /** Somebody else leads: what it publishes is followed from now on. */
  follow(term: LedTerm): void;
  /** A term of ours begins. Its epoch, which is said to the others. */
  lead(token: number): number;
  /** Nothing may be published until `resume` or `yield`. */
  suspend(): void;
  /** It goes on as if nothing had been. */
  resume(): void;
  /** The term is over. `follow` comes when it is known whom. */
  yield(): void;
};

type LeaderParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly claims: Claims;
  readonly publisherId: string;
  /** For logs. */
  readonly labels: { readonly venue: string; readonly shard: string };
  readonly intervalMs: number;
  /** Tells the others. It may be lost. */
  readonly say: (said: { readonly role: LeaderRole; readonly leaving: boolean }) => void;
  readonly actions: LeaderActions;
};

/** What is counted, and when it was last. */
type LeaderCounters = {
  takeovers: number;
  yields: number;
  suspensions: number;
  claimsRefused: number;
  claimsFailed: number;
  renewalsFailed: number;
};

/**
 * After our own connection to the bus was gone, whoever leads has had the same and is still coming
 * back: with the longest wait between two attempts to reconnect, and the time that it takes a busy
 * machine to connect and to renew a lease.
 */
export const RECONNECT_GRACE_MS = 8_000;
/**
 * A lease that cannot be renewed although the bus is there is kept for so long: the same store
 * would have to grant it to another one.
 */
export const LEASE_GRACE_MS = 15_000;
/**
 * Where leases could not be read, whoever leads could not renew its own: from the moment that they
 * can be read again it has the time of a request that still waits, besides that of a silence.
 */
export const LEASE_RECOVERY_MS = 1_000;

/**
 * Decides whether this ingestor publishes a partition, and has it done. States, events and
 * invariants stand in leader-table.ts. It reads no time of day.
 */
export class Leader {
  readonly counters: LeaderCounters = {
    takeovers: 0,
    yields: 0,
    suspensions: 0,
    claimsRefused: 0,
    claimsFailed: 0,
    renewalsFailed: 0,
  };
  readonly #parts: LeaderParts;
  readonly #peers: Peers;
  readonly #silence: SilenceWatch;
  #state: LeaderState = "probing";
  #sinceUs: number;
  /** The latest term of which anybody has heard, ours included. */
  #latest: LedTerm | undefined;
  #followed: LedTerm | undefined;
  /** Until when nobody can have replaced us without our having been able to hear of it. */
  #sureUntilUs = 0;
  #renewalsFailedSinceUs: number | undefined;
  #busIsDown = false;
  /** When our connection to the bus was there again; undefined if it never was gone. */
  #busUpSinceUs: number | undefined;
  /** Whether the lease was looked at since then, so that a change of it is a new one. */
  #hasLooked = true;
  #isAsking = false;
  #lastTakeoverUs: number | undefined;
  #cancelTick: CancelTimer | undefined;
  #isClaimFailing = false;
  #cancelClaim: CancelTimer | undefined;
  #cancelConfirmation: CancelTimer | undefined;

  constructor(parts: LeaderParts) {
    assert(parts.intervalMs > 0, "whoever takes part says so at a positive interval");
    this.#parts = parts;
    this.#peers = new Peers(parts.clock);
    this.#sinceUs = parts.clock.monotonicUs();
    this.#silence = new SilenceWatch({
      clock: parts.clock,
      stepMs: parts.intervalMs,
      onSilent: () => this.#happen("silent"),
    });
  }

  get state(): LeaderState {
    return this.#state;
  }

  /** Whom the others would see. */
  get role(): LeaderRole {
    const state = this.#state;
    if (state === "claiming" || state === "closed") return "standing-by";
    return state;
  }

  get peers(): readonly Peer[] {
    return this.#peers.all;
  }

  /** Of the term that we lead, or the latest that is known; 0 if there is none. */
  get token(): number {
    return this.#latest?.token ?? NO_TOKEN;
  }

  get latest(): LedTerm | undefined {
    return this.#latest;
  }

  get leased(): boolean {
    return this.#parts.claims.leased;
  }

  /** For how long the state has been what it is. */
  get stateForMs(): number {
    return (this.#parts.clock.monotonicUs() - this.#sinceUs) / 1_000;
  }

  /** Since our last term began; undefined if there was none. */
  get takeoverAgoMs(): number | undefined {
    if (this.#lastTakeoverUs === undefined) return undefined;
    return (this.#parts.clock.monotonicUs() - this.#lastTakeoverUs) / 1_000;
  }

  /** Asks who is there. To be called once. */
  start(): void {
    this.#say();
    this.#armSilence(this.#parts.intervalMs);
    this.#armTick();
    this.#watch();
  }

  /**
   * Whether what is published now counts. If it does not, the term is suspended when this returns.
   * Cheap enough to be asked before each batch.
   */
  maySend(): boolean {
    if (this.#state !== "leading") return false;
    if (this.#parts.clock.monotonicUs() < this.#sureUntilUs) return true;
    this.#happen("doubted");
    return false;
  }

  /** Another one said this of itself. */
  heard(peer: Peer): void {
    if (this.#state === "closed" || peer.publisherId === this.#parts.publisherId) return;
    const wasLeading = this.#followed?.publisherId === peer.publisherId;
    this.#peers.heard(peer);
    if (peer.role === "leading") {
      const term = { publisherId: peer.publisherId, token: peer.token, epoch: peer.epoch };
      if (this.#isBefore(term)) this.#happen("earlierHeard");
      else this.#hearLeader(term, peer.intervalMs);
    } else if (wasLeading && peer.role !== "suspended") {
      this.#followed = undefined;
      this.#happen("vacated");
    }
    // It wants to know who is there.
    if (peer.role === "probing") this.#say();
  }

  /** Another one has said that it stops. */
  left(publisherId: string): void {
    this.#peers.forget(publisherId);
    if (this.#followed?.publisherId !== publisherId) return;
    this.#followed = undefined;
    this.#happen("vacated");
  }

  /** Our own connection to the bus is gone: nobody is judged by what is not heard. */
  busDown(): void {
    this.#busIsDown = true;
    this.#silence.cancel();
    this.#cancelConfirmation?.();
    // Whoever was silent may have had the same: it is asked for again when all are back.
    if (this.#state === "claiming") this.#happen("failed");
  }

  /** It is there again. */
  busUp(): void {
    if (!this.#busIsDown) return;
    this.#busIsDown = false;
    // What was asked before may wait for an answer that nobody sends any more.
    this.#isAsking = false;
    this.#busUpSinceUs = this.#parts.clock.monotonicUs();
    this.#hasLooked = false;
    this.#silence.beginGrace(RECONNECT_GRACE_MS);
    if (this.#state === "probing" || this.#state === "standing-by") this.#armSilence(0);
    if (this.#state === "suspended") this.#armConfirmation();
    this.#say();
    this.#renew();
  }

  /** Gives up what it has, and says so. The last batch has been given to the bus. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    const held = this.#state === "leading" || this.#state === "suspended";
    const { role } = this;
    this.#happen("closed");
    this.#silence.cancel();
    for (const cancel of [this.#cancelTick, this.#cancelClaim, this.#cancelConfirmation]) {
      cancel?.();
    }
    this.#peers.close();
    // It does not reject, and nobody waits for it: another one takes the lease a little later else.
    if (held) void this.#parts.claims.release();
    this.#parts.say({ role, leaving: true });
  }

  #happen(event: LeaderEvent, token?: number): void {
    const { does, next } = LEADER_TABLE[this.#state][event];
    const before = this.#state;
    if (next !== before) {
      this.#state = next;
      this.#sinceUs = this.#parts.clock.monotonicUs();
      this.#cancelClaim?.();
      this.#cancelConfirmation?.();
    }
    const { actions, claims } = this.#parts;
    switch (does) {
      case "follow":
      case "note":
        this.#follow();
        break;
      case "claim":
        this.#silence.cancel();
        this.#armClaim();
        break;
      case "lead":
        assert(token !== undefined, "a claim that is granted has a token");
        this.#lead(token);
        break;
      case "wait":
        if (event === "failed") this.#armAfterFailure();
        else this.#armSilence(this.#parts.intervalMs / 2);
        break;
      case "insist":
        this.#say();
        break;
      case "suspend":
        this.counters.suspensions += 1;
        this.#log("publishing is suspended until it is known whether another ingestor took over");
        actions.suspend();
        this.#armConfirmation();
        break;
      case "resume":
        this.#beSure(this.#parts.clock.monotonicUs());
        this.#log("publishing goes on: no other ingestor took over");
        actions.resume();
        break;
      case "yield":
        this.counters.yields += 1;
        this.#log("another ingestor has taken over: this one stands by");
        actions.yield();
        this.#follow();
        this.#armSilence(this.#parts.intervalMs * MISSED_INTERVALS_MAX);
        break;
      case "release":
        void claims.release();
        break;
      case "stop":
      case "ignore":
        break;
    }
    if (next !== before && next !== "closed" && next !== "claiming") this.#say();
  }

  #hearLeader(term: LedTerm, intervalMs: number): void {
    this.#latest = term;
    const nowUs = this.#parts.clock.monotonicUs();
    // A word that comes at once may have been under way before the bus was gone.
    const provesUs = (this.#busUpSinceUs ?? 0) + intervalMs * 1_000;
    if (nowUs >= provesUs) this.#silence.endGrace();
    this.#happen("laterHeard");
    if (this.#state === "standing-by") this.#armSilence(intervalMs * MISSED_INTERVALS_MAX);
  }

  /** Whether a term is over because a later one is known. Of two with one token the ids decide. */
  #isBefore({ publisherId, token }: LedTerm): boolean {
    const latest = this.#latest;
    if (latest === undefined) return false;
    if (isLaterToken(latest.token, token)) return true;
    return latest.token === token && publisherId > latest.publisherId;
  }

  #follow(): void {
    const term = this.#latest;
    if (term === undefined || term.publisherId === this.#parts.publisherId) return;
    if (this.#followed?.epoch === term.epoch && this.#followed.publisherId === term.publisherId) {
      return;
    }
    this.#followed = term;
    const { publisherId, token } = term;
    const message =
      "another ingestor publishes this: it is followed, and nothing is published here";
    this.#parts.logger.info({ ...this.#parts.labels, leader: publisherId, term: token }, message);
    this.#parts.actions.follow(term);
  }

  #lead(token: number): void {
    const { clock, actions, publisherId, labels, logger, claims } = this.#parts;
    const nowUs = clock.monotonicUs();
    this.#silence.cancel();
    this.counters.takeovers += 1;
    this.#lastTakeoverUs = nowUs;
    this.#beSure(nowUs);
    this.#renewalsFailedSinceUs = undefined;
    const replaced = this.#followed?.publisherId;
    this.#followed = undefined;
    const epoch = actions.lead(token);
    this.#latest = { publisherId, token, epoch };
    const fields = { ...labels, term: token, epoch, leased: claims.leased };
    logger.info(
      replaced === undefined ? fields : { ...fields, replaced },
      "this ingestor publishes",
    );
  }

  #beSure(sinceUs: number): void {
    const { claims, intervalMs } = this.#parts;
    // Alone, and without a lease that could be lost, nobody else can have taken over.
    const mayBeReplaced = claims.leased || this.#peers.someoneStandsBy;
    this.#sureUntilUs = mayBeReplaced
      ? sinceUs + intervalMs * MISSED_INTERVALS_MAX * 1_000
      : Number.POSITIVE_INFINITY;
  }

  #armTick(): void {
    this.#cancelTick = this.#parts.clock.after(this.#parts.intervalMs, () => {
      this.#armTick();
      // Before the others are told: after a long stop this one does not lead any more.
      if (this.#state === "leading") this.maySend();
      this.#say();
      this.#renew();
      this.#watch();
    });
  }

  /** Extends a term that is known to be ours, and finds out whether one in doubt is. */
  #renew(): void {
    if (this.#state !== "leading" && this.#state !== "suspended") return;
    const { claims, clock } = this.#parts;
    if (this.#busIsDown) return;
    const askedUs = clock.monotonicUs();
    if (!claims.leased) {
      if (this.#state === "leading") this.#beSure(askedUs);
      return;
    }
    if (this.#isAsking) return;
    this.#isAsking = true;
    const upSinceUs = this.#busUpSinceUs;
    // It rejects only if we have a bug, and then the process ends.
    void claims.renew().then((answer) => {
      const isOfNow = this.#busUpSinceUs === upSinceUs;
      if (isOfNow) this.#isAsking = false;
      else if (answer === "failed") return;
      if (answer === "held") this.#onHeld(askedUs);
      else if (answer === "lost") this.#happen("lost");
      else this.#onRenewalFailed();
    });
  }

  #onHeld(askedUs: number): void {
    this.#renewalsFailedSinceUs = undefined;
    if (this.#state === "leading") this.#beSure(askedUs);
    if (this.#state === "suspended") this.#happen("confirmed");
  }

  #onRenewalFailed(): void {
    this.counters.renewalsFailed += 1;
    const nowUs = this.#parts.clock.monotonicUs();
    this.#renewalsFailedSinceUs ??= nowUs;
    const failingMs = (nowUs - this.#renewalsFailedSinceUs) / 1_000;
    // The bus is there, and where leases are kept nobody answers: to the others neither.
    if (this.#busIsDown || failingMs > LEASE_GRACE_MS) return;
    if (this.#state === "leading" && this.maySend()) this.#beSure(nowUs);
  }

  /** Looks whether somebody leads who is not heard. */
  #watch(): void {
    const { claims } = this.#parts;
    if (!claims.leased || this.#isAsking || this.#busIsDown) return;
    if (this.#state !== "standing-by" && this.#state !== "probing") return;
    this.#isAsking = true;
    const upSinceUs = this.#busUpSinceUs;
    void claims.watch().then((seen) => {
      // An answer to what was asked before the bus was gone tells nothing of now.
      if (this.#busUpSinceUs !== upSinceUs) return;
      this.#isAsking = false;
      if (seen === "failed") this.#armAfterFailure();
      else this.#onLooked(seen === "changed");
    });
  }

  #onLooked(isChanged: boolean): void {
    // What was written since a look of before may have been written before the bus was gone.
    const isBack = isChanged && this.#hasLooked;
    this.#hasLooked = true;
    if (isBack) this.#silence.endGrace();
    if (!isChanged || this.#state !== "standing-by") return;
    this.#armSilence(this.#parts.intervalMs * MISSED_INTERVALS_MAX);
  }

  /** The lease could not be had: neither could whoever leads renew it. */
  #armAfterFailure(): void {
    const { intervalMs } = this.#parts;
    if (this.#state !== "standing-by") return;
    if (this.#followed === undefined) this.#armSilence(intervalMs / 2);
    else this.#armSilence(LEASE_RECOVERY_MS + intervalMs * MISSED_INTERVALS_MAX);
  }

  #armSilence(delayMs: number): void {
    if (this.#busIsDown) this.#silence.cancel();
    else this.#silence.arm(delayMs);
  }

  /** One after another, so that the first is heard by the others before they claim. */
  #armClaim(): void {
    const { clock, publisherId, intervalMs } = this.#parts;
    const delayMs = (this.#peers.rankOf(publisherId) * intervalMs) / 2;
    this.#cancelClaim = clock.after(delayMs, () => this.#claim());
  }

  #claim(): void {
    const { claims } = this.#parts;
    void claims.claim(this.token).then((claim) => {
      if (claim.kind === "refused") this.counters.claimsRefused += 1;
      if (claim.kind === "failed") this.counters.claimsFailed += 1;
      this.#noteClaim(claim.kind === "failed");
      // A later term may have been heard of since: then it is given back.
      this.#happen(claim.kind, claim.kind === "granted" ? claim.token : undefined);
    });
  }

  /** Said once, since nothing else tells why nobody publishes although everything else is there. */
  #noteClaim(isFailing: boolean): void {
    if (isFailing === this.#isClaimFailing) return;
    this.#isClaimFailing = isFailing;
    this.#log(
      isFailing
        ? "the lease cannot be read or written, and nothing is published without it: see that JetStream stores what it gets"
        : "the lease can be had again",
    );
  }

  /** Without a lease: whoever has taken over has the time of one interval to say so. */
  #armConfirmation(): void {
    const { clock, claims, intervalMs } = this.#parts;
    this.#cancelConfirmation?.();
    if (claims.leased || this.#busIsDown || this.#state !== "suspended") return;
    this.#cancelConfirmation = clock.after(intervalMs, () => this.#happen("confirmed"));
  }

  #say(): void {
    if (this.#state === "closed" || this.#busIsDown) return;
    this.#parts.say({ role: this.role, leaving: false });
  }

  #log(message: string): void {
    this.#parts.logger.warn({ ...this.#parts.labels, term: this.token }, message);
  }
}
