import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { AccessConfig } from "./access-config.ts";
import { asksForProof } from "./access-config.ts";
import { ACCESS_FILE_BYTES_MAX, parseAccessFile } from "./access-file.ts";
import { AccessList } from "./access-list.ts";
import type { AccessMetrics } from "./access-metrics.ts";
import { Authenticator, isAccessFault } from "./authenticator.ts";
import type { Authentication } from "./authenticator.ts";
import type { Credentials } from "./credentials.ts";
import { FileWatch, readTextFile } from "./file-watch.ts";
import { KeySource } from "./key-source.ts";
import { fetchKeySet } from "./key-set-fetch.ts";
import type { Principal } from "./principal.ts";
import { RevocationNews } from "./revocation-news.ts";
import { Revocations } from "./revocations.ts";

/** The access file or the keys of tokens cannot be used, so the gateway does not start. */
class AccessError extends Error {
  readonly code = "access-unusable";

  constructor(message: string) {
    super(message);
    this.name = "AccessError";
  }
}

type AccessParts = {
  readonly config: AccessConfig;
  /** Serve clients that prove nothing, although they could. */
  readonly allowAnonymous: boolean;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: AccessMetrics;
};

/** Revocations of keys, and of tokens, that are remembered. */
const REVOCATIONS_KEPT_MAX = 100_000;
const KEY_SET_BYTES_MAX = 1024 * 1024;

/**
 * Who may use the gateway: reads the files and keeps them, tells who a client is, hears of
 * revocations, and says when those who are in should be looked at again.
 */
export class Access {
  readonly #parts: AccessParts;
  readonly #revocations: Revocations;
  readonly #authenticator: Authenticator;
  readonly #keys: KeySource | undefined;
  readonly #news: RevocationNews;
  readonly #watches: FileWatch[] = [];
  #list = new AccessList();
  #onChanged: () => void = () => undefined;
  /** Until the file was read as often as was asked for. */
  #reading: Promise<void> = Promise.resolve();

  private constructor(parts: AccessParts) {
    const { config, clock, bus, metrics, allowAnonymous } = parts;
    const { tokens } = config;
    this.#parts = parts;
    this.#revocations = new Revocations({
      keptMs: tokens.lifetimeMsMax + tokens.leewayMs,
      keptMax: REVOCATIONS_KEPT_MAX,
    });
    this.#keys = this.#keySource();
    const mayBeAnonymous = allowAnonymous || !asksForProof(config);
    this.#authenticator = new Authenticator({
      clock,
      list: () => this.#list,
      revocations: this.#revocations,
      tokens: this.#keys && { ...tokens, issuer: tokens.issuer, keys: this.#keys },
      anonymousRoles: mayBeAnonymous ? config.anonymousRoles : undefined,
    });
    const onNews = (): void => this.#onChanged();
    this.#news = new RevocationNews({
      bus,
      clock,
      metrics,
      revocations: this.#revocations,
      onNews,
    });
  }

  /** Reads everything that is configured. Rejects with AccessError if that cannot be used. */
  static async open(parts: AccessParts): Promise<Access> {
    const access = new Access(parts);
    try {
      await access.#start();
    } catch (error) {
      access.close();
      throw error;
    }
    return access;
  }

  /** Called whenever somebody who was let in may have to leave, or may have other rights. */
  set onChanged(listener: () => void) {
    this.#onChanged = listener;
  }

  /** Who a client is, as the log of decisions has it. Never rejects. */
  async authenticate(credentials: Credentials): Promise<Authentication> {
    return this.authenticateNow(credentials);
  }

  /** The same at once where it is known at once. */
  authenticateNow(credentials: Credentials): Authentication | Promise<Authentication> {
    const outcome = this.#authenticator.authenticate(credentials);
    if (outcome instanceof Promise) {
      return outcome.then((late) => this.#note(late, credentials));
    }
    return this.#note(outcome, credentials);
  }

  /** What somebody who was let in may now, or why he is to go. */
  review(principal: Principal): Authentication {
    return this.#authenticator.review(principal);
  }

  /** Reads the files now, as on SIGHUP. What is broken leaves everything as it was. */
  async reload(): Promise<void> {
    await Promise.all([this.#reloadFile(), this.#keys?.readAgain()]);
  }

  /** Idempotent. */
  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#keys?.close();
    this.#news.close();
  }

  async #start(): Promise<void> {
    const { config, clock } = this.#parts;
    const { file, reloadMs, tokens } = config;
    if (file !== undefined) {
      const onChange = (): void => void this.#reloadFile();
      await this.#watch(new FileWatch({ paths: [file], clock, everyMs: reloadMs, onChange }));
      const read = await readList(file, this.#list);
      if (typeof read === "string") throw new AccessError(`gateway.access.file ${file} ${read}`);
      this.#list = read;
    }
    if (this.#keys === undefined) return;
    const { keySetFile } = tokens;
    if (keySetFile !== undefined) {
      const onChange = (): void => void this.#keys?.readAgain();
      const paths = [keySetFile];
      await this.#watch(new FileWatch({ paths, clock, everyMs: reloadMs, onChange }));
    }
    await this.#keys.start();
    // An address may come later; a file that nobody can use is a mistake.
    if (keySetFile !== undefined && !this.#keys.hasKeys) {
      throw new AccessError(`gateway.access.tokens.keySetFile ${keySetFile} cannot be used`);
    }
  }

  async #watch(watch: FileWatch): Promise<void> {
    this.#watches.push(watch);
    await watch.start();
  }

  #keySource(): KeySource | undefined {
    const { config, clock, logger, metrics } = this.#parts;
    const { keySetFile, keySetUrl, refetchMsMin, refreshMs, fetchTimeoutMs } = config.tokens;
    const onKeysGone = (): void => this.#onChanged();
    const common = { clock, logger, metrics, refetchMsMin, refreshMs, onKeysGone };
    if (keySetFile !== undefined) {
      const fetchText = (): Promise<string> => readTextFile(keySetFile, KEY_SET_BYTES_MAX);
      return new KeySource({ ...common, name: keySetFile, origin: "file", fetchText });
    }
    if (keySetUrl === undefined) return undefined;
    const limits = { timeoutMs: fetchTimeoutMs, bytesMax: KEY_SET_BYTES_MAX };
    const fetchText = (): Promise<string> => fetchKeySet(keySetUrl, limits);
    return new KeySource({ ...common, name: keySetUrl, origin: "url", fetchText });
  }

  /** One line for each client that proves something, and for each that is refused. */
  #note(outcome: Authentication, { remoteAddress }: Credentials): Authentication {
    const { logger, metrics } = this.#parts;
    if (isAccessFault(outcome)) {
      const { kind, reason } = outcome;
      metrics.accessDecisions.inc({ kind: "unknown", outcome: kind });
      logger.warn({ decision: "refused", why: kind, reason, remoteAddress }, "access refused");
      return outcome;
    }
    const { kind, id } = outcome;
    metrics.accessDecisions.inc({ kind, outcome: "granted" });
    if (kind !== "anonymous" && kind !== "nobody") {
      logger.debug({ decision: "granted", principal: id, kind, remoteAddress }, "access granted");
    }
    return outcome;
  }

  /** Reads the file after whoever reads it now, who may have seen less. Never rejects. */
  #reloadFile(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readFile());
    return this.#reading;
  }

  async #readFile(): Promise<void> {
    const { config, clock, logger, metrics } = this.#parts;
    const { file } = config;
    if (file === undefined) return;
    const read = await readList(file, this.#list);
    if (typeof read === "string") {
      metrics.accessFileReads.inc({ outcome: "broken" });
      logger.error({ file, reason: read }, "the access file cannot be used; what was read stays");
      return;
    }
    metrics.accessFileReads.inc({ outcome: "read" });
    const before = this.#list;
    this.#list = read;
    const revocations = read.revocationsSince(before, clock.nowUs() / 1_000);
    const { keys } = read.file;
    logger.info({ file, keys: keys.length, revoked: revocations.length }, "access file read");
    if (revocations.length > 0) this.#news.publish(revocations);
    this.#onChanged();
  }
}

/** The list in a file, or what is wrong with it. */
async function readList(file: string, before: AccessList): Promise<AccessList | string> {
  let text: string;
  try {
    text = await readTextFile(file, ACCESS_FILE_BYTES_MAX);
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  const parsed = parseAccessFile(text);
  if (parsed.kind === "broken") return `cannot be used: ${parsed.reason}`;
  return new AccessList(parsed.file, before);
}
