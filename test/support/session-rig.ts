import { setImmediate as nextTurn } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import type { Instrument } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { createAccessMetrics } from "#gateway/access/access-metrics.ts";
import type { Authentication } from "#gateway/access/authenticator.ts";
import type { Principal } from "#gateway/access/principal.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { createMarketData } from "#gateway/rpc/router.ts";
import { InboxSpace } from "#gateway/session/frame-inbox.ts";
import { Looks } from "#gateway/access/looks.ts";
import { PrincipalAccounts } from "#gateway/session/principal-accounts.ts";
import { Flusher } from "#gateway/session/outbound/flusher.ts";
import { Session } from "#gateway/session/session.ts";
import { SubscriptionTable } from "#gateway/session/topic-subscription.ts";
import type { SessionParts } from "#gateway/session/session-parts.ts";
import { SendResult } from "#gateway/transport/transport.ts";
import type { Connection } from "#gateway/transport/transport.ts";
import type { SessionState } from "#gateway/session/session-table.ts";
import { Turns } from "#gateway/turns/turns.ts";
import { RawFrameReader } from "#test/conformance/gateway-raw-client.ts";
import { FakeConnection } from "./fake-connection.ts";
import { fakeCatalog, FakeHub, listedInstrument } from "./fake-topics.ts";
import { ManualClock } from "./manual-clock.ts";
import { ANYBODY } from "./principals.ts";

const { ClientFrame, ServerFrame } = tickwire.v1;

/** A session with everything around it made by the test: connection, topics, catalog, clock. */
export class SessionRig {
  readonly clock = new ManualClock();
  readonly registry = new Registry();
  readonly hub = new FakeHub();
  readonly instruments = new Map<string, Instrument>();
  readonly connection = new FakeConnection();
  /** Who the client is found to be from now on. */
  whoIs: Authentication | Promise<Authentication> = ANYBODY;
  /** What the client showed, each time that it was asked. */
  readonly shown: (string | undefined)[] = [];
  readonly logs: string[] = [];
  readonly session: Session;
  /** Calls of `onGone`. */
  gone = 0;
  readonly #accounts: PrincipalAccounts;
  readonly #parts: SessionParts;
  #turns: (() => void)[] = [];

  constructor(
    config: Parameters<typeof gatewayConfig>[0] = {},
    symbols: readonly string[] = ["BTC-USDT", "ETH-USDT"],
  ) {
    for (const symbol of symbols) this.instruments.set(symbol, listedInstrument(symbol));
    const { clock } = this;
    this.#accounts = new PrincipalAccounts(createAccessMetrics(new Registry()));
    const catalog = fakeCatalog(this.instruments);
    const metrics = createGatewayMetrics(this.registry);
    const scheduler = { endOfTurn: (callback: () => void) => void this.#turns.push(callback) };
    const log = (fields: object, message: string): void => {
      this.logs.push(`${message} ${JSON.stringify(fields)}`);
    };
    const bus = undefined as never;
    const looks = new Looks({ clock, metrics });
    this.#parts = {
      config: gatewayConfig(config),
      clock,
      logger: { debug: log, info: log, warn: log, error: log },
      metrics,
      flusher: new Flusher({ clock, scheduler, flushIntervalMsMax: 0, metrics }),
      hub: this.hub.asHub,
      catalog,
      turns: new Turns({ clock, scheduler }),
      inboxSpace: new InboxSpace(metrics),
      table: new SubscriptionTable({ metrics }),
      looks,
      services: createMarketData({
        looks,
        bus,
        clock,
        catalog,
        metrics,
        log: undefined,
        queryTimeoutMs: 1_000,
        replaysMax: 2,
      }),
      serverVersion: "1.2.3",
      access: {
        authenticateNow: ({ secret }) => {
          this.shown.push(secret);
          return this.whoIs;
        },
        review: () => this.whoIs as Authentication,
      },
      accounts: this.#accounts,
      gatewayId: "gateway-1",
    };
    this.session = this.#open(this.connection);
    this.connection.handler = this.session;
  }

  /** Another session beside `session`, of a client that nobody listens to. */
  openAnother(): Session {
    const connection = {
      id: 2,
      remoteAddress: "192.0.2.8",
      compressionNegotiated: false,
      send: () => SendResult.Sent,
      ping: () => true,
      together: (write: () => void) => write(),
      bufferedBytes: () => 0,
      close: () => undefined,
      terminate: () => undefined,
    };
    return this.#open(connection);
  }

  #open(connection: Connection): Session {
    return new Session(
      {
        idPrefix: "session",
        connection,
        credentials: { secret: undefined, certificate: undefined, remoteAddress: "203.0.113.9" },
        onGone: () => void (this.gone += 1),
      },
      this.#parts,
    );
  }

  get state(): SessionState {
    return this.session.state;
  }

  /** Everything that the client has received, in order, read by protobufjs alone. */
  get frames(): tickwire.v1.ServerFrame[] {
    return this.connection.sent.map(({ bytes }) => ServerFrame.decode(Uint8Array.from(bytes)));
  }

  get messages(): tickwire.v1.ServerMessage[] {
    return this.frames.flatMap((frame) => frame.messages as tickwire.v1.ServerMessage[]);
  }

  /** The kinds of the messages that the client has received. */
  get said(): string[] {
    return this.messages.map((message) => message.message ?? "nothing");
  }

  /** First sequences of the batches that the client has received of a topic. */
  sequencesOf(topicId: number): number[] {
    const reader = new RawFrameReader();
    const batches = this.connection.sent.flatMap(({ bytes }) =>
      reader.read(Uint8Array.from(bytes)),
    );
    return batches.filter((batch) => batch.topicId === topicId).map(({ first }) => first);
  }

  /** The client sends a frame. */
  says(...messages: tickwire.v1.IClientMessage[]): void {
    this.session.onMessage(ClientFrame.encode({ messages }).finish(), true);
  }

  hello(): void {
    this.says({ hello: { protocolVersion: 1, clientName: "test", acceptCompression: true } });
  }

  subscribe(requestId: number, ...topics: string[]): void {
    this.says({ subscribe: { requestId, topics: topics.map((topic) => ({ topic })) } });
  }

  /** Others take the connections that the client's principal may have. */
  takeAllSeats(): void {
    while (this.#accounts.takeConnection(this.whoIs as Principal));
  }

  /** The turn of the event loop ends. */
  endTurn(): void {
    for (const callback of this.#turns.splice(0)) callback();
  }

  /** Others take all the time that the turn has for what comes. */
  fillTurn(): void {
    this.#parts.turns.doNow(() => this.clock.advance(1), undefined, undefined);
  }

  /** Lets the promises of calls run, then ends the turn. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    this.endTurn();
  }

  async metric(name: string): Promise<number> {
    const metric = await this.registry.getSingleMetric(name)?.get();
    return (metric?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }
}
