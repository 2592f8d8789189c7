import type { StreamEvent } from "@tickwire/client";

/** What became of one topic's events, counted by their sequences alone. */
type TopicAccount = {
  epoch: number;
  /** Of the last event that was accounted for. */
  sequence: number;
  /** Sequences that came as events. */
  delivered: number;
  /** Sequences that a notice named. */
  missing: number;
  /** Sequences of which nothing was said, where that is how it should be. */
  conflated: number;
  /** Told gaps beyond `sequence`, in order. */
  told: { readonly first: number; readonly last: number }[];
};

/** An event, or a part of a state. */
type PlacedEvent = {
  readonly topic: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly initial: boolean;
};

/**
 * Keeps the books of a client: each sequence of a topic, from its start on, is delivered once or
 * told missing once. It reads what a program gets, in the order in which it gets it, and believes
 * nothing else.
 */
export class StreamLedger {
  /** What does not add up, in words. Empty if all is well. */
  readonly faults: string[] = [];
  /** Epochs that topics left, with or without a known end. */
  epochChanges = 0;
  /** When the newest event was published, statuses left out. */
  publishedTimeUs = 0;
  /** Epochs that topics left without a loss. */
  continuations = 0;
  /** Gaps whose extent nobody could say. */
  unknownGaps = 0;
  readonly statuses: { readonly topic: string; readonly state: string; readonly reason: string }[] =
    [];
  readonly #accounts = new Map<string, TopicAccount>();
  readonly #isConflated: boolean;

  /** Of conflated topics a later event stands for those before it that nothing is said of. */
  constructor({ isConflated = false }: { readonly isConflated?: boolean } = {}) {
    this.#isConflated = isConflated;
  }

  take(event: StreamEvent): void {
    if (event.type === "lag" || event.type === "refused" || event.type === "conflation") return;
    if (event.type === "gap") {
      this.#takeGap(event.topic, event);
    } else if (event.type === "continuity") {
      const isStart = event.continuity === "new" || event.continuity === "replaced";
      if (isStart) this.#startAt(event.topic, event);
      else if (event.continuity === "resumed") this.#goOn(event.topic, event);
    } else {
      if (event.type === "status") {
        const { topic, state, reason } = event;
        this.statuses.push({ topic, state, reason });
      } else {
        // A status may be the gateway's own, which says nothing of what the ingestor has sent.
        this.publishedTimeUs = event.publishedTimeUs;
      }
      this.#takeEvent(event);
    }
  }

  /** Of which channels there were topics. */
  get channels(): string {
    const names = [...this.#accounts.keys()].map((topic) => topic.slice(topic.indexOf("/") + 1));
    return [...new Set(names)].toSorted().join(" ");
  }

  /** Of the last event that was accounted for, where there is one topic. */
  get sequence(): number {
    const [account] = this.#accounts.values();
    return account?.sequence ?? 0;
  }

  /** Sums over topics whose name ends like this. */
  totals(channel = ""): {
    readonly delivered: number;
    readonly missing: number;
    readonly conflated: number;
  } {
    let delivered = 0;
    let missing = 0;
    let conflated = 0;
    for (const [topic, account] of this.#accounts) {
      if (!topic.endsWith(channel)) continue;
      delivered += account.delivered;
      missing += account.missing;
      conflated += account.conflated;
    }
    return { delivered, missing, conflated };
  }

  #startAt(topic: string, { epoch, sequence }: { epoch: number; sequence: number }): void {
    const account = this.#accounts.get(topic);
    if (account === undefined) {
      const start = { epoch, sequence, delivered: 0, missing: 0, conflated: 0, told: [] };
      this.#accounts.set(topic, start);
      return;
    }
    if (account.epoch !== epoch) {
      this.epochChanges += 1;
      account.told = [];
    } else {
      this.#settle(topic, account, sequence);
    }
    account.epoch = epoch;
    account.sequence = sequence;
  }

  /** The same sequences, in another epoch if it is one. */
  #goOn(topic: string, { epoch, sequence }: { epoch: number; sequence: number }): void {
    const account = this.#accounts.get(topic);
    if (account === undefined || account.epoch === epoch) return;
    this.continuations += 1;
    this.#settle(topic, account, sequence);
    account.epoch = epoch;
    account.sequence = Math.max(account.sequence, sequence);
    account.told = [];
  }

  #takeGap(
    topic: string,
    gap: { epoch: number; missingFirst: number; missingLast: number | undefined },
  ): void {
    const account = this.#accounts.get(topic);
    if (account === undefined) {
      this.faults.push(`${topic}: a gap before its start`);
    } else if (gap.missingLast === undefined) {
      this.unknownGaps += 1;
    } else if (gap.epoch !== account.epoch) {
      this.faults.push(`${topic}: a gap in epoch ${gap.epoch} while in ${account.epoch}`);
    } else {
      account.missing += gap.missingLast - gap.missingFirst + 1;
      account.told.push({ first: gap.missingFirst, last: gap.missingLast });
      if (gap.missingFirst <= account.sequence) {
        this.faults.push(`${topic}: ${gap.missingFirst} is missing and was delivered`);
      }
    }
  }

  #takeEvent({ topic, epoch, sequence, initial }: PlacedEvent): void {
    const account = this.#accounts.get(topic);
    if (account === undefined) {
      this.faults.push(`${topic}: an event before its start`);
      return;
    }
    if (account.epoch !== epoch) {
      this.faults.push(`${topic}: an event of another epoch without a word`);
      this.#startAt(topic, { epoch, sequence });
      return;
    }
    // A state repeats where the topic stands.
    if (sequence <= account.sequence) return;
    // A state may stand for what was told missing up to and with its own sequence.
    const isTold = account.told.at(-1)?.last === sequence;
    // Of conflated topics it may stand for its own: a batch without events said so before.
    const isStoodFor = isTold || (this.#isConflated && initial);
    this.#settle(topic, account, isStoodFor ? sequence : sequence - 1);
    if (!isStoodFor) account.delivered += 1;
    account.sequence = sequence;
  }

  /** Everything up to a sequence has to be told missing by now. */
  #settle(topic: string, account: TopicAccount, upTo: number): void {
    let { sequence } = account;
    for (const { first, last } of account.told) {
      if (first <= sequence + 1) sequence = Math.max(sequence, last);
    }
    if (sequence < upTo && this.#isConflated) account.conflated += upTo - sequence;
    else if (sequence < upTo)
      this.faults.push(`${topic}: nothing is said of ${sequence + 1} to ${upTo}`);
    account.told = account.told.filter(({ last }) => last > upTo);
  }
}
