// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#response-and-reason-codes
import type { JsonTape } from "#core/json-tape.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat } from "../../reading/emit.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { type Asked, emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { textAt } from "../../reading/tape-fields.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";
import { askedByName } from "./requests.ts";

/** What its codes mean for a subscription. */
export const CRYPTOCOM_REFUSALS: RefusalRules = {
  harmless: { codes: ["40006"] },
  tooFast: { codes: ["42901"] },
  passing: { codes: ["40107", "40801", "50001"] },
  final: {
    codes: ["206", "209", "10004", "40001", "40002", "40003", "40004", "40401"],
  },
};

/** What the venue's codes say. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["206", "expired instrument"],
  ["209", "invalid instrument"],
  ["10004", "invalid channel"],
  ["40001", "bad request"],
  ["40002", "unknown method"],
  ["40003", "invalid request"],
  ["40004", "invalid argument"],
  ["40006", "duplicate request"],
  ["40107", "too many subscriptions on the connection"],
  ["40401", "not found"],
  ["40801", "request timed out"],
  ["42901", "too many requests"],
  ["50001", "internal error"],
]);

/** The answers to requests of one connection, which name the request's number alone. */
export class CryptocomAnswers {
  readonly #pending = new PendingRequests<Asked | undefined>();

  /** Takes note of a frame that was sent. */
  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || request["method"] !== "subscribe") return;
    const { id, params } = request;
    const names = isRecord(params) ? params["channels"] : undefined;
    if (typeof id !== "number" || !Array.isArray(names)) return;
    // One name a frame is what we send; a recording may hold several.
    const asked = names.length === 1 ? askedByName(String(names[0])) : undefined;
    this.#pending.note(asked, String(id));
  }

  /** Reads an answer that holds no data. What is confirmed by it. */
  read(tape: JsonTape, emit: Emit): Asked | undefined {
    const asked = this.#pending.take(textAt(tape, 0, "id") ?? "");
    const known = asked === undefined ? [] : [asked];
    const code = textAt(tape, 0, "code") ?? "0";
    if (code === "0") {
      if (tape.equals(tape.get(0, "method"), "subscribe")) emitSubscribed(known, emit);
      else heartbeat(emit);
      return asked;
    }
    const reason = [WORDS.get(code), textAt(tape, 0, "message")].filter(Boolean).join(": ");
    emitRefused(known, { reason: reason === "" ? `code ${code}` : reason, code }, emit);
    return undefined;
  }
}
