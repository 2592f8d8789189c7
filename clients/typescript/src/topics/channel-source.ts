import type { LateCode } from "../host/late-code.ts";
import type { ChannelPart } from "./channel.ts";
import type { Channel } from "./topic.ts";

/** Channels whose code comes when one of them is first subscribed. */
type LateChannels = {
  readonly names: readonly Channel[];
  readonly code: LateCode<readonly ChannelPart[]>;
};

/** The channels that a client reads: those whose code is there, and those whose code comes late. */
export class ChannelSource {
  /** Those whose code is there. Grows. */
  readonly parts: ChannelPart[];
  /** All of them, in the order of the schema. */
  readonly names: readonly Channel[];
  readonly #late: readonly LateChannels[];

  /** Of those that are `brought`, the code comes with that of the session. */
  constructor(
    parts: readonly ChannelPart[],
    late: readonly LateChannels[] = [],
    brought: readonly Channel[] = [],
  ) {
    this.parts = [...parts];
    const names = parts.map(({ name }) => name);
    this.names = [...brought, ...names, ...late.flatMap(({ names: more }) => more)];
    this.#late = late;
  }

  /** Adds what is not there yet. */
  bring(parts: readonly ChannelPart[]): void {
    this.parts.push(...parts.filter(({ name }) => !this.#isThere([name])));
  }

  /**
   * Undefined if the code of all that the full topics name is there, else what resolves when it has
   * come, and rejects with why it cannot be had.
   */
  load(topics: readonly string[]): Promise<unknown> | undefined {
    const loading = this.#late.filter(
      ({ names }) => !this.#isThere(names) && topics.some((topic) => isAbout(topic, names)),
    );
    if (loading.length === 0) return undefined;
    return Promise.all(loading.map((late) => this.#take(late)));
  }

  async #take({ code }: LateChannels): Promise<void> {
    // Others may have waited for the same.
    this.bring(await code.get());
  }

  #isThere(names: readonly Channel[]): boolean {
    return this.parts.some(({ name }) => name === names[0]);
  }
}

function isAbout(topic: string, names: readonly Channel[]): boolean {
  const channel = topic.slice(topic.lastIndexOf("/") + 1);
  return channel === "*" || names.some((name) => name === channel);
}
