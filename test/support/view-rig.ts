// A hub with one topic, and clients of it on seats: what they do and what they see is up to a test.
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import type { Channel } from "#core/instrument.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { FrameBuffer } from "#gateway/session/outbound/frame-buffer.ts";
import { TopicLanes } from "#gateway/session/outbound/topic-lanes.ts";
import { FanOut } from "#gateway/topics/fan-out.ts";
import { TopicSubscription } from "#gateway/session/topic-subscription.ts";
import { Hub } from "#gateway/topics/hub.ts";
import { offeredView } from "#gateway/topics/view-options.ts";
import { Turns } from "#gateway/turns/turns.ts";
import { encodeServerMessages } from "#wire/frame-codec.ts";
import { ManualClock } from "./manual-clock.ts";
import { NO_LANE_LISTENER } from "./no-lane-listener.ts";
import { resumeParts } from "./resume-parts.ts";
import { expectedShown, rowText, ViewClient } from "./view-client.ts";
import { subscriptionTable } from "./subscription-table.ts";
import { ViewMarket } from "./view-market.ts";

const LIMITS = {
  ringBytesMax: 100_000,
  ringBatchesMax: 12,
  queryTimeoutMs: 100,
  queriesInFlightMax: 100,
  topicsMax: 100,
  viewsMax: 100,
  delayBytesMax: 1_000_000,
  topicLingerMs: 60_000,
};

/** A client, and its subscription while it is connected. */
type Seat = {
  client: ViewClient | undefined;
  subscription: TopicSubscription | undefined;
  lanes: TopicLanes;
};

export class ViewRig {
  readonly channel: Channel;
  readonly clock = new ManualClock();
  readonly market: ViewMarket;
  readonly hub: Hub;
  readonly seats: Seat[];
  answers = true;

  readonly #delayMs: number;
  /** Of all seats, as the sessions of a gateway have one. */
  readonly #fanOut = new FanOut({ fullLists: { inc() {} } as never });
  readonly #table = subscriptionTable();

  constructor(
    channel: Channel,
    seats: number,
    { delayMs = 0, delayBytesMax = LIMITS.delayBytesMax } = {},
  ) {
    this.channel = channel;
    this.#delayMs = delayMs;
    const { clock } = this;
    this.market = new ViewMarket(channel, () => clock.nowUs());
    const scheduler = { endOfTurn: (run: () => void) => void setImmediate(run) };
    const none = (): void => {};
    this.hub = new Hub({
      bus: this.market.bus,
      clock,
      scheduler,
      logger: { debug: none, info: none, warn: none, error: none },
      catalog: {
        publisherOf: () => ({ publisherId: "one", epoch: this.market.epoch }),
        partitionOf: () => undefined,
        mayFollow: () => false,
        instrument: () => undefined,
      },
      turns: new Turns({ clock, scheduler }),
      metrics: createGatewayMetrics(new Registry()),
      random: () => 0,
      limits: { ...LIMITS, delayBytesMax },
      resume: resumeParts(),
    });
    this.seats = Array.from({ length: seats }, () => ({
      client: undefined,
      subscription: undefined,
      lanes: new TopicLanes(NO_LANE_LISTENER, this.#fanOut),
    }));
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) {
      if (this.answers) this.market.answer();
      await nextTurn();
    }
  }

  view(depth: number, conflationIntervalMs: number) {
    const options = offeredView(this.channel, { depth, conflationIntervalMs });
    const name = { venue: "fake", symbol: "A-USD", channel: this.channel };
    if (this.#delayMs === 0) return this.hub.hold(name, options)!;
    return this.hub.hold(name, { ...options!, delayMs: this.#delayMs })!;
  }

  /** Subscribes, as a new client or as the one that was there before, and waits until it starts. */
  join(seat: Seat, [depth, intervalMs]: readonly [number, number], isNew: boolean): void {
    if (seat.subscription !== undefined) return;
    const view = this.view(depth, intervalMs);
    const before = isNew ? undefined : seat.client;
    const client = before ?? new ViewClient(this.channel, view.options.depth);
    const resume = before && { epoch: before.epoch, sequence: before.sequence };
    const whole = client.depth !== view.options.depth;
    seat.client = client;
    seat.lanes = new TopicLanes(NO_LANE_LISTENER, this.#fanOut);
    const options = { snapshot: true, resume, whole };
    const { hub } = this;
    const { lanes } = seat;
    const parts = { view, options, pattern: undefined };
    const subscription = new TopicSubscription({ hub, lanes, table: this.#table }, parts);
    seat.subscription = subscription;
    view.whenReady((failure) => {
      if (subscription.state !== "starting") return;
      if (failure !== undefined) {
        subscription.end();
        seat.subscription = undefined;
        return;
      }
      const { continuity, position, ended, missing } = subscription.start();
      client.depth = subscription.view.options.depth;
      client.start(continuity, position, ended);
      // Said to the client behind its start; its position says it already.
      if (missing !== undefined) assert.equal(missing.last, position.sequence);
    });
  }

  leave(seat: Seat): void {
    this.read(seat);
    seat.subscription?.end();
    // Who never started has nothing to resume.
    if (seat.client?.epoch === 0) seat.client = undefined;
    seat.subscription = undefined;
  }

  update(seat: Seat, [depth, intervalMs]: readonly [number, number]): void {
    const { subscription } = seat;
    if (subscription === undefined) return;
    const view = this.view(depth, intervalMs);
    subscription.changeView(view, view.options.intervalMs, ({ continuity }) => {
      const { depth: applies } = view.options;
      const topics = [
        { depth: applies, continuity: `CONTINUITY_${continuity.toUpperCase()}` as never },
      ];
      return encodeServerMessages([{ kind: "subscribeResult", value: { requestId: 1, topics } }]);
    });
  }

  /** The client is too slow: what waits is taken back, and nothing more is queued. */
  lag({ subscription, lanes }: Seat): void {
    if (subscription?.state !== "live") return;
    if (!subscription.isLatestWins && !subscription.isEvents) return;
    const { id } = subscription.view;
    subscription.lag(lanes.shed(new Set([id])).get(id));
  }

  recover({ subscription }: Seat): void {
    if (subscription?.state === "lagging") subscription.recover();
  }

  read({ client, lanes }: Seat): void {
    const frame = new FrameBuffer();
    for (;;) {
      frame.begin();
      const filled = lanes.fill(frame);
      if (filled === 0) return;
      const bytes = Uint8Array.from(frame.bytes);
      lanes.consume(filled);
      client?.receive(bytes, () => this.check(client));
    }
  }

  /** The client shows what the topic was at its position. */
  check(client: ViewClient): void {
    const all = this.market.epochs.get(client.epoch)!;
    const events = all.slice(0, client.sequence);
    const { channel, shown } = client;
    const newest = events.at(-1);
    const untilUs = this.clock.nowUs() - this.#delayMs * 1_000;
    assert.ok(newest === undefined || newest.atUs <= untilUs, "nothing is told before its time");
    // Of candles of several lengths, one may be told ahead of an older one of another length.
    if (channel === "trades" || (channel === "candles" && client.sequence < all.length)) return;
    if (channel === "book" && shown === "void") return;
    if (channel === "quotes" && client.latest.size === 0) return;
    if (channel === "status" || channel === "candles") {
      const missed = client.tally.missing > 0 || client.joinedAt > 0;
      // Who missed an event may lack the state that it was.
      if (missed) return;
    }
    assert.equal(shown, expectedShown(channel, events, client.depth));
  }

  /** Everything was sent and read: every event is accounted for. Returns for how many clients. */
  finish(): number {
    let clients = 0;
    for (const seat of this.seats) {
      const { client, subscription } = seat;
      this.read(seat);
      if (client === undefined || subscription?.state !== "live") continue;
      const { events, epoch } = this.market;
      assert.deepEqual([client.epoch, client.sequence], [epoch, events.length]);
      const { delivered, conflated, missing } = client.tally;
      assert.equal(delivered + conflated + missing, events.length - client.joinedAt);
      assert.ok(client.updates.every((each) => each === "CONTINUITY_RESUMED"));
      this.check(client);
      if (this.channel === "book") assert.notEqual(client.shown, "void");
      if (this.channel === "trades" || this.channel === "status") assert.equal(conflated, 0);
      for (const { sequence, row } of this.channel === "book" ? [] : client.rows) {
        assert.equal(rowText(row), rowText(events[sequence - 1]!.row));
      }
      clients += 1;
    }
    return clients;
  }
}
