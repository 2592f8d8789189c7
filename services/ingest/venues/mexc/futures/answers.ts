// https://mexcdevelop.github.io/apidocs/contract_v1_en/#how-is-depth-information-maintained
import type { JsonTape } from "#core/json-tape.ts";
import type { RefusalRules } from "../../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../../reading/emit.ts";
import { PendingRequests } from "../../../reading/pending-requests.ts";
import { emitRefused, emitSubscribed } from "../../../reading/subscription-answers.ts";
import { textAt } from "../../../reading/tape-fields.ts";
import { isRecord, parseJson } from "../../../reading/text-fields.ts";
import { channelsOfTopic } from "./requests.ts";

/** The codes are those of its REST answers; most errors have words alone. */
export const MEXC_FUTURES_REFUSALS: RefusalRules = {
  tooFast: { codes: ["510"], words: /frequen|too many/i },
  passing: { codes: ["500", "501", "9999"], words: /busy|internal|time(?:d )?out|try again/i },
  final: { codes: ["600", "1001", "1002", "6005"], words: /exist|not support|invalid/i },
};

type Request = { readonly topic: string; readonly venueSymbol: string };

const SUBSCRIBE = "sub.";
const SUBSCRIBED = "rs.sub.";
const ERROR = "rs.error";

/** The contract that an error names: `Contract [NOPE_USDT] not exists`. */
const NAMED = /\[([^\]]+)\]/;

/** The last word before a connection ends on which no ping came. */
const ENDING = /close the channel/i;

/**
 * A confirmation says which topic, an error at most which contract. Whose a confirmation is would be
 * told by its place alone, and one that is lost would shift all others: so the requests of a topic
 * are confirmed together, once there are as many confirmations. The end of a subscription is not
 * confirmed.
 */
export class MexcFuturesAnswers {
  readonly #pending = new PendingRequests<Request>();
  /** Confirmations of each topic since its last requests were all confirmed or asked for again. */
  readonly #confirmations = new Map<string, number>();

  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || typeof request["method"] !== "string") return;
    const { method, param } = request;
    const venueSymbol = isRecord(param) ? param["symbol"] : undefined;
    if (!method.startsWith(SUBSCRIBE) || typeof venueSymbol !== "string") return;
    const topic = method.slice(SUBSCRIBE.length);
    const repeated = (each: Request): boolean =>
      each.topic === topic && each.venueSymbol === venueSymbol;
    // One that is asked for again was not confirmed in time: counting begins anew.
    if (this.#pending.takeOldest(repeated) !== undefined) this.#takeAll(topic);
    this.#pending.note({ topic, venueSymbol });
  }

  read(tape: JsonTape, channel: string, emit: Emit): void {
    const words = textAt(tape, 0, "data");
    if (channel === ERROR) return this.#error(words ?? "refused", textAt(tape, 0, "code"), emit);
    if (!channel.startsWith(SUBSCRIBED)) return heartbeat(emit);
    const topic = channel.slice(SUBSCRIBED.length);
    if (words === undefined) return reject(emit, "missing-field");
    if (words === "success") return this.#confirmed(topic, emit);
    emitRefused(askedBy(this.#pending.takeOldest((each) => each.topic === topic)), words, emit);
  }

  #confirmed(topic: string, emit: Emit): void {
    this.#confirmations.set(topic, (this.#confirmations.get(topic) ?? 0) + 1);
    if (!this.#confirmWhole(topic, emit)) heartbeat(emit);
  }

  /** Confirms what was asked of a topic if none of it lacks a confirmation; false if some does. */
  #confirmWhole(topic: string, emit: Emit): boolean {
    const count = this.#confirmations.get(topic) ?? 0;
    const asked = this.#takeAll(topic);
    if (count >= asked.length) {
      if (count > 0) emitSubscribed(asked.flatMap(askedBy), emit);
      return true;
    }
    for (const request of asked) this.#pending.note(request);
    this.#confirmations.set(topic, count);
    return false;
  }

  #takeAll(topic: string): readonly Request[] {
    this.#confirmations.delete(topic);
    const taken: Request[] = [];
    for (;;) {
      const request = this.#pending.takeOldest((each) => each.topic === topic);
      if (request === undefined) return taken;
      taken.push(request);
    }
  }

  #error(reason: string, code: string | undefined, emit: Emit): void {
    if (ENDING.test(reason)) return heartbeat(emit);
    const named = NAMED.exec(reason)?.[1];
    const request =
      named === undefined
        ? undefined
        : this.#pending.takeOldest(({ venueSymbol }) => venueSymbol === named);
    // Whose it was is not known, and so neither is whose the next confirmation will be.
    if (request === undefined) {
      while (this.#pending.takeOldest() !== undefined);
      this.#confirmations.clear();
    }
    emitRefused(askedBy(request), { reason, code }, emit);
    if (request !== undefined) this.#confirmWhole(request.topic, emit);
  }
}

function askedBy(request: Request | undefined): Parameters<typeof emitSubscribed>[0] {
  if (request === undefined) return [];
  return [{ venueSymbol: request.venueSymbol, channels: channelsOfTopic(request.topic) }];
}
