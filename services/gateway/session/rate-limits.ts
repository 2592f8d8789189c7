import type { ClientRequest } from "#wire/frame-codec.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";

/** Allows `perSecond` requests a second on average, and that many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAtUs: number;

  constructor(perSecond: number, nowUs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAtUs = nowUs;
  }

  /** Takes `tokens` if they are there; otherwise takes nothing and returns false. */
  take(tokens: number, nowUs: number): boolean {
    const elapsedSeconds = (nowUs - this.#filledAtUs) / 1e6;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + elapsedSeconds * this.#perSecond);
    this.#filledAtUs = nowUs;
    if (this.#tokens < tokens) return false;
    this.#tokens -= tokens;
    return true;
  }
}

/** How much a session may ask for. */
type RateLimitOptions = {
  readonly requestsPerSecondMax: number;
  readonly topicsPerSecondMax: number;
};

/** What a frame is made of. */
type FramePrice = {
  readonly bytes: number;
  readonly messages: number;
  readonly fields: number;
  readonly unknownFields: number;
};

/** These answer what we sent, so a client cannot choose how many it needs. */
const ANSWERS: ReadonlySet<ClientRequest["kind"]> = new Set(["cancel", "credit", "probeAnswer"]);
const COST_OF_ANSWER = 0.1;
/** Reading so many takes about as long as serving one request. */
const FIELDS_PER_REQUEST = 500;
/** What the price of a request covers of the frame that it comes in, an answer's as well. */
const COVERED_BY_MESSAGE = 0.1;
/** A field that we do not know does nothing for the client, so nobody needs many. */
const COST_OF_UNKNOWN_FIELD = 0.1;

/**
 * What one session may still ask for: requests, and topics that its requests name. What costs as
 * much as a request without being one is paid for in requests.
 */
export class RateLimits {
  readonly #requests: TokenBucket;
  readonly #topics: TokenBucket;

  constructor(options: RateLimitOptions, nowUs: number) {
    this.#requests = new TokenBucket(options.requestsPerSecondMax, nowUs);
    this.#topics = new TokenBucket(options.topicsPerSecondMax, nowUs);
  }

  /** Whether a frame of this size may be read now. What is granted is used up. */
  takeFrame({ bytes, messages, fields, unknownFields }: FramePrice, nowUs: number): boolean {
    const work = bytes / BYTES_PER_REQUEST + fields / FIELDS_PER_REQUEST;
    const cost = work + unknownFields * COST_OF_UNKNOWN_FIELD - messages * COVERED_BY_MESSAGE;
    return this.#requests.take(Math.max(0, cost), nowUs);
  }

  /** Whether so many messages may come of which nothing can be made: each is a request. */
  takeUnknown(messages: number, nowUs: number): boolean {
    return this.#requests.take(messages, nowUs);
  }

  /** Whether work as long as so many requests may be done now. What is granted is used up. */
  takeWork(requests: number, nowUs: number): boolean {
    return this.#requests.take(requests, nowUs);
  }

  /** Whether one more request of this kind may come now. What is granted is used up. */
  takeRequest(kind: ClientRequest["kind"], nowUs: number): boolean {
    return this.#requests.take(ANSWERS.has(kind) ? COST_OF_ANSWER : 1, nowUs);
  }

  /** Whether requests may name so many more topics now. What is granted is used up. */
  takeTopics(topics: number, nowUs: number): boolean {
    return this.#topics.take(topics, nowUs);
  }
}
