/**
 * A gateway in memory that speaks the protocol through protobufjs, which shares no code with the
 * client; only batches are written by the codec, whose readers are proven elsewhere. Time stands
 * still unless a test moves it, and nothing touches a network.
 *
 * How to extend it, most to least common:
 * - another topic: `gateway.topics.set("binance:ETH-USDT/trades", { epoch: 7, sequence: 0 })`;
 * - another answer to one request: set `gateway.onMessage` and return true where the default must
 * not run;
 * - another kind of batch: add a function beside `tradesBatch`;
 * - another behaviour of the socket: add a method to FakeSocket.
 */
import { BatchWriter, elementLength, putElement, type BatchRows } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import type { WebSocketLike } from "../src/host/environment.ts";

const wire = tickwire.v1;

export type ClientMessage = tickwire.v1.IClientMessage;
type ServerMessage = tickwire.v1.IServerMessage;

/** Where a batch stands in its topic. */
type FakePosition = {
  readonly topicId: number;
  readonly epoch: number;
  /** Of the first event; of a snapshot, that of all its events. */
  readonly firstSequence: number;
  /** Events conflated away before the first. */
  readonly skipped?: number;
  readonly snapshot?: boolean;
  /** Of each event; one that is undefined is not said. */
  readonly venueTimeUs?: number | undefined;
  /** Without its base, so that it must follow what was sent before. */
  readonly chained?: boolean;
};

/** A batch that the gateway sends. */
type FakeBatch = FakePosition & { readonly rows: BatchRows };

/** A topic that the gateway serves, and where it stands. */
type FakeTopic = { epoch: number; sequence: number; candleIntervalsMs?: readonly number[] };

/** One socket as both sides see it. */
export class FakeSocket implements WebSocketLike {
  binaryType = "blob";
  protocol = "";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  /** Every message of the client, in order. */
  readonly received: ClientMessage[] = [];
  /** How the client closed it. */
  closedWith: { code: number | undefined; reason: string | undefined } | undefined;
  /** Topics that are subscribed on it, by their names. */
  readonly ids = new Map<string, number>();
  readonly #gateway: FakeGateway;

  constructor(gateway: FakeGateway) {
    this.#gateway = gateway;
  }

  accept(protocol = "tickwire.v1"): void {
    this.protocol = protocol;
    this.onopen?.({} as never);
  }

  send(data: Uint8Array): void {
    for (const message of wire.ClientFrame.decode(data).messages ?? []) {
      this.received.push(message);
      queueMicrotask(() => this.#gateway.handle(this, message));
    }
  }

  close(code?: number, reason?: string): void {
    this.closedWith ??= { code, reason };
  }

  /** Hands a message to the client as the browser would. */
  deliver(data: unknown): void {
    this.onmessage?.({ data } as never);
  }

  deliverFrame(frame: tickwire.v1.IServerFrame): void {
    this.deliver(encodeFrame(frame));
  }

  deliverMessage(message: ServerMessage): void {
    this.deliverFrame({ messages: [message] });
  }

  deliverBatch(...batches: FakeBatch[]): void {
    this.deliver(encodeBatches(...batches));
  }

  closeByServer(code: number, reason = ""): void {
    this.onclose?.({ code, reason } as never);
  }

  /** The messages of one kind that the client sent. */
  sent<Kind extends keyof ClientMessage>(kind: Kind): NonNullable<ClientMessage[Kind]>[] {
    const values: NonNullable<ClientMessage[Kind]>[] = [];
    for (const message of this.received) {
      const value: ClientMessage[Kind] | null = message[kind];
      if (isPresent(value)) values.push(value as NonNullable<ClientMessage[Kind]>);
    }
    return values;
  }
}

/** A scripted gateway for any number of connections. */
export class FakeGateway {
  readonly sockets: FakeSocket[] = [];
  readonly topics = new Map<string, FakeTopic>();
  /** Topics whose ingestor does not answer now. */
  unavailable: (topic: string) => boolean = () => false;
  /** Grants the depth and interval that are asked for; else it knows no views. */
  offersViews = false;
  /** Accept and welcome by itself. */
  welcomes = true;
  limits: tickwire.v1.ILimits = {
    frameBytesMax: 65_536,
    subscriptionsMax: 1_000,
    topicsPerRequestMax: 100,
    concurrentCallsMax: 2,
    requestsPerSecondMax: 100,
  };
  /** Runs first; true keeps the default answer back. */
  onMessage: (socket: FakeSocket, message: ClientMessage) => boolean = () => false;
  readonly WebSocket: new (url: string, protocols: string[]) => WebSocketLike;
  readonly urls: string[] = [];
  #nextTopicId = 1;
  /** Of this run of the gateway, as Welcome says it. */
  gatewayId = "";

  constructor() {
    // oxlint-disable-next-line no-this-alias
    const gateway = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(gateway);
        gateway.sockets.push(this);
        gateway.urls.push(url);
        if (gateway.welcomes) queueMicrotask(() => this.accept());
      }
    };
  }

  /** Topic ids of the newest connection. */
  get ids(): Map<string, number> {
    return this.socket.ids;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nobody has connected");
    return socket;
  }

  handle(socket: FakeSocket, message: ClientMessage): void {
    if (this.onMessage(socket, message)) return;
    if (isPresent(message.hello) && this.welcomes) this.welcome(socket);
    else if (isPresent(message.subscribe)) this.answerSubscribe(socket, message.subscribe);
    else if (isPresent(message.unsubscribe)) this.answerUnsubscribe(socket, message.unsubscribe);
    else if (isPresent(message.update)) this.answerUpdate(socket, message.update);
    else if (isPresent(message.ping))
      socket.deliverMessage({ pong: { nonce: message.ping.nonce ?? 0 } });
  }

  welcome(socket: FakeSocket): void {
    const sessionId = `session-${this.sockets.length}`;
    const { limits, gatewayId } = this;
    socket.deliverMessage({ welcome: { protocolVersion: 1, sessionId, gatewayId, limits } });
  }

  answerSubscribe(socket: FakeSocket, subscribe: tickwire.v1.ISubscribe): void {
    const topics = (subscribe.topics ?? []).flatMap((request, requestIndex) =>
      this.#match(request.topic ?? "").map((topic) => ({
        ...this.topicResult(topic, requestIndex, request.resume, socket.ids),
        ...(this.offersViews ? viewOf(topic, request) : {}),
      })),
    );
    socket.deliverMessage({ subscribeResult: { requestId: subscribe.requestId ?? 0, topics } });
  }

  /** What follows is of the new view. */
  answerUpdate(socket: FakeSocket, update: tickwire.v1.IUpdate): void {
    const topics = (update.topics ?? []).flatMap((wish, requestIndex) =>
      this.#match(wish.topic ?? "").map((topic) => {
        const topicId = socket.ids.get(topic) ?? 0;
        return { requestIndex, topic, topicId, ...viewOf(topic, wish) };
      }),
    );
    socket.deliverMessage({ subscribeResult: { requestId: update.requestId ?? 0, topics } });
  }

  /** One result; resuming succeeds if the epoch is the topic's. */
  topicResult(
    topic: string,
    requestIndex: number,
    resume: tickwire.v1.IPosition | null | undefined,
    ids: Map<string, number> = this.ids,
  ): tickwire.v1.ITopicResult {
    const known = this.topics.get(topic);
    if (known === undefined) {
      const errorMessage = "no such topic";
      return {
        requestIndex,
        topic,
        error: wire.TopicError.TOPIC_ERROR_UNKNOWN_SYMBOL,
        errorMessage,
      };
    }
    if (this.unavailable(topic)) {
      const errorMessage = "its ingestor does not answer";
      return { requestIndex, topic, error: wire.TopicError.TOPIC_ERROR_UNAVAILABLE, errorMessage };
    }
    if (ids.has(topic)) {
      const error = wire.TopicError.TOPIC_ERROR_ALREADY_SUBSCRIBED;
      return { requestIndex, topic, error, topicId: ids.get(topic)! };
    }
    const topicId = this.#nextTopicId++;
    ids.set(topic, topicId);
    const [venue = "", symbol = ""] = (topic.split("/")[0] ?? "").split(":");
    const continuity = !isPresent(resume)
      ? wire.Continuity.CONTINUITY_NEW
      : Number(resume.epoch) === known.epoch
        ? wire.Continuity.CONTINUITY_RESUMED
        : wire.Continuity.CONTINUITY_REPLACED;
    return {
      requestIndex,
      topic,
      topicId,
      venue,
      symbol,
      venueSymbol: symbol.replace("-", ""),
      position: { epoch: known.epoch, sequence: known.sequence },
      continuity,
      candleIntervalsMs: [...(known.candleIntervalsMs ?? [])],
    };
  }

  answerUnsubscribe(socket: FakeSocket, unsubscribe: tickwire.v1.IUnsubscribe): void {
    const topics = (unsubscribe.topics ?? []).flatMap((pattern, requestIndex) =>
      this.#match(pattern).map((topic) => {
        const topicId = socket.ids.get(topic) ?? 0;
        socket.ids.delete(topic);
        return { requestIndex, topic, topicId };
      }),
    );
    socket.deliverMessage({ unsubscribeResult: { requestId: unsubscribe.requestId ?? 0, topics } });
  }

  #match(pattern: string): string[] {
    if (!pattern.includes("*")) return [pattern];
    const expression = new RegExp(
      `^${pattern.replaceAll(/[.+?]/g, "\\$&").replaceAll("*", "[^/:]+")}$`,
    );
    const matches = [...this.topics.keys()].filter((topic) => expression.test(topic));
    return matches.length === 0 ? [pattern] : matches;
  }
}

type ViewWish = Pick<tickwire.v1.ITopicUpdate, "depth" | "conflationIntervalMs">;

/** Only books have a depth. */
function viewOf(topic: string, { depth, conflationIntervalMs }: ViewWish): ViewWish {
  return {
    depth: topic.endsWith("/book") ? (depth ?? 0) : 0,
    conflationIntervalMs: conflationIntervalMs ?? 0,
  };
}

/** The bytes of a frame, owned by nobody else. */
export function encodeFrame(frame: tickwire.v1.IServerFrame): Uint8Array {
  return wire.ServerFrame.encode(frame).finish().slice();
}

/** The bytes of a frame of batches, each of which can be read alone unless it is `chained`. */
export function encodeBatches(...batches: readonly FakeBatch[]): Uint8Array {
  return Buffer.concat(batches.map((batch) => encodeBatch(batch)));
}

function encodeBatch(batch: FakeBatch): Uint8Array {
  const { topicId, epoch, firstSequence, rows, skipped = 0, snapshot = false } = batch;
  const init = { publishedTimeUs: 1_700_000_000_000_500, skipped };
  const base = snapshot ? firstSequence : firstSequence - 1 - skipped;
  const chain = { kind: rows.kind, epoch, sequence: base };
  const parts = snapshot
    ? BatchWriter.snapshot(chain, rows, init)
    : new BatchWriter(chain).write(rows, init);
  const withBase = batch.chained !== true;
  return Buffer.concat(
    parts.map((part) => {
      const bytes = new Uint8Array(elementLength(part, topicId, withBase));
      putElement(bytes, 0, part, { topicId, withBase });
      return bytes;
    }),
  );
}

const TIMES = { venueTimeUs: 1_699_999_999_999_000, receivedTimeUs: 1_700_000_000_000_000 };

/** Trades at scale 2 with size 1 each; ids are the sequences. */
export function tradesBatch(position: FakePosition, pricesInCents: readonly number[]): FakeBatch {
  const times = "venueTimeUs" in position ? { venueTimeUs: position.venueTimeUs } : {};
  const rows = pricesInCents.map((priceMantissa, index) => ({
    ...TIMES,
    ...times,
    priceMantissa,
    priceScale: 2,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer" as const,
    tradeId: String(position.firstSequence + index),
    historical: false,
  }));
  return { ...position, rows: { kind: "trades", rows } };
}

/** One quote at scale 2. */
export function quotesBatch(
  position: FakePosition,
  bidInCents: number,
  askInCents: number,
): FakeBatch {
  const row = {
    ...TIMES,
    priceScale: 2,
    sizeScale: 0,
    bidPriceMantissa: bidInCents,
    bidSizeMantissa: 1,
    askPriceMantissa: askInCents,
    askSizeMantissa: 2,
  };
  return { ...position, rows: { kind: "quotes", rows: [row] } };
}

export type FakeBookChange = {
  readonly snapshot?: boolean;
  /** Price and size in whole units. */
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
};

/** Book changes at scale 0, each an event. */
export function booksBatch(position: FakePosition, changes: readonly FakeBookChange[]): FakeBatch {
  const columns = (levels: FakeBookChange["bids"]) => ({
    prices: levels.map(([price]) => price),
    sizes: levels.map(([, size]) => size),
  });
  const rows = changes.map(({ snapshot = false, bids, asks }) => ({
    ...TIMES,
    snapshot,
    priceScale: 0,
    sizeScale: 0,
    bids: columns(bids),
    asks: columns(asks),
  }));
  return { ...position, rows: { kind: "books", rows } };
}

/** Whether protobufjs found the field in a message. */
export function isPresent<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** Lets everything that is already decided happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
