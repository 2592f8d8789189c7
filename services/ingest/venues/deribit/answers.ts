import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat } from "../../reading/emit.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { emitRefused, emitSubscribed } from "../../reading/subscription-answers.ts";
import { elementsOf, textAt } from "../../reading/tape-fields.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";
import { partsOf } from "./requests.ts";

const LEFT_OUT = /not among the channels accepted/;

/** https://docs.deribit.com/articles/errors */
export const DERIBIT_REFUSALS: RefusalRules = {
  tooFast: { codes: ["10028", "10047"] },
  passing: { codes: ["10040", "10041", "11051", "10066"] },
  // A name that it does not know is just missing in its answer.
  final: { codes: ["-32600", "-32601", "-32602", "11050", "13020", "13009"], words: LEFT_OUT },
};

/** What the venue says about subscriptions, on one connection. */
export class DeribitAnswers {
  /** The channels of each request, to know which of them the venue left out. */
  readonly #requests = new PendingRequests<readonly string[]>();

  /** Takes note of what a request asks for. */
  sent(frame: string): void {
    const request = parseJson(frame);
    if (!isRecord(request) || request["method"] !== "public/subscribe") return;
    const { id, params } = request;
    const channels = isRecord(params) ? params["channels"] : undefined;
    if (typeof id !== "number" || !Array.isArray(channels)) return;
    this.#requests.note(channels.map(String), String(id));
  }

  /** The venue answers a subscription with the channels that it accepted. */
  read(tape: JsonTape, emit: Emit): void {
    const asked = this.#requests.take(textAt(tape, 0, "id") ?? "");
    const error = tape.get(0, "error");
    const result = tape.get(0, "result");
    if (error !== MISSING) {
      const reason = textAt(tape, error, "message") ?? "refused";
      const code = textAt(tape, error, "code");
      return emitRefused((asked ?? []).map(partsOf), { reason, code }, emit);
    }
    if (asked === undefined || !tape.isArray(result)) return heartbeat(emit);
    const accepted = new Set(elementsOf(tape, result).map((node) => tape.text(node) ?? ""));
    const missing = asked.filter((name) => !accepted.has(name));
    if (accepted.size > 0 || missing.length === 0) {
      emitSubscribed([...accepted].map(partsOf), emit);
    }
    if (missing.length > 0) {
      emitRefused(missing.map(partsOf), "not among the channels accepted", emit);
    }
  }
}
