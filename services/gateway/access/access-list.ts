import { EMPTY_ACCESS_FILE, ENTRIES_MAX, ROLE_ALL, roleSchema } from "./access-file.ts";
import type { AccessFile, Role, StoredKey } from "./access-file.ts";
import { ApiKeys } from "./api-keys.ts";
import type { TokenFacts } from "./principal.ts";
import type { Revocation } from "./revocations.ts";
import { Rights } from "./rights.ts";

const ALL: Role = roleSchema.parse({ grants: [{ topics: ["*:*/*"] }] });

/** Sets of roles of which the rights are kept ready. */
const RIGHTS_KEPT_MAX = 1_000;

/** An access file, ready to be asked. Whoever has another file has another list. */
export class AccessList {
  readonly keys: ApiKeys;
  /** Keys that earlier files had and this one has not, as far as they are remembered. */
  readonly formerKeys: ApiKeys;
  readonly file: AccessFile;
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #certificates: ReadonlyMap<string, readonly string[]>;
  readonly #rights = new Map<string, Rights>();
  readonly #revokedJtis = new Set<string>();
  /** By subject, the time up to which its tokens are revoked. */
  readonly #revokedSubjects = new Map<string, number>();

  /** `before` is the list that this one takes the place of. */
  constructor(file: AccessFile = EMPTY_ACCESS_FILE, before?: AccessList) {
    this.file = file;
    this.keys = new ApiKeys(file.keys);
    this.formerKeys = this.#formerKeys(before);
    this.#roles = new Map([[ROLE_ALL, ALL], ...Object.entries(file.roles)]);
    this.#certificates = new Map(file.certificates.map(({ name, roles }) => [name, roles]));
    for (const entry of file.revoked) {
      if ("jti" in entry) this.#revokedJtis.add(entry.jti);
      else this.#revokeSubject(entry.sub, Date.parse(entry.issuedBefore));
    }
  }

  /** Whether the file says that the token is not valid any more. */
  revokesToken({ jti, subject, issuedAtMs }: TokenFacts): boolean {
    if (jti !== undefined && this.#revokedJtis.has(jti)) return true;
    const untilMs = this.#revokedSubjects.get(subject);
    return untilMs !== undefined && (issuedAtMs === undefined || issuedAtMs <= untilMs);
  }

  /** What the roles permit together. A name that no role has permits nothing. */
  rightsOf(names: readonly string[], ownRole?: Role): Rights {
    const roles = names.flatMap((name) => this.#roles.get(name) ?? []);
    // What a token carries is tried first: whoever signed it knew whom it is for.
    if (ownRole !== undefined) return new Rights([ownRole, ...roles]);
    const key = JSON.stringify(names);
    let rights = this.#rights.get(key);
    if (rights === undefined) {
      rights = new Rights(roles);
      if (this.#rights.size < RIGHTS_KEPT_MAX) this.#rights.set(key, rights);
    }
    return rights;
  }

  /** The first of a certificate's names that the file has, with its roles. */
  certificate(
    names: readonly string[],
  ): { readonly name: string; readonly roles: readonly string[] } | undefined {
    for (const name of names) {
      const roles = this.#certificates.get(name);
      if (roles !== undefined) return { name, roles };
    }
    return undefined;
  }

  /** What this file revokes and the one before did not. */
  revocationsSince(before: AccessList, nowMs: number): Revocation[] {
    const keys = this.#keysEndedSince(before, nowMs).map((id) => ({ kind: "key", id }) as const);
    const jtis = [...this.#revokedJtis].filter((jti) => !before.#revokedJtis.has(jti));
    const subjects = [...this.#revokedSubjects].filter(
      ([subject, untilMs]) => (before.#revokedSubjects.get(subject) ?? -1) < untilMs,
    );
    return [
      ...keys,
      ...jtis.map((id) => ({ kind: "jti", id }) as const),
      ...subjects.map(([id, issuedBeforeMs]) => ({ kind: "sub", id, issuedBeforeMs }) as const),
    ];
  }

  #formerKeys(before: AccessList | undefined): ApiKeys {
    if (before === undefined) return new ApiKeys([]);
    const known = [...before.formerKeys.all(), ...before.file.keys];
    const former = known.filter(({ id }) => this.keys.get(id) === undefined);
    return new ApiKeys(former.slice(-ENTRIES_MAX));
  }

  #revokeSubject(subject: string, untilMs: number): void {
    const before = this.#revokedSubjects.get(subject) ?? 0;
    this.#revokedSubjects.set(subject, Math.max(before, untilMs));
  }

  /** Ids of keys that somebody could use before, by another list, and cannot by this one. */
  #keysEndedSince(before: AccessList, nowMs: number): string[] {
    const ended: string[] = [];
    for (const key of before.file.keys) {
      const now = this.keys.get(key.id);
      const isOver = now === undefined || now.hash !== key.hash || isRevoked(now);
      if (isOver && !isRevoked(key) && !hasExpired(key, nowMs)) ended.push(key.id);
    }
    return ended;
  }
}

/** Whether the file says that the key is not valid any more. */
export function isRevoked({ revokedTime }: StoredKey): boolean {
  return revokedTime !== undefined;
}

/** When the key ends by itself; undefined if it does not. */
export function expiryMs({ expiresTime }: StoredKey): number | undefined {
  return expiresTime === undefined ? undefined : Date.parse(expiresTime);
}

/** Whether its time is over. */
export function hasExpired(key: StoredKey, nowMs: number): boolean {
  const endMs = expiryMs(key);
  return endMs !== undefined && endMs <= nowMs;
}
