import type { ClientRequest } from "#wire/frame-codec.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";

/**
 * Allows `perSecond` requests a second on average, and `burst` at once after a quiet time; as many
 * as a second's worth unless it is given.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtUs: number;

  constructor(perSecond: number, nowUs: number, burst = perSecond) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtUs = nowUs;
  }

  /**
   * Takes `tokens` if they are there and `reserve` stays; otherwise takes nothing and returns
   * false.
   */
  take(tokens: number, nowUs: number, reserve = 0): boolean {
    const elapsedSeconds = (nowUs - this.#filledAtUs) / 1e6;
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedSeconds * this.#perSecond);
    this.#filledAtUs = nowUs;
    if (this.#tokens < tokens + reserve) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** How long after the last `take` so much will be there, if nobody takes anything meanwhile. */
  waitMs(tokens: number): number {
    return Math.max(0, ((tokens - this.#tokens) / this.#perSecond) * 1_000);
  }
}

/** As much as a TokenBucket has of each; what is left is told by when all of it is there again. */
type Supply = { readonly perSecond: number; readonly burst: number };

/** Times are sums of parts of microseconds, and not exact to the end. */
const ROUNDING_US = 0.5;

/** How much is there, if all of it will be at `fullAtUs`. */
function leftOf({ perSecond, burst }: Supply, fullAtUs: number, nowUs: number): number {
  return burst - (Math.max(0, fullAtUs - nowUs - ROUNDING_US) / 1e6) * perSecond;
}

/**
 * When all of it will be there again, after `amount` is taken; undefined if that is not there with
 * `reserve` besides.
 */
function fullAgainUs(
  supply: Supply,
  fullAtUs: number,
  nowUs: number,
  { amount, reserve = 0 }: { readonly amount: number; readonly reserve?: number },
): number | undefined {
  if (leftOf(supply, fullAtUs, nowUs) < amount + reserve) return undefined;
  return Math.max(fullAtUs, nowUs) + (amount / supply.perSecond) * 1e6;
}

/** How long until so much is there, if nobody takes anything meanwhile. */
function waitMsFor(supply: Supply, fullAtUs: number, nowUs: number, amount: number): number {
  return ((amount - leftOf(supply, fullAtUs, nowUs)) / supply.perSecond) * 1_000;
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
/** This part of the rate is for what keeps a session alive, whatever its calls use. */
const RESERVED_SHARE = 0.1;
/** So many refused calls are answered at once, in seconds of the rate. */
export const REFUSED_SECONDS_MAX = 10;
/** So many of them a second go on for ever, as a part of the rate. */
const REFUSED_SHARE = 0.5;

/** What becomes of a request: it is served, or refused until later, or one too many was refused. */
export type RequestVerdict =
  | { readonly does: "serve" }
  | { readonly does: "refuse"; readonly retryAfterMs: number }
  | { readonly does: "close" };

const SERVE: RequestVerdict = { does: "serve" };
const CLOSE: RequestVerdict = { does: "close" };

/**
 * What one session may still ask for: requests, and topics that its requests name. What costs as
 * much as a request without being one is paid for in requests. A request above the rate is refused
 * with the time to wait, because a program that asks too fast is not one that does harm; only who
 * goes on and on all the same uses up the refusals, and is closed. What cannot be refused, because
 * the gateway waits for it or must read it to say so, is paid for with refusals where the rate is
 * used up.
 */
export class RateLimits {
  readonly #options: RateLimitOptions;
  /** When each is whole again, on the monotonic clock; one number each, for there are many. */
  #requestsFullAtUs: number;
  #topicsFullAtUs: number;
  #refusalsFullAtUs: number;
  /** Topics that were not granted last. */
  #topicsRefused = 0;

  constructor(options: RateLimitOptions, nowUs: number) {
    this.#options = options;
    this.#requestsFullAtUs = nowUs;
    this.#topicsFullAtUs = nowUs;
    this.#refusalsFullAtUs = nowUs;
  }

  get #reserve(): number {
    return Math.floor(this.#options.requestsPerSecondMax * RESERVED_SHARE);
  }

  get #requests(): Supply {
    const { requestsPerSecondMax: perSecond } = this.#options;
    return { perSecond, burst: perSecond };
  }

  get #topics(): Supply {
    const { topicsPerSecondMax: perSecond } = this.#options;
    return { perSecond, burst: perSecond };
  }

  get #refusals(): Supply {
    const { requestsPerSecondMax: rate } = this.#options;
    return { perSecond: rate * REFUSED_SHARE, burst: rate * REFUSED_SECONDS_MAX };
  }

  /** Takes so many requests if they are there and `reserve` stays; otherwise takes nothing. */
  #takeRequests(amount: number, nowUs: number, reserve = 0): boolean {
    const wanted = { amount, reserve };
    const fullAtUs = fullAgainUs(this.#requests, this.#requestsFullAtUs, nowUs, wanted);
    this.#requestsFullAtUs = fullAtUs ?? this.#requestsFullAtUs;
    return fullAtUs !== undefined;
  }

  #takeRefusals(amount: number, nowUs: number): boolean {
    const fullAtUs = fullAgainUs(this.#refusals, this.#refusalsFullAtUs, nowUs, { amount });
    this.#refusalsFullAtUs = fullAtUs ?? this.#refusalsFullAtUs;
    return fullAtUs !== undefined;
  }

  #waitMs(requests: number, nowUs: number): number {
    return waitMsFor(this.#requests, this.#requestsFullAtUs, nowUs, requests);
  }

  /**
   * Whether a frame of this size may be read now. What is granted is used up. One with fields that
   * we do not know is not read for the sake of refusing what it asks for.
   */
  takeFrame({ bytes, messages, fields, unknownFields }: FramePrice, nowUs: number): boolean {
    const work = bytes / BYTES_PER_REQUEST + fields / FIELDS_PER_REQUEST;
    const strange = unknownFields * COST_OF_UNKNOWN_FIELD;
    const cost = Math.max(0, work + strange - messages * COVERED_BY_MESSAGE);
    return strange > 0 ? this.#takeRequests(cost, nowUs) : this.#takeAnyhow(cost, nowUs);
  }

  /** Whether so many messages may come of which nothing can be made: each is a request. */
  takeUnknown(messages: number, nowUs: number): boolean {
    return this.#takeRequests(messages, nowUs);
  }

  /** Whether work as long as so many requests may be done now. What is granted is used up. */
  takeWork(requests: number, nowUs: number): boolean {
    return this.#takeRequests(requests, nowUs, this.#reserve);
  }

  /** What becomes of one more call now. What is granted is used up. */
  judgeCall(nowUs: number): RequestVerdict {
    if (this.#takeRequests(1, nowUs, this.#reserve)) return SERVE;
    return this.refuse(this.#waitMs(1 + this.#reserve, nowUs), nowUs);
  }

  /** What becomes of one more request of this kind, no call, now. What is granted is used up. */
  judgeRequest(kind: Exclude<ClientRequest["kind"], "call">, nowUs: number): RequestVerdict {
    if (isOfSession(kind)) {
      const cost = ANSWERS.has(kind) ? COST_OF_ANSWER : 1;
      return this.#takeAnyhow(cost, nowUs) ? SERVE : CLOSE;
    }
    if (this.#takeRequests(1, nowUs)) return SERVE;
    return this.refuse(this.#waitMs(1, nowUs), nowUs);
  }

  /** What becomes of a request that is not to be served before that time has passed. */
  refuse(waitMs: number, nowUs: number, cost = 1): RequestVerdict {
    if (!this.#takeRefusals(cost, nowUs)) return CLOSE;
    return { does: "refuse", retryAfterMs: Math.max(1, Math.ceil(waitMs)) };
  }

  /** Whether requests may name so many more topics now. What is granted is used up. */
  takeTopics(topics: number, nowUs: number): boolean {
    const fullAtUs = fullAgainUs(this.#topics, this.#topicsFullAtUs, nowUs, { amount: topics });
    this.#topicsFullAtUs = fullAtUs ?? this.#topicsFullAtUs;
    if (fullAtUs === undefined) this.#topicsRefused = topics;
    return fullAtUs !== undefined;
  }

  /** What becomes of the request whose topics were not granted last: naming them was work. */
  refuseTopics(nowUs: number): RequestVerdict {
    const topics = this.#topicsRefused;
    const { requestsPerSecondMax, topicsPerSecondMax } = this.#options;
    const costOfTopic = requestsPerSecondMax / topicsPerSecondMax;
    const waitMs = waitMsFor(this.#topics, this.#topicsFullAtUs, nowUs, topics);
    return this.refuse(waitMs, nowUs, 1 + topics * costOfTopic);
  }

  /** Where the rate is used up, what cannot be refused takes the place of refusals. */
  #takeAnyhow(cost: number, nowUs: number): boolean {
    return this.#takeRequests(cost, nowUs) || this.#takeRefusals(cost, nowUs);
  }
}

/** What the gateway waits for, or what nobody sends twice: it is never refused. */
export function isOfSession(kind: ClientRequest["kind"]): boolean {
  return ANSWERS.has(kind) || kind === "hello" || kind === "authenticate";
}
