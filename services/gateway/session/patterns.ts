import type { TopicPattern } from "#core/topic.ts";
import type { TopicRequestMessage } from "./wire-messages.ts";

/** A pattern that the client subscribed, with the request that its results belong to. */
export type Pattern = {
  /** As the client wrote it. */
  readonly text: string;
  readonly pattern: TopicPattern;
  readonly requestId: number;
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
};

type ViewWish = Pick<TopicRequestMessage, "depth" | "conflationIntervalMs">;

/**
 * The patterns of one session, so that instruments that are listed later join them. They are as
 * many as topics may be: a pattern for which there is no room is answered, but does not grow.
 */
export class Patterns {
  readonly #patternsMax: number;
  /** Made with the first one: most sessions name their topics. */
  #byText: Map<string, Pattern> | undefined;

  constructor(patternsMax: number) {
    this.#patternsMax = patternsMax;
  }

  get size(): number {
    return this.#byText?.size ?? 0;
  }

  /** A pattern of the same text is replaced: later results belong to the newest request. */
  remember(pattern: Pattern): void {
    if (this.size >= this.#patternsMax) return;
    (this.#byText ??= new Map<string, Pattern>()).set(pattern.text, pattern);
  }

  /**
   * What the pattern brings from now on is shown in this way. False if the session does not have
   * the pattern.
   */
  change(text: string, { depth, conflationIntervalMs }: ViewWish): boolean {
    const pattern = this.#byText?.get(text);
    if (pattern === undefined) return false;
    const request = { ...pattern.request, depth, conflationIntervalMs };
    this.#byText?.set(text, { ...pattern, request });
    return true;
  }

  /** False if the session does not have this pattern. */
  forget(text: string): boolean {
    return this.#byText?.delete(text) ?? false;
  }

  all(): Iterable<Pattern> {
    return this.#byText?.values() ?? [];
  }

  clear(): void {
    this.#byText = undefined;
  }
}
