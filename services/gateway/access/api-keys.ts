import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { StoredKey } from "./access-file.ts";

/**
 * An API key as its owner has it: `twk_`, an id that is no secret and by which the key is found and
 * named in logs, and 256 random bits.
 */
const API_KEY = /^twk_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

/** Whether a text looks like an API key. */
export function isApiKey(text: string): boolean {
  return text.startsWith("twk_");
}

/** The id in a key; undefined if the text is not a key. */
export function keyIdOf(text: string): string | undefined {
  return API_KEY.exec(text)?.[1];
}

/** A key of 12 letters and digits, and of 32 random bytes. */
export function formatApiKey(id: string, secret: Uint8Array): string {
  return `twk_${id}_${Buffer.from(secret).toString("base64url")}`;
}

/**
 * What is stored of a key. A slow hash protects passwords, of which few are likely; of 256 random
 * bits none is likelier than another, so that trying is hopeless at any speed, and a hash that
 * costs nothing cannot be used to keep the gateway busy.
 */
export function hashOfKey(key: string): string {
  return `sha256:${createHash("sha256").update(key, "utf8").digest("hex")}`;
}

/** Compared with where there is no key of the id, so that the answer takes as long. */
const NO_HASH = `sha256:${"0".repeat(64)}`;

/** The keys of an access file. */
export class ApiKeys {
  readonly #byId: ReadonlyMap<string, StoredKey>;

  constructor(keys: readonly StoredKey[]) {
    this.#byId = new Map(keys.map((key) => [key.id, key]));
  }

  /** In the order in which they were given. */
  all(): Iterable<StoredKey> {
    return this.#byId.values();
  }

  /** By its id. */
  get(id: string): StoredKey | undefined {
    return this.#byId.get(id);
  }

  /**
   * The stored key that this one is; undefined if it is none. Every text of the form of a key takes
   * the same steps: one hash and one comparison whose time does not depend on what differs.
   */
  find(text: string): StoredKey | undefined {
    const id = keyIdOf(text);
    if (id === undefined) return undefined;
    const stored = this.#byId.get(id);
    const expected = Buffer.from(stored?.hash ?? NO_HASH, "utf8");
    const isSame = timingSafeEqual(Buffer.from(hashOfKey(text), "utf8"), expected);
    return isSame ? stored : undefined;
  }
}
