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
 * A confirmation says which topic, an error at most which contract: the rest is known by the order
 * of the requests. The end of a subscription is not confirmed.
 */
export class MexcFuturesAnswers {
  readonly #pending = new PendingRequests<Request>();

  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || typeof request["method"] !== "string") return;
    const { method, param } = request;
    const venueSymbol = isRecord(param) ? param["symbol"] : undefined;
    if (!method.startsWith(SUBSCRIBE) || typeof venueSymbol !== "string") return;
    this.#pending.note({ topic: method.slice(SUBSCRIBE.length), venueSymbol });
  }

  read(tape: JsonTape, channel: string, emit: Emit): void {
    const words = textAt(tape, 0, "data");
    if (channel === ERROR) return this.#error(words ?? "refused", textAt(tape, 0, "code"), emit);
    if (!channel.startsWith(SUBSCRIBED)) return heartbeat(emit);
    const topic = channel.slice(SUBSCRIBED.length);
    if (words === undefined) return reject(emit, "missing-field");
    const asked = askedBy(this.#pending.takeOldest((request) => request.topic === topic));
    if (words === "success") emitSubscribed(asked, emit);
    else emitRefused(asked, words, emit);
  }

  #error(reason: string, code: string | undefined, emit: Emit): void {
    if (ENDING.test(reason)) return heartbeat(emit);
    const named = NAMED.exec(reason)?.[1];
    const request =
      named === undefined
        ? undefined
        : this.#pending.takeOldest(({ venueSymbol }) => venueSymbol === named);
    // Whose it was is not known, and so neither is whose the next confirmation will be.
    if (request === undefined) while (this.#pending.takeOldest() !== undefined);
    emitRefused(askedBy(request), { reason, code }, emit);
  }
}

function askedBy(request: Request | undefined): Parameters<typeof emitSubscribed>[0] {
  if (request === undefined) return [];
  return [{ venueSymbol: request.venueSymbol, channels: channelsOfTopic(request.topic) }];
}
