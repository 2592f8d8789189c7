import "./host-gaps.ts";
import { WebSocket } from "k6/websockets";
import {
  ClientFrameCodec,
  ServerMessageCodec,
  WireError,
  topicIdOf,
  walkServerFrame,
} from "@tickwire/proto/codec";
import type { ClientMessage, MessageInit, Notice, ServerMessage } from "@tickwire/proto/codec";
import type { SubscribeResult, TopicRequest } from "@tickwire/proto/codec";
import { figures } from "./figures.ts";
import { TopicReader } from "./topic-reader.ts";

type Outbound = NonNullable<MessageInit<ClientMessage>["message"]>;
type Inbound = NonNullable<ServerMessage["message"]>;

/** What is subscribed. */
export type Topic = Omit<MessageInit<TopicRequest>, "resume">;

/** Where a session stood in each of its topics when it ended. */
export type Places = Map<string, TopicReader["place"]>;

type Options = {
  /** Of the gateway, with its path. */
  readonly url: string;
  readonly token: string;
  /** Of the figures. */
  readonly reader: "fast" | "slow";
  /** Frames are read at this pace; without it, as they come. */
  readonly bytesPerSecondMax?: number;
  readonly onWelcome: (session: LoadSession) => void;
  readonly onEnd?: () => void;
};

type Call = { readonly method: string; readonly startedMs: number; readonly onEnd: () => void };

/** A slow reader looks at what has come so often. */
const SLOW_READ_MS = 50;

/** One client of a gateway. What it sees goes into the figures; every batch is decoded. */
export class LoadSession {
  readonly #options: Options;
  readonly #socket: WebSocket;
  readonly #tags: { readonly reader: string };
  readonly #startedMs = Date.now();
  readonly #topics = new Map<number, { readonly name: string; readonly reader: TopicReader }>();
  readonly #calls = new Map<number, Call>();
  readonly #unread: Uint8Array[] = [];
  #resumed: Places = new Map();
  #subscribedMs = 0;
  #hasEvents = false;
  #lastCall = 0;
  #isWelcome = false;
  #isClosing = false;
  #pace: number | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#tags = { reader: options.reader };
    // k6 takes the subprotocol as a header only.
    const headers = { "Sec-WebSocket-Protocol": "tickwire.v1" };
    const socket = new WebSocket(options.url, null, { headers, tags: this.#tags });
    this.#socket = socket;
    socket.binaryType = "arraybuffer" as typeof socket.binaryType;
    socket.onopen = () => this.#greet();
    socket.onmessage = (event) => this.#take(new Uint8Array(event?.data as ArrayBuffer));
    // A close follows.
    socket.onerror = () => undefined;
    socket.onclose = () => this.#end();
    if (options.bytesPerSecondMax !== undefined) this.#readSlowly(options.bytesPerSecondMax);
  }

  /** Where the session stands, for the one that takes its place. */
  get places(): Places {
    return new Map(Array.from(this.#topics.values(), ({ name, reader }) => [name, reader.place]));
  }

  subscribe(topics: readonly Topic[], places: Places = new Map()): void {
    this.#resumed = places;
    this.#subscribedMs = Date.now();
    const requests = topics.map((topic) => {
      const resume = places.get(topic.topic ?? "");
      return resume === undefined ? topic : { ...topic, resume };
    });
    this.#send({ kind: "subscribe", value: { requestId: 1, topics: requests } });
  }

  /** One call; `onEnd` comes with its answer, or with the end of the session. */
  call(method: string, request: Uint8Array, onEnd: () => void): void {
    this.#lastCall += 1;
    const callId = this.#lastCall;
    this.#calls.set(callId, { method, startedMs: Date.now(), onEnd });
    this.#send({ kind: "call", value: { callId, method, request } });
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.close(1000);
  }

  #greet(): void {
    const { token } = this.#options;
    const hello = {
      protocolVersion: 1,
      clientName: "tickwire-load",
      clientVersion: "1",
      answersProbes: true,
      ...(token === "" ? {} : { accessToken: token }),
    };
    this.#send({ kind: "hello", value: hello });
  }

  #send(message: Outbound): void {
    if (this.#socket.readyState !== 1) return;
    const bytes = ClientFrameCodec.encode({ messages: [{ message }] });
    this.#socket.send(bytes.buffer);
  }

  #take(frame: Uint8Array): void {
    figures.frameBytes.add(frame.length, this.#tags);
    if (this.#options.bytesPerSecondMax === undefined) this.#read(frame);
    else this.#unread.push(frame);
  }

  /** What waits is read in its order. The gateway sees it by the answers to its probes. */
  #readSlowly(bytesPerSecond: number): void {
    let allowance = 0;
    this.#pace = setInterval(() => {
      allowance = Math.min(bytesPerSecond, allowance + (bytesPerSecond * SLOW_READ_MS) / 1_000);
      while (allowance > 0 && this.#unread.length > 0) {
        const frame = this.#unread.shift() as Uint8Array;
        allowance -= frame.length;
        this.#read(frame);
      }
    }, SLOW_READ_MS) as unknown as number;
  }

  /** Messages come before batches, as the schema wants it. */
  #read(frame: Uint8Array): void {
    const batches: number[] = [];
    try {
      walkServerFrame(frame, {
        message: (start, end) => {
          const { message } = ServerMessageCodec.decode(frame.subarray(start, end));
          if (message !== undefined) this.#handle(message);
        },
        batch: (start, end) => void batches.push(start, end),
      });
      for (let at = 0; at < batches.length; at += 2) {
        this.#readBatch(frame, batches[at] as number, batches[at + 1] as number);
      }
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      figures.broken.add(1, this.#tags);
    }
  }

  #readBatch(frame: Uint8Array, start: number, end: number): void {
    const topic = this.#topics.get(topicIdOf(frame, start, end));
    if (topic === undefined) return;
    const reading = topic.reader.read(frame, start, end);
    if (reading.outcome === "broken") figures.broken.add(1, this.#tags);
    else if (reading.outcome === "lost") figures.gaps.add(reading.events, this.#tags);
    else if (reading.outcome === "events") {
      const nowMs = Date.now();
      figures.batches.add(1, this.#tags);
      figures.events.add(reading.events, this.#tags);
      if (!this.#hasEvents) figures.firstEventsMs.add(nowMs - this.#subscribedMs, this.#tags);
      this.#hasEvents = true;
      // A state, and what a client had missed, were published before it asked.
      const publishedMs = reading.publishedTimeUs / 1_000;
      if (publishedMs > this.#subscribedMs) figures.delayMs.add(nowMs - publishedMs, this.#tags);
    }
  }

  #handle(message: Inbound): void {
    if (message.kind === "probe") {
      this.#send({ kind: "probeAnswer", value: { number: message.value.number } });
    } else if (message.kind === "subscribeResult") this.#answered(message.value);
    else if (message.kind === "notice") this.#noticed(message.value);
    else if (message.kind === "reply") {
      const { callId, status } = message.value;
      if (status !== undefined) this.#endCall(callId, status.code === "CODE_UNSPECIFIED");
    } else if (message.kind === "welcome") {
      this.#isWelcome = true;
      figures.connects.add(true, this.#tags);
      figures.connectMs.add(Date.now() - this.#startedMs, this.#tags);
      this.#options.onWelcome(this);
    }
  }

  #answered({ topics }: SubscribeResult): void {
    for (const { topic, topicId, error, position, continuity } of topics) {
      if (error !== "TOPIC_ERROR_UNSPECIFIED") {
        figures.refusedTopics.add(1, this.#tags);
        continue;
      }
      const before = this.#resumed.get(topic);
      const isResumed = continuity === "CONTINUITY_RESUMED";
      if (before !== undefined) figures.resumed.add(isResumed, this.#tags);
      const place = before !== undefined && isResumed ? before : position;
      const reader = new TopicReader(place ?? { epoch: 0, sequence: 0 });
      this.#topics.set(topicId, { name: topic, reader });
    }
  }

  #noticed({ kind, topicId, missingFirst, missingLast, position }: Notice): void {
    if (kind === "NOTICE_KIND_LAG" || kind === "NOTICE_KIND_CONFLATION") {
      figures.lagNotices.add(1, this.#tags);
    }
    if (missingLast > 0) figures.announcedGaps.add(missingLast - missingFirst + 1, this.#tags);
    const reader = this.#topics.get(topicId)?.reader;
    if (kind === "NOTICE_KIND_GAP") reader?.announceMissing(missingLast);
    if (kind === "NOTICE_KIND_EPOCH" && position !== undefined) reader?.moveTo(position);
  }

  #endCall(callId: number, isDone: boolean): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    const tags = { ...this.#tags, method: call.method };
    figures.calls.add(isDone, tags);
    figures.callMs.add(Date.now() - call.startedMs, tags);
    call.onEnd();
  }

  #end(): void {
    clearInterval(this.#pace);
    if (!this.#isWelcome) figures.connects.add(false, this.#tags);
    else if (!this.#isClosing) figures.closedByGateway.add(1, this.#tags);
    // A call that was cut off by the end of the run is no failure.
    for (const callId of this.#calls.keys()) {
      if (this.#isClosing) this.#calls.delete(callId);
      else this.#endCall(callId, false);
    }
    this.#options.onEnd?.();
  }
}
