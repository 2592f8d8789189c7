import { topicIdOf } from "@tickwire/proto/codec";
import type { ReplayResponse } from "@tickwire/proto/service";
import { RpcError } from "../errors.ts";
import type { RpcMessages } from "../rpc/market-data.ts";
import { ALL_CHANNELS } from "../topics/all-channels.ts";
import { Consumer } from "../topics/consumer.ts";
import { fullTopics, isPattern, type Topics } from "../topics/topic.ts";
import { TopicStream } from "../topics/topic-stream.ts";
import { createStreamCounters, type StreamCounters } from "../topics/stream-counters.ts";
import type { ReplayEvent, ReplayOptions } from "./replay-options.ts";

type ReplayBreak = ReplayResponse["breaks"][number];
type ReplayTopic = ReplayResponse["topics"][number];

const METHOD = { method: "tickwire.v1.MarketData/Replay", sent: true };
const SPEED_MAX = 10_000;

/** Past events of topics, in the order in which they were published. */
export async function* replayEvents(
  messages: RpcMessages,
  topics: Topics,
  options: ReplayOptions,
): AsyncGenerator<ReplayEvent, void, undefined> {
  const { fromTimeUs, toTimeUs, after, speed, ...callOptions } = options;
  const asked = fullTopics(
    topics,
    undefined,
    ALL_CHANNELS.map(({ name }) => name),
  );
  const pattern = asked.find(isPattern);
  if (pattern !== undefined) throw new RangeError(`${pattern} is a pattern; a replay is of topics`);
  if (speed !== undefined && !(speed >= 0.01 && speed <= SPEED_MAX)) {
    throw new RangeError(`speed ${speed} is not from 0.01 to ${SPEED_MAX}`);
  }
  const request = {
    topics: asked,
    fromTimeUs: fromTimeUs ?? 0,
    toTimeUs: toTimeUs ?? 0,
    afterEpoch: after?.epoch ?? 0,
    afterSequence: after?.sequence ?? 0,
    speedPercent: speed === undefined ? 0 : Math.round(speed * 100),
  };
  const player = new Player();
  for await (const response of messages.replay(request, callOptions)) {
    player.take(response);
    yield* player.events.splice(0);
  }
}

/** The topics of one replay, each read as one of a subscription is. */
class Player {
  readonly events: ReplayEvent[] = [];
  readonly #streams = new Map<number, TopicStream>();
  /** Of each topic that has begun. */
  readonly #epochs = new Map<number, number>();
  readonly #counters: StreamCounters = createStreamCounters();
  /** Why a batch could not be read. */
  #failed = false;

  take({ topics, breaks, batches }: ReplayResponse): void {
    for (const topic of topics) this.#open(topic);
    for (const each of breaks) this.#break(each);
    for (const bytes of batches) this.#receive(bytes);
    if (this.#failed)
      throw new RpcError("internal", "a batch of the replay cannot be read", METHOD);
  }

  #open(topic: ReplayTopic): void {
    const channel = topic.topic.slice(topic.topic.lastIndexOf("/") + 1);
    const part = ALL_CHANNELS.find(({ name }) => name === channel);
    if (part === undefined) {
      throw new RpcError("internal", `the channel of ${topic.topic} is not known`, METHOD);
    }
    const fail = (): void => {
      this.#failed = true;
    };
    const { venue, symbol, venueSymbol } = topic;
    const info = { topic: topic.topic, venue, symbol, venueSymbol, channel: part.name };
    const stream = new TopicStream(info, {
      part,
      counters: this.#counters,
      resync: fail,
      moved: () => undefined,
    });
    stream.consumers = [
      new Consumer([topic.topic], {
        event: (event) => this.events.push(event),
        notice: (notice) => {
          const isNews = notice.type === "continuity" && notice.continuity !== "new";
          if (isNews || notice.type === "gap") this.events.push(notice);
        },
        end: () => undefined,
      }),
    ];
    this.#streams.set(topic.topicId, stream);
  }

  #break({ topicId, epoch, sequence, missingFirst, missingLast }: ReplayBreak): void {
    const stream = this.#streams.get(topicId);
    if (stream === undefined) return;
    const before = this.#epochs.get(topicId);
    this.#epochs.set(topicId, epoch);
    if (before === undefined) {
      stream.start({ topicId, position: { epoch, sequence }, continuity: "new" });
      return;
    }
    const start = { epoch, sequence: missingFirst > 0 ? missingFirst - 1 : sequence };
    const continues = stream.resumePosition?.sequence === start.sequence && start.sequence > 0;
    if (before !== epoch) stream.changeEpoch(start, { missingLast: 0, continues });
    if (missingFirst > 0) stream.announceMissing(missingFirst, missingLast);
  }

  #receive(bytes: Uint8Array): void {
    this.#streams.get(topicIdOf(bytes, 0, bytes.length))?.receive(bytes, 0, bytes.length);
  }
}
