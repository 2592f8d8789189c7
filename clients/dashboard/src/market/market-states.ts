import type { Channel, Client, InstrumentState, Subscription } from "@tickwire/client";
import type { FeedState } from "./feed-health.ts";

type Said = {
  readonly channels: Map<Channel, FeedState>;
  instrument: InstrumentState | undefined;
};

/** What is said of some markets as it happens: of their channels, and whether they trade. */
export class MarketStates {
  readonly #onChange: () => void;
  readonly #said = new Map<string, Said>();
  #key = "";
  #subscription: Subscription | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Follows these topics (`VENUE:SYMBOL`) and no others. */
  follow(client: Client, topics: readonly string[]): void {
    const key = topics.join(" ");
    if (key === this.#key) return;
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#key = key;
    this.#said.clear();
    if (topics.length === 0) return;
    this.#subscription = client.onStatus(
      [...topics],
      ({ venue, symbol, channel, state, instrumentState }) => {
        const said = this.#of(`${venue}:${symbol}`);
        said.channels.set(channel, state);
        if (instrumentState !== undefined) said.instrument = instrumentState;
        // It was listed anew.
        if (state === "live" && said.instrument === "delisted" && instrumentState === undefined)
          said.instrument = undefined;
        this.#onChange();
      },
      {
        onError: ({ code }) => {
          // A window that slept asks anew. Of what has ended the last word holds.
          if (code === "buffer-overflow") this.#key = "";
          this.#onChange();
        },
      },
    );
  }

  /** Undefined where nothing was said. */
  channelStateOf(topic: string, channel: Channel): FeedState | undefined {
    return this.#said.get(topic)?.channels.get(channel);
  }

  /** What can be done with the instrument, as far as that was said. */
  instrumentStateOf(topic: string): InstrumentState | undefined {
    return this.#said.get(topic)?.instrument;
  }

  #of(topic: string): Said {
    let said = this.#said.get(topic);
    if (said === undefined) {
      said = { channels: new Map(), instrument: undefined };
      this.#said.set(topic, said);
    }
    return said;
  }
}
