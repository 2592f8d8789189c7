import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
} from "node:fs";
import type { DeadLetter, Message } from "./sender.ts";

/** Letters beyond it are lost, and said to be. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** So many are sent again at a time, because the sender holds a limited number. */
const PORTION = 100;

/** What could not be delivered, in a file with a line for each. */
export class DeadLetters {
  readonly #path: string;
  readonly #log: (line: string) => void;

  constructor(path: string, log: (line: string) => void) {
    this.#path = path;
    this.#log = log;
  }

  /**
   * Writes a letter before it returns, so that what ends the process afterwards loses nothing. It
   * begins a line of its own even if the last one was cut off.
   */
  add(letter: DeadLetter): void {
    const line = `\n${JSON.stringify(letter)}\n`;
    const size = existsSync(this.#path) ? statSync(this.#path).size : 0;
    if (size + Buffer.byteLength(line) > FILE_BYTES_MAX) {
      this.#log(`webhook ${letter.id} is lost: ${this.#path} has ${size} bytes`);
      return;
    }
    appendFileSync(this.#path, line, { mode: 0o600 });
  }

  /**
   * Sends all letters again under their old ids. Those that fail are in the file again afterwards.
   * If the process ends on the way, the next time begins with the same letters.
   */
  async redeliver(
    send: (message: Message) => void,
    whenIdle: () => Promise<void>,
  ): Promise<number> {
    const aside = `${this.#path}.redelivering`;
    if (!existsSync(aside)) {
      if (!existsSync(this.#path)) return 0;
      renameSync(this.#path, aside);
    }
    const letters = this.#read(aside);
    for (const [index, { id, body }] of letters.entries()) {
      if (index % PORTION === 0) await whenIdle();
      send({ id, body });
    }
    await whenIdle();
    unlinkSync(aside);
    return letters.length;
  }

  #read(path: string): Message[] {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.flatMap((line) => {
      if (line === "") return [];
      const letter = parseLetter(line);
      if (letter !== undefined) return [letter];
      this.#log(`a line of ${path} is no letter and is left out: ${line.slice(0, 100)}`);
      return [];
    });
  }
}

/** Undefined if the line is cut off, because the process that wrote it was killed on the way. */
function parseLetter(line: string): Message | undefined {
  try {
    const { id, body } = JSON.parse(line) as Partial<Message>;
    return typeof id === "string" && typeof body === "string" ? { id, body } : undefined;
  } catch {
    return undefined;
  }
}
