import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { tickwire } from "@tickwire/proto/protobufjs";
import { WebSocket } from "ws";

const { v1 } = tickwire;

/** What a batch says, read by protobufjs alone. */
export type RawBatch = {
  readonly topicId: number;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly snapshot: boolean;
  readonly message: tickwire.v1.Batch;
};

type ServerMessage = tickwire.v1.ServerMessage;

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

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      const frame = v1.ServerFrame.decode(data);
      this.frames.push(data.length);
      this.messages.push(...(frame.messages as ServerMessage[]));
      this.batches.push(...(frame.batches as tickwire.v1.Batch[]).map(readBatch));
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
    const find = () =>
      this.messages.find((message) => message.subscribeResult?.requestId === requestId);
    await this.until(() => find() !== undefined);
    return (find()?.subscribeResult?.topics ?? []) as tickwire.v1.TopicResult[];
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

function readBatch(message: tickwire.v1.Batch): RawBatch {
  const first = Number(message.firstSequence);
  const snapshot = message.snapshot;
  const last = snapshot ? first : first + message.count - 1;
  const { topicId, count } = message;
  return { topicId, epoch: Number(message.epoch), first, last, count, snapshot, message };
}
