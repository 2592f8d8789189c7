import { payloadTable, type DecodedBatch, type Payload } from "@tickwire/proto/codec";
import type { MarketEvent } from "../events/market-event.ts";
import type { ChannelPart, TopicContent, TopicHost } from "./channel.ts";
import type { Consumer } from "./consumer.ts";
import type { Channel, TopicInfo } from "./topic.ts";

/** How the events of a channel are made and kept. */
type EventSource<Batch> = {
  readonly eventOf: (info: TopicInfo, batch: Batch, index: number) => MarketEvent;
  /**
   * What of a topic is a state of its own, of which the latest event is kept; absent for a channel
   * of news, of which nothing is.
   */
  readonly keyOf?: ((event: MarketEvent) => string) | undefined;
};

/** A channel whose events stand for themselves. */
export function eventChannel<Batch extends DecodedBatch>(
  name: Channel,
  payload: Payload,
  source: EventSource<Batch>,
): ChannelPart {
  // A topic's batches are of its channel, as the kind of the payload says.
  const { eventOf, keyOf } = source as unknown as EventSource<DecodedBatch>;
  return {
    name,
    payloads: payloadTable([payload]),
    open: (host) => new EventContent(host, { eventOf, keyOf }),
  };
}

class EventContent implements TopicContent {
  readonly isWhole = true;
  readonly #host: TopicHost;
  readonly #source: EventSource<DecodedBatch>;
  readonly #latest = new Map<string, MarketEvent>();

  constructor(host: TopicHost, source: EventSource<DecodedBatch>) {
    this.#host = host;
    this.#source = source;
  }

  deliver(batch: DecodedBatch, from: number): void {
    const { info } = this.#host;
    const { eventOf, keyOf } = this.#source;
    const { count } = batch;
    for (let index = from; index < count; index++) {
      const event = eventOf(info, batch, index);
      if (keyOf !== undefined) this.#keep(keyOf(event), event);
      // Asked for each event: who closes in a callback is not called again.
      const { consumers } = this.#host;
      for (let to = 0; to < consumers.length; to++) consumers[to]!.handlers.event?.(event);
    }
  }

  /** What has gone from a list is no part of it. */
  #keep(key: string, event: MarketEvent): void {
    if (event.type === "listing" && event.change === "removed") this.#latest.delete(key);
    else this.#latest.set(key, event);
  }

  catchUp({ handlers }: Consumer): void {
    for (const event of this.#latest.values()) handlers.event?.(event);
  }

  forget(): void {
    this.#latest.clear();
  }

  show(): void {
    // Its events say all that there is to say.
  }
}
