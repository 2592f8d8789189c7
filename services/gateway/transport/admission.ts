import { assert } from "#core/assert.ts";
import type { SharedAdmission } from "./shared-admission.ts";
import type { HttpLimits, RefusalLimit } from "./transport.ts";

/** Sockets above a limit that are still told what the limit is; more are cut without a word. */
const REFUSAL_ROOM = 32;

/** A bucket holds what may come within this time, so that bursts of a normal client pass. */
const BURST_SECONDS = 2;

/** Tokens that come back at an even pace. A bucket that is full says nothing about anybody. */
type Bucket = { tokens: number; filledAtMs: number };

type AdmissionLimits = HttpLimits & { readonly connectionsMax: number };

/** What one address holds. */
type Held = {
  sockets: number;
  bodyBytes: number;
  readonly requests: Bucket;
  /** Of the accounts that threads share; -1 without them, or if they have no room for it. */
  readonly account: number;
};

/** What the accounts count that threads share. */
const SOCKETS = 0;
const BODY_UNITS = 1;
/** Bodies are counted in units there, begun ones as whole, because sums of bytes are too large. */
const BODY_UNIT_BYTES = 1_024;

/**
 * The one account of what strangers hold: sockets of every kind (WebSockets, HTTP connections, and
 * those that have not said yet what they are), request bodies in memory, and the rate of requests,
 * for each address and in all. Where it is shared, the limits hold over all threads together; for
 * an address for which the shared accounts have no room, what is asked is refused as if too much
 * were under way in all.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #nowMs: () => number;
  readonly #shared: SharedAdmission | undefined;
  readonly #held = new Map<string, Held>();
  readonly #requests: Bucket;
  #sockets = 0;
  #bodyBytes = 0;

  constructor(limits: AdmissionLimits, nowMs: () => number, shared?: SharedAdmission) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#shared = shared;
    this.#requests = { tokens: limits.requestsPerSecondMax * BURST_SECONDS, filledAtMs: nowMs() };
  }

  /** Sockets that are open now, of all threads that share the accounts. */
  get sockets(): number {
    if (this.#shared === undefined) return this.#sockets;
    const { accounts } = this.#shared;
    return accounts.count(accounts.all, SOCKETS);
  }

  /** Bytes of request bodies that are held now. */
  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** Addresses of which anything is remembered. */
  get addresses(): number {
    return this.#held.size;
  }

  /**
   * Counts a new socket. Returns the limit for which it is to be cut at once, in which case it is
   * not counted. A socket that is a little above a limit is counted, so that it can be told. That
   * of a trusted proxy has no address of its own, and counts only in all.
   */
  openSocket(address: string | undefined): RefusalLimit | undefined {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    if (!this.#takeSocket(connectionsMax + REFUSAL_ROOM)) return "connectionsMax";
    if (address === undefined) return undefined;
    const limit = this.#takeSocketOf(address, connectionsPerAddressMax + REFUSAL_ROOM);
    if (limit !== undefined) this.#giveSocket();
    return limit;
  }

  /** A socket that was counted has closed. */
  closeSocket(address: string | undefined): void {
    // A transport that does not learn of a socket's end gives it back with its last answer, and
    // once more if the client sends another request all the same.
    if (this.#sockets > 0) this.#giveSocket();
    if (address === undefined) return;
    const held = this.#held.get(addressKey(address));
    if (held !== undefined && held.sockets > 0) this.closeProxied(address);
  }

  /** Counts a WebSocket for the client whom a trusted proxy names, besides the proxy's socket. */
  openProxied(address: string): RefusalLimit | undefined {
    return this.#takeSocketOf(address, this.#limits.connectionsPerAddressMax);
  }

  closeProxied(address: string): void {
    const held = this.#held.get(addressKey(address));
    assert(held !== undefined && held.sockets > 0, "a socket that closes was counted");
    held.sockets -= 1;
    if (held.account >= 0) this.#shared?.accounts.give(held.account, SOCKETS, 1);
    this.#forget(address, held);
  }

  /** The limit that is exceeded while a socket of this address is counted. */
  exceeded(address: string | undefined): RefusalLimit | undefined {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    if (this.sockets > connectionsMax) return "connectionsMax";
    if (address === undefined) return undefined;
    const sockets = this.#socketsOf(this.#held.get(addressKey(address)));
    return sockets > connectionsPerAddressMax ? "connectionsPerAddressMax" : undefined;
  }

  /** Counts a request or an upgrade. Returns the limit for which it is to be refused. */
  request(address: string): RefusalLimit | undefined {
    const { requestsPerSecondMax, requestsPerSecondPerAddressMax } = this.#limits;
    const { requests, account } = this.#of(address);
    if (this.#shared !== undefined) return this.#requestOfAll(account, this.#shared);
    // The address pays first: what it is refused for costs the others nothing.
    if (!this.#take(requests, requestsPerSecondPerAddressMax)) {
      return "requestsPerSecondPerAddressMax";
    }
    return this.#take(this.#requests, requestsPerSecondMax) ? undefined : "requestsPerSecondMax";
  }

  /** Counts bytes of a body. Returns the limit that keeps them out; then they are not counted. */
  holdBody(address: string, bytes: number): RefusalLimit | undefined {
    const { bodyBytesMax, bodyBytesPerAddressMax } = this.#limits;
    const held = this.#of(address);
    if (held.bodyBytes + bytes > bodyBytesPerAddressMax) return "bodyBytesPerAddressMax";
    if (this.#bodyBytes + bytes > bodyBytesMax) return "bodyBytesMax";
    const units = bodyUnits(held.bodyBytes + bytes) - bodyUnits(held.bodyBytes);
    const limit = this.#takeBodyUnits(held, units);
    if (limit !== undefined) {
      this.#forget(address, held);
      return limit;
    }
    held.bodyBytes += bytes;
    this.#bodyBytes += bytes;
    return undefined;
  }

  /** Bytes that were counted are not held any more. */
  releaseBody(address: string, bytes: number): void {
    if (bytes === 0) return;
    const held = this.#held.get(addressKey(address));
    assert(held !== undefined && held.bodyBytes >= bytes, "bytes that are released were counted");
    const units = bodyUnits(held.bodyBytes) - bodyUnits(held.bodyBytes - bytes);
    held.bodyBytes -= bytes;
    this.#bodyBytes -= bytes;
    if (this.#shared !== undefined && held.account >= 0) {
      const { accounts } = this.#shared;
      accounts.give(held.account, BODY_UNITS, units);
      accounts.give(accounts.all, BODY_UNITS, units);
    }
    this.#forget(address, held);
  }

  /** Forgets the addresses that hold nothing and have not asked for long. */
  sweep(): void {
    for (const [key, held] of this.#held) this.#forget(key, held);
  }

  #of(address: string): Held {
    const key = addressKey(address);
    let held = this.#held.get(key);
    if (held === undefined) {
      const tokens = this.#limits.requestsPerSecondPerAddressMax * BURST_SECONDS;
      const requests = { tokens, filledAtMs: this.#nowMs() };
      const account = this.#shared?.accounts.hold(key) ?? -1;
      held = { sockets: 0, bodyBytes: 0, requests, account };
      this.#held.set(key, held);
    }
    return held;
  }

  #take(bucket: Bucket, perSecond: number): boolean {
    this.#fill(bucket, perSecond);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #fill(bucket: Bucket, perSecond: number): void {
    const nowMs = this.#nowMs();
    const added = ((nowMs - bucket.filledAtMs) / 1000) * perSecond;
    bucket.tokens = Math.min(perSecond * BURST_SECONDS, bucket.tokens + added);
    bucket.filledAtMs = nowMs;
  }

  #forget(address: string, held: Held): void {
    if (held.sockets > 0 || held.bodyBytes > 0) return;
    const perSecond = this.#limits.requestsPerSecondPerAddressMax;
    this.#fill(held.requests, perSecond);
    if (held.requests.tokens < perSecond * BURST_SECONDS) return;
    if (this.#shared !== undefined && held.account >= 0) {
      const { accounts, nowNs } = this.#shared;
      // Whoever gets its place in the accounts begins with a full bucket.
      if (!accounts.isFull(held.account, nowNs())) return;
      accounts.release(held.account);
    }
    this.#held.delete(addressKey(address));
  }

  #takeSocket(most: number): boolean {
    if (this.#shared === undefined) {
      if (this.#sockets >= most) return false;
    } else {
      const { accounts } = this.#shared;
      if (!accounts.take(accounts.all, SOCKETS, 1, most)) return false;
    }
    this.#sockets += 1;
    return true;
  }

  #giveSocket(): void {
    this.#sockets -= 1;
    this.#shared?.accounts.give(this.#shared.accounts.all, SOCKETS, 1);
  }

  #takeSocketOf(address: string, most: number): RefusalLimit | undefined {
    const held = this.#of(address);
    if (this.#shared === undefined) {
      if (held.sockets >= most) return "connectionsPerAddressMax";
    } else {
      if (held.account < 0) return this.#withoutAccount(address, held, "connectionsMax");
      if (!this.#shared.accounts.take(held.account, SOCKETS, 1, most)) {
        return "connectionsPerAddressMax";
      }
    }
    held.sockets += 1;
    return undefined;
  }

  #socketsOf(held: Held | undefined): number {
    if (held === undefined) return 0;
    if (this.#shared === undefined || held.account < 0) return held.sockets;
    return this.#shared.accounts.count(held.account, SOCKETS);
  }

  #requestOfAll(
    account: number,
    { accounts, nowNs }: SharedAdmission,
  ): "requestsPerSecondPerAddressMax" | "requestsPerSecondMax" | undefined {
    const { requestsPerSecondMax, requestsPerSecondPerAddressMax } = this.#limits;
    if (account < 0) return "requestsPerSecondMax";
    const burstSeconds = BURST_SECONDS;
    const now = nowNs();
    const ofAddress = { perSecond: requestsPerSecondPerAddressMax, burstSeconds };
    if (!accounts.ask(account, 1, ofAddress, now)) return "requestsPerSecondPerAddressMax";
    const ofAll = { perSecond: requestsPerSecondMax, burstSeconds };
    return accounts.ask(accounts.all, 1, ofAll, now) ? undefined : "requestsPerSecondMax";
  }

  #takeBodyUnits(held: Held, units: number): "bodyBytesPerAddressMax" | "bodyBytesMax" | undefined {
    if (this.#shared === undefined || units === 0) return undefined;
    const { bodyBytesMax, bodyBytesPerAddressMax } = this.#limits;
    const { accounts } = this.#shared;
    if (held.account < 0) return "bodyBytesMax";
    const mostOfAddress = bodyUnits(bodyBytesPerAddressMax);
    if (!accounts.take(held.account, BODY_UNITS, units, mostOfAddress)) {
      return "bodyBytesPerAddressMax";
    }
    if (accounts.take(accounts.all, BODY_UNITS, units, bodyUnits(bodyBytesMax))) return undefined;
    accounts.give(held.account, BODY_UNITS, units);
    return "bodyBytesMax";
  }

  /** There may be room the next time. */
  #withoutAccount(address: string, held: Held, limit: RefusalLimit): RefusalLimit {
    if (held.sockets === 0 && held.bodyBytes === 0) this.#held.delete(addressKey(address));
    return limit;
  }
}

function bodyUnits(bytes: number): number {
  return Math.ceil(bytes / BODY_UNIT_BYTES);
}

/**
 * What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that name a
 * network, because whoever has such a network has all of its addresses.
 */
export function addressKey(address: string): string {
  if (!address.includes(":") || address.endsWith("::/64")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const tailGroups = tail === "" ? [] : tail.split(":");
    while (groups.length + tailGroups.length < 8) groups.push("0");
    groups.push(...tailGroups);
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
