import { CloseCode } from "#wire/codes.ts";
import {
  decodeClientFrame,
  encodeServerMessages,
  packErrorDetail,
  WireError,
} from "#wire/frame-codec.ts";
import type { ClientRequest, ServerMessageInit } from "#wire/frame-codec.ts";
import { PROTOCOL_VERSION } from "#wire/limits.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Instrument } from "@tickwire/proto/service";
import type { GatewayConfig } from "../config.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Flusher } from "./outbound/flusher.ts";
import type { Hub } from "../topics/hub.ts";
import type { Logger } from "../logger.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { Outbound } from "./outbound/outbound.ts";
import type { SharedBatch } from "../topics/shared-batch.ts";
import { CallTable } from "./call-table.ts";
import type { RpcError } from "../rpc/rpc-error.ts";
import { wireCodeOf } from "../rpc/rpc-error.ts";
import type { ServiceTable } from "../rpc/service-table.ts";
import { Subscriptions } from "./subscriptions.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { TopicView } from "../topics/topic-view.ts";
import type { Connection, ConnectionHandler } from "../transport/transport.ts";
import type { HelloMessage, NoticeInit, ReplyInit, TopicResultInit } from "./wire-messages.ts";

/** What every session shares. */
export type SessionParts = {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly flusher: Flusher;
  readonly hub: Hub;
  readonly catalog: Catalog;
  readonly services: ServiceTable;
  readonly serverVersion: string;
};

/** Cancels and credits answer what we sent, so a client cannot choose how many it needs. */
const COST_OF_ANSWER = 0.1;

/**
 * One client on one connection: its handshake, subscriptions, calls and rate. Everything that it
 * does wrong ends in a typed error or a close code; nothing that it does throws.
 */
export class Session implements ConnectionHandler {
  readonly id: string;
  readonly #connection: Connection;
  readonly #parts: SessionParts;
  readonly #outbound: Outbound;
  readonly #subscriptions: Subscriptions;
  readonly #calls: CallTable;
  readonly #bucket: TokenBucket;
  readonly #topicBucket: TokenBucket;
  readonly #onGone: (session: Session) => void;
  #cancelHelloTimer: CancelTimer;
  #hello: HelloMessage | undefined;
  #state: "open" | "closing" | "closed" = "open";

  constructor(
    id: string,
    connection: Connection,
    parts: SessionParts,
    onGone: (session: Session) => void,
  ) {
    const { config, clock } = parts;
    this.id = id;
    this.#connection = connection;
    this.#parts = parts;
    this.#onGone = onGone;
    this.#bucket = new TokenBucket(config.requestsPerSecondMax, clock.nowUs());
    this.#topicBucket = new TokenBucket(config.topicsPerSecondMax, clock.nowUs());
    this.#outbound = new Outbound(connection, config, parts, {
      onLag: (owedBytes) => this.#onLag(owedBytes),
      onSlow: (owedBytes) => this.#onSlow(owedBytes),
    });
    const takeTopics = (topics: number): boolean => this.#topicBucket.take(topics, clock.nowUs());
    this.#subscriptions = new Subscriptions({ ...parts, limits: config, takeTopics }, this);
    const limits = config;
    const { remoteAddress } = connection;
    const onInternalError = (method: string, error: unknown): void => {
      parts.logger.error({ sessionId: id, method, error }, "an RPC failed inside");
    };
    this.#calls = new CallTable({ ...parts, limits, remoteAddress, onInternalError }, this);
    this.#cancelHelloTimer = clock.after(config.helloTimeoutMs, () => {
      this.close(CloseCode.HelloTimeout, `no Hello within ${config.helloTimeoutMs} ms`);
    });
  }

  onMessage(data: Uint8Array, isBinary: boolean): void {
    if (this.#state !== "open") return;
    const { config, metrics } = this.#parts;
    metrics.framesReceived.inc();
    if (!isBinary) {
      this.close(CloseCode.TextFrame, "the protocol is binary; text frames are not understood");
      return;
    }
    if (data.byteLength > config.frameBytesMax) {
      const reason = `frame of ${data.byteLength} bytes exceeds frameBytesMax`;
      this.close(CloseCode.FrameTooLarge, `${reason} ${config.frameBytesMax}`);
      return;
    }
    let requests: readonly ClientRequest[];
    try {
      requests = decodeClientFrame(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close(CloseCode.ProtocolError, `not a ClientFrame: ${error.message}`);
      return;
    }
    for (const request of requests) {
      this.#handle(request);
      if (this.#state !== "open") return;
    }
  }

  onDrain(): void {
    this.#outbound.onDrain();
  }

  onClose(code: number, reason: string): void {
    if (this.#state === "closed") return;
    const by = this.#state === "closing" ? "gateway" : "client";
    this.#state = "closed";
    this.#cancelHelloTimer();
    this.#subscriptions.close();
    this.#calls.closeAll();
    this.#outbound.close();
    // A client may send any code; only those of the schema and of RFC 6455 become labels.
    const known = code < 1016 || Object.values<number>(CloseCode).includes(code);
    this.#parts.metrics.closes.inc({ code: known ? code : "other", by });
    this.#parts.logger.info({ sessionId: this.id, code, reason, by }, "session closed");
    this.#onGone(this);
  }

  /**
   * Ends the session with a close code; what is queued and not yet sent is dropped and counted.
   * Idempotent.
   */
  close(code: CloseCode, reason: string): void {
    if (this.#state !== "open") return;
    // Latched first: the transport calls onClose from within close.
    this.#state = "closing";
    this.#outbound.close();
    this.#connection.close(code, reason);
  }

  /** Cuts the connection. */
  terminate(): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#connection.terminate();
  }

  /** Tells the client that the gateway goes away. */
  announceGoingAway(reconnectWindowMs: number): void {
    const message = "the gateway is shutting down";
    this.#notice({ kind: "NOTICE_KIND_GOING_AWAY", message, reconnectWindowMs });
  }

  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    this.#subscriptions.onCatalogChanged(added, removed);
  }

  deliver(batch: SharedBatch): void {
    this.#outbound.pushBatch(batch);
  }

  gap(view: TopicView, missingFirst: number, missingLast: number): void {
    const message = `events of ${view.topic} were lost on the way to the gateway`;
    const topicId = view.id;
    this.#noticeInOrder({
      kind: "NOTICE_KIND_GAP",
      message,
      topicId,
      missingFirst,
      missingLast,
    });
  }

  ended(view: TopicView, message: string): void {
    this.#noticeInOrder({ kind: "NOTICE_KIND_TOPIC_ENDED", message, topicId: view.id });
  }

  unsubscribed(views: readonly TopicView[]): void {
    this.#outbound.forget(new Set(views.map((view) => view.id)));
  }

  subscribeResult(
    requestId: number,
    topics: readonly TopicResultInit[],
    starts: readonly (readonly SharedBatch[])[],
  ): void {
    this.#send({ kind: "subscribeResult", value: { requestId, topics } });
    for (const start of starts) this.#outbound.pushStart(start);
  }

  unsubscribeResult(requestId: number, topics: readonly TopicResultInit[]): void {
    this.#send({ kind: "unsubscribeResult", value: { requestId, topics } });
  }

  response(callId: number, response: Uint8Array, last: boolean): void {
    const reply: ReplyInit = { callId, response };
    this.#send({ kind: "reply", value: last ? { ...reply, status: {} } : reply });
  }

  end(callId: number, error: RpcError | undefined): void {
    this.#send({ kind: "reply", value: { callId, status: statusOf(error) } });
  }

  #handle(request: ClientRequest): void {
    const nowUs = this.#parts.clock.nowUs();
    const cost = request.kind === "cancel" || request.kind === "credit" ? COST_OF_ANSWER : 1;
    if (!this.#bucket.take(cost, nowUs)) {
      const { requestsPerSecondMax } = this.#parts.config;
      const reason = `more than requestsPerSecondMax ${requestsPerSecondMax} requests a second`;
      this.close(CloseCode.RateLimited, reason);
      return;
    }
    if (request.kind === "hello") {
      this.#onHello(request.value);
      return;
    }
    if (this.#hello === undefined) {
      this.close(CloseCode.ProtocolError, `${request.kind} before hello`);
      return;
    }
    this.#dispatch(request, nowUs);
  }

  #dispatch(request: Exclude<ClientRequest, { kind: "hello" }>, nowUs: number): void {
    switch (request.kind) {
      case "subscribe":
        if (!this.#subscriptions.subscribe(request.value)) this.#closeForTopics();
        return;
      case "unsubscribe":
        if (!this.#subscriptions.unsubscribe(request.value)) this.#closeForTopics();
        return;
      case "call":
        if (this.#calls.start(request.value)) return;
        this.close(CloseCode.ProtocolError, `call_id ${request.value.callId} is not rising`);
        return;
      case "cancel":
        this.#calls.cancel(request.value.callId);
        return;
      case "credit":
        this.#calls.credit(request.value.callId, request.value.credits);
        return;
      case "ping":
        this.#send({
          kind: "pong",
          value: { nonce: request.value.nonce, serverTimeUs: nowUs },
        });
        return;
    }
  }

  #closeForTopics(): void {
    const { topicsPerSecondMax } = this.#parts.config;
    const reason = `more than topicsPerSecondMax ${topicsPerSecondMax} topics named a second`;
    this.close(CloseCode.RateLimited, reason);
  }

  #onHello(hello: HelloMessage): void {
    const { config, clock, logger, serverVersion } = this.#parts;
    if (this.#hello !== undefined) {
      this.close(CloseCode.ProtocolError, "a second hello");
      return;
    }
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      const reason = `protocol version ${hello.protocolVersion} is not ${PROTOCOL_VERSION}`;
      this.close(CloseCode.UnsupportedVersion, reason);
      return;
    }
    this.#hello = hello;
    this.#cancelHelloTimer();
    this.#outbound.compress = hello.acceptCompression && this.#connection.compressionNegotiated;
    logger.info(
      {
        sessionId: this.id,
        clientName: hello.clientName.slice(0, 100),
        clientVersion: hello.clientVersion.slice(0, 100),
        remoteAddress: this.#connection.remoteAddress,
        compression: this.#outbound.compress,
      },
      "session opened",
    );
    this.#send({
      kind: "welcome",
      value: {
        protocolVersion: PROTOCOL_VERSION,
        sessionId: this.id,
        serverVersion,
        serverTimeUs: clock.nowUs(),
        limits: {
          frameBytesMax: config.frameBytesMax,
          subscriptionsMax: config.subscriptionsMax,
          topicsPerRequestMax: config.topicsPerRequestMax,
          concurrentCallsMax: config.concurrentCallsMax,
          requestsPerSecondMax: config.requestsPerSecondMax,
        },
      },
    });
  }

  #onLag(owedBytes: number): void {
    const { metrics, config, logger } = this.#parts;
    metrics.lagNotices.inc();
    logger.warn({ sessionId: this.id, owedBytes }, "session reads too slowly");
    const message = `${owedBytes} bytes are waiting; above ${config.outboundBytesMax} this closes`;
    const value: NoticeInit = { kind: "NOTICE_KIND_LAG", message };
    this.#outbound.sendUrgent(encodeServerMessages([{ kind: "notice", value }]));
  }

  #onSlow(owedBytes: number): void {
    const { metrics, config } = this.#parts;
    metrics.slowConsumers.inc();
    const reason = `${owedBytes} bytes waiting exceed outboundBytesMax ${config.outboundBytesMax}`;
    this.close(CloseCode.SlowConsumer, reason);
  }

  #notice(value: NoticeInit): void {
    this.#send({ kind: "notice", value });
  }

  /** Behind the batches that came before: it says what happened after them. */
  #noticeInOrder(value: NoticeInit): void {
    if (this.#state !== "open") return;
    this.#outbound.pushOrdered(encodeServerMessages([{ kind: "notice", value }]));
  }

  #send(message: ServerMessageInit): void {
    if (this.#state !== "open") return;
    this.#outbound.pushControl(encodeServerMessages([message]));
  }
}

function statusOf(error: RpcError | undefined): NonNullable<ReplyInit["status"]> {
  if (error === undefined) return {};
  const details = error.detail === undefined ? [] : [packErrorDetail(error.detail)];
  return { code: wireCodeOf(error.code), message: error.message, details };
}
