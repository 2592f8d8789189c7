import type { Client, ReplayEvent, StreamEvent } from "@tickwire/client";
import { CommandError } from "../process/errors.ts";

/** Live events that wait for the past to be printed before them. */
const HELD_EVENTS_MAX = 500_000;

/**
 * The past of topics, and then what came live meanwhile: each event once, in the order of its
 * topic. Live events are given to `live`, from before the past is asked for on.
 */
export class PastAndLive {
  readonly #take: (event: StreamEvent) => void;
  /** Undefined when the past is over. */
  #held: StreamEvent[] | undefined = [];
  /** Topics that have started. */
  readonly #started = new Set<string>();
  #onStarted: () => void = () => undefined;
  #awaited = 0;
  /** Where the past of each topic ended. */
  readonly #ends = new Map<string, { readonly epoch: number; readonly sequence: number }>();

  constructor(take: (event: StreamEvent) => void) {
    this.#take = take;
  }

  /** The next live event. Throws CommandError if more wait than may. */
  live(event: StreamEvent): void {
    if (this.#held === undefined) {
      this.#take(event);
      return;
    }
    if (this.#held.length >= HELD_EVENTS_MAX) {
      const message = `more than ${HELD_EVENTS_MAX} events came while the past was printed`;
      throw new CommandError(`${message}; begin later, or with fewer topics`);
    }
    this.#held.push(event);
    if (event.type !== "continuity") return;
    this.#started.add(event.topic);
    if (this.#started.size >= this.#awaited) this.#onStarted();
  }

  /** Gives the past, once every topic has started. Rejects as the loop of a replay throws. */
  async play(
    client: Client,
    topics: readonly string[],
    options: Parameters<Client["replay"]>[1],
  ): Promise<void> {
    this.#awaited = topics.length;
    if (this.#started.size < this.#awaited) {
      await new Promise<void>((resolve) => {
        this.#onStarted = resolve;
      });
    }
    for await (const event of client.replay(topics, options)) {
      this.#note(event);
      this.#take(event);
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) if (!this.#isPast(event)) this.#take(event);
  }

  #note(event: ReplayEvent): void {
    if (!("sequence" in event)) return;
    const { topic, epoch, sequence } = event;
    this.#ends.set(topic, { epoch, sequence });
  }

  /** Whether the event was given with the past, or stands for what was. */
  #isPast(event: StreamEvent): boolean {
    if (!("sequence" in event)) return false;
    const end = this.#ends.get(event.topic);
    return end?.epoch === event.epoch && event.sequence <= end.sequence;
  }
}
