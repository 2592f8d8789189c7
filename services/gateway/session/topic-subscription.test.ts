import { tickwire } from "@tickwire/proto/protobufjs";
import { beforeEach, describe, expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { RawFrameReader } from "#test/conformance/gateway-raw-client.ts";
import { sharedBatch } from "#test/support/shared-batches.ts";
import { FakeHub } from "#test/support/fake-topics.ts";
import type { FakeView } from "#test/support/fake-topics.ts";
import { subscriptionTable } from "#test/support/subscription-table.ts";
import type { SharedBatch } from "../topics/shared-batch.ts";
import type { TopicView } from "../topics/topic-view.ts";
import { FrameBuffer } from "./outbound/frame-buffer.ts";
import { FanOut } from "../topics/fan-out.ts";
import { TopicLanes } from "./outbound/topic-lanes.ts";
import { TopicSubscription } from "./topic-subscription.ts";
import type { SubscriptionTable } from "./topic-subscription.ts";
import { NO_LANE_LISTENER } from "#test/support/no-lane-listener.ts";

const TOPIC = "fake:BTC-USDT/trades";

let hub: FakeHub;
let view: FakeView;
let fanOut: FanOut;
let lanes: TopicLanes;
let starts: number;
let subscription: TopicSubscription;
let table: SubscriptionTable;

beforeEach(() => {
  table = subscriptionTable();
  hub = new FakeHub();
  view = hub.view(TOPIC);
  starts = 0;
  fanOut = new FanOut({ fullLists: { inc() {} } as never });
  lanes = new TopicLanes({ ...NO_LANE_LISTENER, onStart: () => void (starts += 1) }, fanOut);
  view.holds = 1;
  subscription = new TopicSubscription(
    { hub, lanes, table },
    {
      view: view as unknown as TopicView,
      options: { snapshot: true, resume: { epoch: 1, sequence: 4 } },
      pattern: undefined,
    },
  );
});

/** What the client gets, frame by frame: messages first, as any decoder reads them. */
function received(): string[] {
  const buffer = new FrameBuffer();
  const seen: string[] = [];
  const reader = new RawFrameReader();
  for (;;) {
    buffer.begin();
    const filled = lanes.fill(buffer);
    if (filled === 0) return seen;
    const frame = tickwire.v1.ServerFrame.decode(buffer.bytes);
    for (const { notice } of frame.messages) {
      const missing = `${Number(notice?.missingFirst)}-${Number(notice?.missingLast)}`;
      seen.push(`${tickwire.v1.NoticeKind[notice?.kind ?? 0]} of ${notice?.topicId} ${missing}`);
    }
    for (const { first, hasBase } of reader.read(buffer.bytes)) {
      seen.push(`${hasBase ? "based" : "chained"} ${first}`);
    }
    lanes.consume(filled);
  }
}

describe("a subscription", () => {
  test("asks the view for what the client asked for, and begins with what it gives", () => {
    view.sequence = 7;
    const attached = subscription.start();
    expect(view.asked).toEqual([{ snapshot: true, resume: { epoch: 1, sequence: 4 } }]);
    expect(attached).toMatchObject({ continuity: "replaced", position: { sequence: 7 } });
    expect([subscription.state, subscription.sequence, starts]).toEqual(["live", 7, 1]);
    view.publish();
    expect(subscription.sequence).toBe(8);
    expect(received()).toEqual(["based 7", "based 8"]);
  });

  test("says what is missing behind what was delivered before, and before what comes after", () => {
    subscription.start();
    view.publish();
    view.loses(2, 5);
    view.sequence = 5;
    view.publish();
    expect(received()).toEqual(["based 1", "NOTICE_KIND_GAP of 1 2-5", "based 6"]);
  });

  test("says what it missed itself, though others heard of a part of that before it came", () => {
    subscription.start();
    view.publish();
    view.loses(4, 5);
    view.loses(6, 6);
    expect(received()).toEqual(["based 1", "NOTICE_KIND_GAP of 1 2-5", "NOTICE_KIND_GAP of 1 6-6"]);
  });

  test("gets the base with its first batch and after each state, and then goes on without", () => {
    subscription.start();
    for (let count = 0; count < 3; count += 1) view.publish();
    view.announce();
    view.announce();
    for (let count = 0; count < 2; count += 1) view.publish();
    const news = ["based 1", "chained 2", "chained 3"];
    expect(received()).toEqual([...news, "based 3", "based 3", "based 4", "chained 5"]);
  });

  test("puts nothing into the list of its session once that has ended, which is another's", () => {
    subscription.start();
    lanes.close(() => {});
    const newcomer = new TopicLanes(NO_LANE_LISTENER, fanOut);
    for (let count = 0; count < 2; count += 1) view.publish();
    expect(newcomer.bytes).toBe(0);
    subscription.end();
    newcomer.close(() => {});
  });

  test("shares both forms of a batch with every other", () => {
    const pushed: SharedBatch[] = [];
    const noted = { push: (batch: SharedBatch) => pushed.push(batch), pushStart: () => {} };
    for (let count = 0; count < 2; count += 1) {
      const owner = { hub, table, lanes: noted as unknown as TopicLanes };
      const options = { snapshot: true, resume: undefined };
      const parts = { options, view: view as unknown as TopicView, pattern: undefined };
      new TopicSubscription(owner, parts).start();
    }
    view.publish();
    view.publish();
    const [based, sameBased, chained, sameChained] = pushed;
    expect([sameBased, sameChained]).toEqual([based, chained]);
    expect(sameBased).toBe(based);
    expect(sameChained).toBe(chained);
  });

  test("gets nothing after its end, but what was queued, and then why it ended", () => {
    subscription.start();
    view.publish();
    subscription.end();
    subscription.sayEnded("the instrument is gone");
    view.publish();
    expect(received()).toEqual(["based 1", "NOTICE_KIND_TOPIC_ENDED of 1 0-0"]);
    expect([subscription.state, view.holds, view.subscribers.size]).toEqual(["ended", 0, 0]);
  });

  test("that never started gives its hold back and is not told anything", () => {
    subscription.end();
    expect([view.holds, view.subscribers.size]).toEqual([0, 0]);
    expect(received()).toEqual([]);
  });

  test("passes on whether its view can be had", () => {
    view.ready = false;
    const answers: unknown[] = [];
    subscription.whenReady((failure) => answers.push(failure));
    expect(answers).toEqual([]);
    view.getReady({ kind: "unavailable", message: "later" });
    expect(answers).toEqual([{ kind: "unavailable", message: "later" }]);
  });
});

describe("a broken rule of ours is an error that ends the process:", () => {
  const batch = (topicId: number): SharedBatch => sharedBatch(1, 1, { topicId });

  test.each<[string, () => void]>([
    ["a batch before the start", () => subscription.deliver(batch(1))],
    [
      "a batch after the end",
      () => {
        subscription.start();
        subscription.end();
        subscription.deliver(batch(1));
      },
    ],
    [
      "a batch of another topic",
      () => {
        subscription.start();
        subscription.deliver(batch(2));
      },
    ],
    ["a gap before the start", () => subscription.gap(1, 2)],
    [
      "a second start",
      () => {
        subscription.start();
        subscription.start();
      },
    ],
    [
      "a second end",
      () => {
        subscription.end();
        subscription.end();
      },
    ],
  ])("%s", (_, mistake) => {
    expect(mistake).toThrow(InvariantError);
  });
});
