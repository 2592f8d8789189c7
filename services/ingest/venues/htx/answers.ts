// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
import { asJsonObject, asText, type JsonText, parseJsonText } from "#core/json-text.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { PendingRequests } from "../../reading/pending-requests.ts";
import { emitSubscribed } from "../../reading/subscription-answers.ts";
import { channelOfKind, type HtxTopic, parseTopic, STATES_KIND } from "./fields.ts";

/** Spot has one code for everything, so that its words say what is wrong. */
export const HTX_REFUSALS: RefusalRules = {
  harmless: { codes: ["2012", "2014"], words: /not subbed|already subscribed/i },
  tooFast: { codes: ["2004", "2030"], words: /429|too many/i },
  passing: { words: /trade not open|timeout|try again|busy/i },
  final: {
    codes: ["2001", "2002", "2003", "2010", "2011", "2040"],
    words: /invalid (?:topic|symbol|command)|not json/i,
  },
};

/** A topic that was asked for, or the whole book of one. */
type Request = { readonly id: string; readonly topic: HtxTopic; readonly isBook: boolean };

/** The venue symbols that a topic is about, where it is not the one that it names. */
export type SymbolsOfTopic = (topic: HtxTopic) => readonly string[];

/** What was asked for on one connection, and what the venue says to it. */
export class HtxAnswers {
  readonly #symbolsOf: SymbolsOfTopic;
  readonly #pending = new PendingRequests<Request>();

  constructor(symbolsOf: SymbolsOfTopic = ({ venueSymbol }) => [venueSymbol]) {
    this.#symbolsOf = symbolsOf;
  }

  /** Takes note of a frame that was sent. What it asks for, if it asks for something. */
  sent(frame: string): Request | undefined {
    const request = asJsonObject(parseJsonText(frame));
    const id = asText(request?.["id"] ?? request?.["cid"]);
    const book = request?.["req"];
    const subscribed = request?.["op"] === "sub" ? request["topic"] : request?.["sub"];
    const topic = parseTopic(book ?? subscribed);
    if (id === undefined || topic === undefined) return undefined;
    const asked = { id, topic, isBook: book !== undefined };
    this.#pending.note(asked);
    return asked;
  }

  /** The request that a message answers, which is forgotten; of several with one id, the oldest. */
  take(message: TextRecord): Request | undefined {
    const id = message["id"] ?? message["cid"];
    return this.#pending.takeOldest((request) => request.id === id);
  }

  /** Reads the confirmation of a topic. What is confirmed by it. */
  confirmed(name: JsonText | undefined, message: TextRecord, emit: Emit): HtxTopic | undefined {
    this.take(message);
    const topic = parseTopic(name);
    const channel = topic === undefined ? undefined : channelOfKind(topic.kind);
    if (topic === undefined || channel === undefined) {
      heartbeat(emit);
      return undefined;
    }
    emitSubscribed(
      this.#symbolsOf(topic).map((venueSymbol) => ({ venueSymbol, channels: [channel] })),
      emit,
    );
    return topic;
  }

  /** Reads a refusal. The topic of a book whose request failed, which is to be made again. */
  refused(message: TextRecord, emit: Emit): HtxTopic | undefined {
    const request = this.take(message);
    if (request?.isBook === true) return request.topic;
    const topic = request?.topic ?? parseTopic(message["topic"]);
    // Without it states are those of the lists.
    if (topic?.kind === STATES_KIND) {
      heartbeat(emit);
      return undefined;
    }
    const channel = topic === undefined ? undefined : channelOfKind(topic.kind);
    const code = asText(message["err-code"]);
    const reason = asText(message["err-msg"]) ?? `code ${code ?? "unknown"}`;
    const symbols = topic === undefined ? [undefined] : this.#symbolsOf(topic);
    for (const venueSymbol of symbols) {
      emit({ kind: "refused", venueSymbol, channel, reason, code });
    }
    return undefined;
  }
}
