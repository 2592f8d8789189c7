import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TopicStand, trades } from "../../test/topic-stand.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import type { Position } from "../topics/position-tracker.ts";
import { TRADES } from "./batch.ts";
import { LiteTopic } from "./topic.ts";
import { fieldsOf } from "./wire.ts";

// A topic of the small client is held to one of the large client: whatever a gateway says and
// sends, both hand on the same events, and tell that the same are missing.

const NAMES = {
  topic: "binance:BTC-USDT/trades",
  venue: "binance",
  symbol: "BTC-USDT",
  venueSymbol: "BTCUSDT",
};

type Step =
  | {
      readonly kind: "batch";
      readonly lead: number;
      readonly count: number;
      readonly skipped: number;
    }
  | { readonly kind: "epoch"; readonly first: number; readonly count: number }
  | { readonly kind: "missing"; readonly count: number }
  | { readonly kind: "changed"; readonly missing: number; readonly continues: boolean }
  | { readonly kind: "lost" }
  | { readonly kind: "start"; readonly lead: number; readonly isResumed: boolean };

const small = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("batch" as const),
    lead: fc.integer({ min: -3, max: 3 }),
    count: fc.integer({ min: 1, max: 4 }),
    skipped: small,
  }),
  fc.record({
    kind: fc.constant("epoch" as const),
    first: fc.integer({ min: 1, max: 9 }),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constant("missing" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("changed" as const), missing: small, continues: fc.boolean() }),
  fc.record({ kind: fc.constant("lost" as const) }),
  fc.record({ kind: fc.constant("start" as const), lead: small, isResumed: fc.boolean() }),
);

/** Both topics, and where they stand. */
class Pair {
  readonly large = new TopicStand("trades");
  readonly small = new LiteTopic(NAMES.topic, TRADES, 0);
  readonly events: { readonly epoch: number; readonly sequence: number }[] = [];
  readonly notices: NoticeEvent[] = [];
  readonly problems: (string | undefined)[] = [];
  epoch = 1;
  isServed = false;

  constructor() {
    this.small.consumers.add({
      event: (event) => void this.events.push(event),
      notice: (notice) => void this.notices.push(notice),
    });
  }

  /** Of the last event that came, or that was said to be missing. */
  get sequence(): number {
    const { position } = this.small;
    return position?.epoch === this.epoch ? position.sequence : 0;
  }

  start(continuity: "new" | "resumed" | "replaced", position: Position): void {
    this.large.start(continuity, position);
    this.small.id = 1;
    this.small.start({ names: NAMES, continuity, position, ended: undefined, recovered: 0 });
    this.isServed = true;
  }

  receive(bytes: Uint8Array): void {
    this.large.receive(bytes);
    this.problems.push(this.small.receive(fieldsOf(bytes)));
  }

  lose(): void {
    this.large.stream.disconnect();
    this.small.suspend();
    this.isServed = false;
  }

  take(step_: Step): void {
    const { epoch, sequence } = this;
    if (step_.kind === "start") {
      const position = { epoch, sequence: sequence + (step_.isResumed ? 0 : step_.lead) };
      this.start(step_.isResumed ? "resumed" : "replaced", position);
    } else if (step_.kind === "lost") this.lose();
    // Without a connection nothing comes.
    else if (!this.isServed) return;
    else if (step_.kind === "batch") {
      const { lead, count, skipped } = step_;
      const firstSequence = Math.max(1 + skipped, sequence + 1 + lead);
      this.receive(trades({ firstSequence, epoch, skipped }, count));
    } else if (step_.kind === "epoch") {
      this.epoch += 1;
      this.receive(trades({ firstSequence: step_.first, epoch: this.epoch }, step_.count));
    } else if (step_.kind === "missing") {
      const last = sequence + step_.count;
      this.large.stream.announceMissing(sequence + 1, last);
      this.small.announceMissing(sequence + 1, last);
    } else {
      this.epoch += 1;
      const { continues } = step_;
      const missingLast = step_.missing === 0 ? 0 : sequence + step_.missing;
      const position = { epoch: this.epoch, sequence: continues ? sequence : 0 };
      this.large.stream.changeEpoch(position, { missingLast, continues });
      this.small.changeEpoch(position, missingLast, continues);
    }
  }
}

/** The events that were told missing, and the epochs that ended who knows where. */
function missingOf(notices: readonly NoticeEvent[]): string[] {
  const told: string[] = [];
  for (const notice of notices) {
    if (notice.type !== "gap") continue;
    const { epoch, missingFirst, missingLast } = notice;
    if (missingLast === undefined) told.push(`${epoch} to its end`);
    for (let at = missingFirst; at <= (missingLast ?? 0); at += 1) told.push(`${epoch}:${at}`);
  }
  return told.sort();
}

describe("a topic of the small client", () => {
  test("hands on and misses what one of the large client does", () => {
    const check = (steps: readonly Step[]) => {
      const pair = new Pair();
      pair.start("new", { epoch: 1, sequence: 100 });
      for (const each of steps) {
        pair.take(each);
        const places = (events: readonly { readonly epoch: number; readonly sequence: number }[]) =>
          events.map(({ epoch, sequence }) => `${epoch}:${sequence}`);
        expect(places(pair.events)).toEqual(places(pair.large.events));
        // The large one tells some a second time, where a loss begins with what was announced.
        const missing = new Set(missingOf(pair.large.notices));
        expect(missingOf(pair.notices)).toEqual([...missing]);
      }
      expect(pair.problems.filter((problem) => problem !== undefined)).toEqual([]);
      const told = (notices: readonly NoticeEvent[]) =>
        notices.flatMap((notice) =>
          notice.type === "continuity"
            ? [[notice.continuity, notice.outcome, notice.epoch, notice.sequence]]
            : [],
        );
      expect(told(pair.notices)).toEqual(told(pair.large.notices));
    };
    const steps = fc.array(step, { maxLength: 12 });
    fc.assert(fc.property(steps, check), { numRuns: 800 });
  });
});
