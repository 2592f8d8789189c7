import { readFile, stat } from "node:fs/promises";
import type { CancelTimer, Clock } from "#core/clock.ts";

type FileWatchParts = {
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly everyMs: number;
  /** Some of the files are not what they were, or one of them came or went. */
  readonly onChange: () => void;
};

/**
 * Notices that files have changed, by looking at them now and then: unlike notifications of the
 * system it sees what is exchanged by a rename or a link, as Kubernetes does it, and what lies on
 * another machine.
 */
export class FileWatch {
  readonly #parts: FileWatchParts;
  #seen: string | undefined;
  #cancelTimer: CancelTimer | undefined;
  #closed = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /** Remembers the files as they are, to be called before they are read for the first time. */
  async start(): Promise<void> {
    this.#seen = await this.#look();
    this.#arm();
  }

  /** Nothing is told any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  #arm(): void {
    if (this.#closed) return;
    // It never rejects: what cannot be looked at looks different from what can.
    const check = (): void => void this.#check();
    this.#cancelTimer = this.#parts.clock.after(this.#parts.everyMs, check);
  }

  async #check(): Promise<void> {
    const looks = await this.#look();
    if (this.#closed) return;
    const isChanged = looks !== this.#seen;
    this.#seen = looks;
    this.#arm();
    if (isChanged) this.#parts.onChange();
  }

  async #look(): Promise<string> {
    const looks = await Promise.all(this.#parts.paths.map((path) => lookOf(path)));
    return looks.join(" ");
  }
}

async function lookOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}

/** The text of a file. Rejects if it cannot be read or is longer than so many bytes. */
export async function readTextFile(path: string, bytesMax: number): Promise<string> {
  const { size } = await stat(path);
  if (size > bytesMax) throw new Error(`${path} has ${size} bytes, more than ${bytesMax}`);
  return readFile(path, "utf8");
}
