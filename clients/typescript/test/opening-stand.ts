import { ManualClock } from "../../../test/support/manual-clock.ts";
import { Client, type ConnectOptions } from "../src/client.ts";
import type { Connect } from "../src/connect.ts";
import { createOpeningConnect } from "../src/opening/opening-connect.ts";
import * as takeOver from "../src/opening/take-over.ts";
import { replayLater } from "../src/replay/late-replay.ts";
import { Calls } from "../src/rpc/calls.ts";
import { LateCalls } from "../src/rpc/late-calls.ts";
import type { ClientSession } from "../src/session/client-session.ts";
import { BOOK_CHANNEL } from "../src/topics/book-channel.ts";
import { ChannelSource } from "../src/topics/channel-source.ts";
import { ROW_CHANNELS } from "../src/topics/row-channels.ts";
import { TICK_NAMES } from "../src/topics/tick-names.ts";
import { FakeGateway, settle } from "./fake-gateway.ts";

/** A client that opens, the rest of whose code comes when the test says so. */
export class OpeningStand {
  readonly gateway = new FakeGateway();
  readonly clock = new ManualClock();
  readonly states: string[] = [];
  client!: Client;
  loads = 0;
  readonly #connect: Connect<ConnectOptions, Client>;
  #arrivals: { resolve: (code: typeof takeOver) => void; reject: (error: Error) => void }[] = [];

  constructor() {
    this.#connect = createOpeningConnect<ConnectOptions, Client>(createClient, () => {
      this.loads += 1;
      return new Promise((resolve, reject) => {
        this.#arrivals.push({ resolve, reject });
      });
    });
  }

  /** `url` and `options` as `connect()` takes them. */
  connect(options: ConnectOptions = {}, url = "ws://gateway.test"): Promise<Client> {
    const { clock, gateway } = this;
    const host = { webSocket: gateway.WebSocket, clock, random: () => 0.5 };
    return this.#connect(url, { ...host, ...options });
  }

  async open(options: ConnectOptions = {}): Promise<this> {
    this.client = await this.connect(options);
    this.client.onState((state, { code }) => this.states.push(`${state} ${code}`));
    return this;
  }

  /** What is loaded in its time is asked for, and arrives. */
  async arrive(): Promise<void> {
    this.clock.advance(2_000);
    await settle();
    for (const { resolve } of this.#arrivals.splice(0)) resolve(takeOver);
    await settle();
  }

  /** Three attempts fail. */
  async fail(): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt++) {
      for (const { reject } of this.#arrivals.splice(0)) reject(new TypeError("not fetched"));
      await settle();
      if (attempt < 3) this.clock.advance(2_000);
      await settle();
    }
  }
}

function createClient(session: ClientSession, options: ConnectOptions): Client {
  return new Client(session, options, {
    channels: new ChannelSource([BOOK_CHANNEL, ...ROW_CHANNELS], [], TICK_NAMES),
    createCalls: (limits) => new LateCalls(session, limits, () => Promise.resolve(Calls)),
    replay: replayLater(session.link),
  });
}
