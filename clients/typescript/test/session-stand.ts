import { CancelCodec, ReplyCodec } from "@tickwire/proto/messages";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { Environment } from "../src/host/environment.ts";
import type { NetworkChange } from "../src/host/page-events.ts";
import { Connection } from "../src/session/connection.ts";
import type { SessionPart } from "../src/session/session-part.ts";
import { Session } from "../src/session/session.ts";
import { FakeGateway, settle } from "./fake-gateway.ts";

export type SessionOptions = ConstructorParameters<typeof Session>[0];

const CONNECTION = {
  clientName: "test",
  clientVersion: "0",
  compression: false,
  bandwidthBytesPerSecondMax: 0,
  connectTimeoutMs: 10_000,
  liveness: { pingIntervalMs: 0, pongTimeoutMs: 1 },
};

/** A session with one part that writes down what it is told; the gateway is in memory. */
export class SessionStand {
  readonly gateway = new FakeGateway();
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly states: string[] = [];
  readonly uncaught: unknown[] = [];
  readonly session: Session;
  network: (change: NetworkChange) => void = () => undefined;

  constructor(options: Partial<SessionOptions> = {}) {
    const { gateway, clock } = this;
    const environment: Environment = {
      clock,
      random: () => 0.5,
      openWebSocket: (url, protocols) => new gateway.WebSocket(url, protocols),
      explainFailure: ({ message }) => message,
      reportUncaught: (error) => this.uncaught.push(error),
      watchVisibility: () => () => undefined,
      nextFrame: () => () => undefined,
      watchNetwork: (listener) => {
        this.network = listener;
        return () => {
          this.network = () => undefined;
        };
      },
    };
    this.session = new Session({
      environment,
      createConnection: (url, frames, handlers) =>
        new Connection(environment, { ...CONNECTION, url }, frames, handlers),
      urls: ["ws://gateway.test/v1/ws"],
      returnToFirstMs: 0,
      retryTransportMs: 60_000,
      reconnect: { baseMs: 1_000, maxMs: 8_000 },
      waitForFirstConnect: false,
      ...options,
    });
    this.session.carry(this.part("a"));
    this.session.onState((state, { code }) => this.states.push(`${state} ${code}`));
  }

  part(name: string): SessionPart {
    return {
      members: {
        outbound: { "5mcancel": CancelCodec },
        inbound: { "4mreply": ReplyCodec },
      },
      handleConnected: ({ subscriptionsMax }) =>
        this.told.push(`${name} connected ${subscriptionsMax}`),
      handleDisconnected: ({ code }) => this.told.push(`${name} disconnected ${code}`),
      handleMessage: ({ kind }) => this.told.push(`${name} ${kind}`),
      handleBatch: (_, start, end) => this.told.push(`${name} batch of ${end - start}`),
      close: ({ code }, isFailure) => this.told.push(`${name} closed ${code} ${isFailure}`),
    };
  }

  async start(): Promise<this> {
    this.session.start();
    await settle();
    return this;
  }

  /** How long until the next dial. */
  get waitMs(): number {
    return ((this.clock.nextUs ?? NaN) - this.clock.nowUs()) / 1_000;
  }

  async redial(): Promise<void> {
    this.clock.advanceTo(this.clock.nextUs ?? 0);
    await settle();
  }
}
