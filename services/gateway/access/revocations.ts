import type { TokenFacts } from "./principal.ts";

/** One thing that is not valid any more. */
export type Revocation =
  | { readonly kind: "key"; readonly id: string }
  | { readonly kind: "jti"; readonly id: string }
  /** Tokens of the subject that were issued at or before the time, or do not say when. */
  | { readonly kind: "sub"; readonly id: string; readonly issuedBeforeMs: number };

/** Longest id that is read. */
export const REVOKED_ID_LENGTH_MAX = 200;

type Kept = { readonly revocation: Revocation; readonly untilUs: number };

type RevocationsParts = {
  /** How long one of a token is remembered: as long as the token can live. */
  readonly keptMs: number;
  /** More keys, or more tokens, are not remembered: the oldest make room. */
  readonly keptMax: number;
};

/**
 * Revocations that were heard of while the gateway runs. Those of keys and of tokens in the access
 * file are known besides; what is told over the bus is remembered here until every token that it
 * could be about has expired.
 */
export class Revocations {
  readonly #parts: RevocationsParts;
  /** Of tokens, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Keys do not expire by themselves. */
  readonly #keys = new Set<string>();

  constructor(parts: RevocationsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#kept.size + this.#keys.size;
  }

  /** Remembers it. False if that is nothing new. */
  add(revocation: Revocation, nowUs: number): boolean {
    const { keptMs, keptMax } = this.#parts;
    if (revocation.kind === "key") {
      if (this.#keys.has(revocation.id)) return false;
      const [oldest] = this.#keys;
      if (oldest !== undefined && this.#keys.size >= keptMax) this.#keys.delete(oldest);
      this.#keys.add(revocation.id);
      return true;
    }
    const key = nameOf(revocation);
    const before = this.#kept.get(key)?.revocation;
    if (before !== undefined && !isMore(revocation, before)) return false;
    // What is said again is young again.
    this.#kept.delete(key);
    this.#forgetOld(nowUs);
    this.#kept.set(key, { revocation, untilUs: nowUs + keptMs * 1_000 });
    return true;
  }

  /** Those that are remembered, the oldest first. */
  list(nowUs: number): Revocation[] {
    this.#forgetOld(nowUs);
    const keys = Array.from(this.#keys, (id) => ({ kind: "key", id }) as const);
    return [...keys, ...Array.from(this.#kept.values(), ({ revocation }) => revocation)];
  }

  hasKey(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Whether the token is revoked by its own id or with its subject. */
  hasToken({ jti, subject, issuedAtMs }: TokenFacts): boolean {
    if (jti !== undefined && this.#kept.has(`jti ${jti}`)) return true;
    const kept = this.#kept.get(`sub ${subject}`)?.revocation;
    if (kept?.kind !== "sub") return false;
    return issuedAtMs === undefined || issuedAtMs <= kept.issuedBeforeMs;
  }

  #forgetOld(nowUs: number): void {
    // Every one is kept equally long, so the oldest go first.
    for (const [key, { untilUs }] of this.#kept) {
      if (untilUs > nowUs && this.#kept.size < this.#parts.keptMax) return;
      this.#kept.delete(key);
    }
  }
}

function nameOf({ kind, id }: Revocation): string {
  return `${kind} ${id}`;
}

function isMore(revocation: Revocation, before: Revocation): boolean {
  if (revocation.kind !== "sub" || before.kind !== "sub") return false;
  return revocation.issuedBeforeMs > before.issuedBeforeMs;
}

/** As it goes over the bus. */
export function encodeRevocations(revocations: readonly Revocation[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ revocations }));
}

/** What came over the bus; undefined if that is no list of revocations. */
export function decodeRevocations(payload: Uint8Array): Revocation[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
  const list = (value as { readonly revocations?: unknown } | null)?.revocations;
  if (!Array.isArray(list)) return undefined;
  const revocations: Revocation[] = [];
  for (const entry of list as readonly unknown[]) {
    const revocation = readRevocation(entry);
    if (revocation === undefined) return undefined;
    revocations.push(revocation);
  }
  return revocations;
}

function readRevocation(entry: unknown): Revocation | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { kind, id, issuedBeforeMs } = entry as Readonly<Record<string, unknown>>;
  if (typeof id !== "string" || id === "" || id.length > REVOKED_ID_LENGTH_MAX) return undefined;
  if (kind === "key" || kind === "jti") return { kind, id };
  if (kind !== "sub" || !Number.isSafeInteger(issuedBeforeMs)) return undefined;
  return { kind, id, issuedBeforeMs: issuedBeforeMs as number };
}
