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
import { LateStand } from "./late-stand.ts";

/** A client that opens, the rest of whose code comes when the test says so. */
export class OpeningStand extends LateStand<typeof takeOver> {
  client!: Client;
  readonly #connect: Connect<ConnectOptions, Client>;

  constructor() {
    super(takeOver);
    this.#connect = createOpeningConnect<ConnectOptions, Client>(createClient, () => this.load());
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
}

function createClient(session: ClientSession, options: ConnectOptions): Client {
  return new Client(session, options, {
    channels: new ChannelSource([BOOK_CHANNEL, ...ROW_CHANNELS], [], TICK_NAMES),
    createCalls: (limits) => new LateCalls(session, limits, () => Promise.resolve(Calls)),
    replay: replayLater(session.link),
  });
}
