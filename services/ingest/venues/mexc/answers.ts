// https://www.mexc.com/api-docs/spot-v3/websocket-market-streams
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import {
  type Asked,
  emitRefused,
  emitSubscribed,
  refusalText,
} from "../../reading/subscription-answers.ts";
import type { JsonRecord } from "../../reading/text-fields.ts";
import { parseStream } from "./fields.ts";

/** Its pages name no codes of refusals: what users quote says it in words. */
export const MEXC_REFUSALS: RefusalRules = {
  harmless: { words: /already/i },
  passing: { words: /busy|too (?:many|frequent)|limit|timed? ?out|try again/i },
  final: { words: /unknown or ended|invalid|not exist/i },
};

/** A refusal has code 0 too, and quotes the stream: `... [STREAM].  Reason： Blocked!` */
const REFUSAL = /not subscribed[^[]*\[([^\]]*)\][.\s]*(?:reason\s*[:：]\s*)?(.*)$/i;

/** Streams that the venue ended and symbols that it does not have are both told so. */
const BLOCKED = /^blocked/i;

/** Reads an answer, which repeats the name of the stream that it is about. */
export function readAnswer(message: JsonRecord, emit: Emit): void {
  const { code, msg } = message;
  if (typeof msg !== "string") return reject(emit, "unknown-message");
  if (msg === "PONG") return heartbeat(emit);
  const refusal = REFUSAL.exec(msg);
  if (refusal !== null) {
    const words = refusalText(refusal[2]?.trim(), undefined);
    const reason = BLOCKED.test(words) ? `unknown or ended: ${words}` : words;
    return emitRefused(askedBy(refusal[1] ?? ""), reason, emit);
  }
  if (code === 0) return emitSubscribed(askedBy(msg), emit);
  emitRefused(askedBy(msg), refusalText(undefined, code), emit);
}

/** Each of the streams that an answer names, wherever it names them. */
function askedBy(text: string): Asked[] {
  return text.split(/[,\s[\]"]+/).flatMap((name) => {
    const stream = parseStream(name);
    if (stream === undefined) return [];
    return [{ venueSymbol: stream.venueSymbol, channels: [stream.channel] }];
  });
}
