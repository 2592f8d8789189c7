import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { tickwire } from "@tickwire/proto/protobufjs";
import { WebSocket } from "ws";
import { ReferenceTopic } from "#test/support/wire-reference.ts";
import type { PlainMessage } from "#test/support/wire-reference.ts";
import { protobufjsDecoder } from "#test/support/wire-schema.ts";

const { v1 } = tickwire;

/** An event as proto/vectors writes it. */
type RawEvent = Readonly<Record<string, unknown>> & { readonly sequence: number };

/** What a batch says, read by protobufjs and the reference reader alone. */
export type RawBatch = {
  readonly topicId: number;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly snapshot: boolean;
  readonly hasBase: boolean;
  readonly events: readonly RawEvent[];
};

type ServerMessage = tickwire.v1.ServerMessage;

const decode = protobufjsDecoder();

/** Reads the frames of one connection without any of our code but the schema. */
export class RawFrameReader {
  readonly #topics = new Map<number, ReferenceTopic>();

  /** The batches of a frame, in order. Throws if one cannot be read, or is not owed any more. */
  read(frame: Uint8Array): RawBatch[] {
    const { messages, batches } = decode("tickwire.v1.ServerFrame", frame) as Frame;
    for (const { subscribe_result: result } of messages) {
      for (const { topic_id: topicId, position } of result?.topics ?? []) {
        if (position !== undefined) this.#topic(topicId).position = position;
      }
    }
    return batches.map((batch) => this.#batch(batch));
  }

  #topic(topicId: number): ReferenceTopic {
    let topic = this.#topics.get(topicId);
    if (topic === undefined) {
      topic = new ReferenceTopic();
      this.#topics.set(topicId, topic);
    }
    return topic;
  }

  #batch(batch: PlainMessage & { readonly topic_id: number }): RawBatch {
    const topicId = batch.topic_id;
    const reading = this.#topic(topicId).read(batch, topicId);
    const snapshot = reading["reading"] === "state";
    assert(
      snapshot || reading["reading"] === "news",
      `a batch reads ${String(reading["reading"])}`,
    );
    const events = reading["events"] as readonly RawEvent[];
    const epoch = reading["epoch"] as number;
    const last = reading["sequence"] as number;
    const first = snapshot ? last : last + 1 - events.length;
    const hasBase = batch["base"] !== undefined;
    return { topicId, epoch, first, last, count: events.length, snapshot, hasBase, events };
  }
}

type Frame = {
  readonly messages: readonly {
    readonly subscribe_result?: {
      readonly topics: readonly {
        readonly topic_id: number;
        readonly position?: { readonly epoch: bigint; readonly sequence: bigint };
      }[];
    };
  }[];
  readonly batches: readonly (PlainMessage & { readonly topic_id: number })[];
};

/** A client without any of our code but the schema: `ws` and protobufjs. */
export class RawClient {
  readonly socket: WebSocket;
  readonly messages: ServerMessage[] = [];
  readonly batches: RawBatch[] = [];
  /** Messages and batches in wire order within a frame: messages first. */
  readonly frames: number[] = [];
  closed: { code: number; reason: string } | undefined;
  #wakes: (() => void)[] = [];
  #requestId = 0;
  readonly #reader = new RawFrameReader();
  #unreadable: unknown;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      const frame = v1.ServerFrame.decode(data);
      this.frames.push(data.length);
      this.messages.push(...(frame.messages as ServerMessage[]));
      try {
        this.batches.push(...this.#reader.read(data));
      } catch (error) {
        this.#unreadable = error;
      }
      this.#wake();
    });
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    socket.on("error", () => this.#wake());
  }

  /** Connects, and says Hello unless told not to. */
  static async open(
    port: number,
    options: { readonly hello?: boolean; readonly deflate?: boolean } = {},
  ): Promise<RawClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, "tickwire.v1", {
      perMessageDeflate: options.deflate ?? false,
    });
    const client = new RawClient(socket);
    await once(socket, "open");
    if (options.hello === false) return client;
    client.send({ hello: { protocolVersion: 1, clientName: "raw", acceptCompression: true } });
    await client.until(() => client.messages.some((message) => message.message === "welcome"));
    return client;
  }

  send(...messages: tickwire.v1.IClientMessage[]): void {
    this.socket.send(v1.ClientFrame.encode({ messages }).finish());
  }

  sendBytes(bytes: Uint8Array | string): void {
    this.socket.send(bytes);
  }

  /** Resolves when `condition` holds; checked after each frame and on close. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#unreadable !== undefined) throw this.#unreadable;
      if (this.closed !== undefined) throw new Error(`closed: ${JSON.stringify(this.closed)}`);
      await new Promise<void>((wake) => this.#wakes.push(wake));
    }
  }

  async closing(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await new Promise<void>((wake) => this.#wakes.push(wake));
    return this.closed;
  }

  /** Subscribes and resolves with the results, in order. */
  async subscribe(
    ...topics: (string | tickwire.v1.ITopicRequest)[]
  ): Promise<tickwire.v1.TopicResult[]> {
    const requestId = ++this.#requestId;
    const requests = topics.map((topic) => (typeof topic === "string" ? { topic } : topic));
    this.send({ subscribe: { requestId, topics: requests } });
    const parts = () =>
      this.messages.flatMap(({ subscribeResult }) =>
        subscribeResult?.requestId === requestId ? [subscribeResult] : [],
      );
    await this.until(() => parts().some(({ isPartial }) => isPartial !== true));
    return parts().flatMap((part) => part.topics ?? []) as tickwire.v1.TopicResult[];
  }

  async unsubscribe(...topics: string[]): Promise<tickwire.v1.TopicResult[]> {
    const requestId = ++this.#requestId;
    this.send({ unsubscribe: { requestId, topics } });
    const find = () =>
      this.messages.find((message) => message.unsubscribeResult?.requestId === requestId);
    await this.until(() => find() !== undefined);
    return (find()?.unsubscribeResult?.topics ?? []) as tickwire.v1.TopicResult[];
  }

  /** Resolves when everything that the gateway had for us before has arrived. */
  async roundTrip(): Promise<void> {
    const nonce = ++this.#requestId + 1_000_000;
    this.send({ ping: { nonce } });
    await this.until(() => this.messages.some((message) => Number(message.pong?.nonce) === nonce));
    if (this.#unreadable !== undefined) throw this.#unreadable;
  }

  batchesOf(topicId: number): RawBatch[] {
    return this.batches.filter((batch) => batch.topicId === topicId);
  }

  notices(kind: tickwire.v1.NoticeKind): tickwire.v1.INotice[] {
    return this.messages.flatMap((message) =>
      message.notice?.kind === kind ? [message.notice] : [],
    );
  }

  close(): void {
    this.socket.terminate();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
