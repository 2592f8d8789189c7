import { visibleText } from "#core/visible-text.ts";

/** The part of a writable stream that lines go to. */
type OutputStream = {
  write(chunk: string): boolean;
  once(event: "drain", listener: () => void): unknown;
};

/** Written at once when this much text has gathered. */
const CHUNK_CHARACTERS_MIN = 64 * 1024;

/**
 * Gathers lines into large writes. Ask `blocked` before producing more and wait for `drained()` if
 * it is true: then no more than one chunk waits here, however slow the reader is.
 */
export class LineOutput {
  readonly #stream: OutputStream;
  readonly #eager: boolean;
  #text = "";
  #drained: Promise<void> | undefined;

  /** `eager` writes every line by itself, for output that somebody watches. */
  constructor(stream: OutputStream, options: { readonly eager: boolean }) {
    this.#stream = stream;
    this.#eager = options.eager;
  }

  /** True while the stream has more than it wants. */
  get blocked(): boolean {
    return this.#drained !== undefined;
  }

  /** Adds a line, text or JSON, in which everything can be seen; the newline is added here. */
  write(line: string): void {
    this.#text += `${visibleText(line)}\n`;
    if (this.#eager || this.#text.length >= CHUNK_CHARACTERS_MIN) this.flush();
  }

  /** Hands on what has gathered. */
  flush(): void {
    if (this.#text === "") return;
    const text = this.#text;
    this.#text = "";
    if (this.#stream.write(text)) return;
    this.#drained ??= new Promise((resolve) => {
      this.#stream.once("drain", () => {
        this.#drained = undefined;
        resolve();
      });
    });
  }

  /** Resolves when the stream takes more; at once if it does now. */
  drained(): Promise<void> {
    return this.#drained ?? Promise.resolve();
  }
}
