import { assert } from "#core/assert.ts";
import type { HttpLimits, RefusalLimit } from "./transport.ts";

/** Sockets above a limit that are still told what the limit is; more are cut without a word. */
const REFUSAL_ROOM = 32;

/** A bucket holds what may come within this time, so that bursts of a normal client pass. */
const BURST_SECONDS = 2;

/** Tokens that come back at an even pace. A bucket that is full says nothing about anybody. */
type Bucket = { tokens: number; filledAtMs: number };

type AdmissionLimits = HttpLimits & { readonly connectionsMax: number };

/** What one address holds. */
type Held = { sockets: number; bodyBytes: number; requests: Bucket };

/**
 * The one account of what strangers hold: sockets of every kind (WebSockets, HTTP connections, and
 * those that have not said yet what they are), request bodies in memory, and the rate of requests,
 * for each address and in all.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #nowMs: () => number;
  readonly #held = new Map<string, Held>();
  readonly #requests: Bucket;
  #sockets = 0;
  #bodyBytes = 0;

  constructor(limits: AdmissionLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#requests = { tokens: limits.requestsPerSecondMax * BURST_SECONDS, filledAtMs: nowMs() };
  }

  /** Sockets that are open now. */
  get sockets(): number {
    return this.#sockets;
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
    if (this.#sockets >= connectionsMax + REFUSAL_ROOM) return "connectionsMax";
    if (address !== undefined) {
      const held = this.#of(address);
      if (held.sockets >= connectionsPerAddressMax + REFUSAL_ROOM) {
        return "connectionsPerAddressMax";
      }
      held.sockets += 1;
    }
    this.#sockets += 1;
    return undefined;
  }

  /** A socket that was counted has closed. */
  closeSocket(address: string | undefined): void {
    // A transport that does not learn of a socket's end gives it back with its last answer, and
    // once more if the client sends another request all the same.
    if (this.#sockets > 0) this.#sockets -= 1;
    if (address === undefined) return;
    const held = this.#held.get(addressKey(address));
    if (held !== undefined && held.sockets > 0) this.closeProxied(address);
  }

  /** Counts a WebSocket for the client whom a trusted proxy names, besides the proxy's socket. */
  openProxied(address: string): RefusalLimit | undefined {
    const held = this.#of(address);
    if (held.sockets >= this.#limits.connectionsPerAddressMax) return "connectionsPerAddressMax";
    held.sockets += 1;
    return undefined;
  }

  closeProxied(address: string): void {
    const held = this.#held.get(addressKey(address));
    assert(held !== undefined && held.sockets > 0, "a socket that closes was counted");
    held.sockets -= 1;
    this.#forget(address, held);
  }

  /** The limit that is exceeded while a socket of this address is counted. */
  exceeded(address: string | undefined): RefusalLimit | undefined {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits;
    if (this.#sockets > connectionsMax) return "connectionsMax";
    if (address === undefined) return undefined;
    const sockets = this.#held.get(addressKey(address))?.sockets ?? 0;
    return sockets > connectionsPerAddressMax ? "connectionsPerAddressMax" : undefined;
  }

  /** Counts a request or an upgrade. Returns the limit for which it is to be refused. */
  request(address: string): RefusalLimit | undefined {
    const { requestsPerSecondMax, requestsPerSecondPerAddressMax } = this.#limits;
    const { requests } = this.#of(address);
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
    held.bodyBytes += bytes;
    this.#bodyBytes += bytes;
    return undefined;
  }

  /** Bytes that were counted are not held any more. */
  releaseBody(address: string, bytes: number): void {
    if (bytes === 0) return;
    const held = this.#held.get(addressKey(address));
    assert(held !== undefined && held.bodyBytes >= bytes, "bytes that are released were counted");
    held.bodyBytes -= bytes;
    this.#bodyBytes -= bytes;
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
      held = { sockets: 0, bodyBytes: 0, requests: { tokens, filledAtMs: this.#nowMs() } };
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
    if (held.requests.tokens >= perSecond * BURST_SECONDS) this.#held.delete(addressKey(address));
  }
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
