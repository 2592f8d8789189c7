import { Buffer } from "node:buffer";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage } from "#bus/bus.ts";
import { sessionSubject } from "#bus/subject.ts";

/** What a client asks of its session: to take a frame, or for what is new. */
export type SessionQuestion =
  | { readonly kind: "post"; readonly number: number; readonly close: number | undefined }
  | {
      readonly kind: "poll";
      readonly answer: number;
      readonly waitMs: number;
      /** The id of whoever asks. */
      readonly owner: string;
      /** What the session was made for. */
      readonly wishes: string;
    };

/** What became of it, with the body of the answer to a poll. */
export type SessionReply = {
  readonly outcome: "done" | "unknown" | "out-of-order" | "unavailable";
  readonly body: Uint8Array;
};

type SessionRelayParts = {
  readonly bus: Bus;
  /** For an answer to come over the bus, besides what the question may wait. */
  readonly queryTimeoutMs: number;
};

const NOTHING = new Uint8Array();
const OUTCOMES = ["done", "unknown", "out-of-order", "unavailable"] as const;
const NEWLINE = 10;

/**
 * Hands on what a client asks of a session that another gateway has: a balancer that knows nothing
 * of sessions leads each request where it likes. The session is found by its name, over the bus.
 */
export class SessionRelay {
  readonly #parts: SessionRelayParts;

  constructor(parts: SessionRelayParts) {
    this.#parts = parts;
  }

  /** Answers for the session of this name until the result is called. */
  serve(
    token: string,
    answer: (question: SessionQuestion, frame: Uint8Array) => Promise<SessionReply>,
  ): () => void {
    const { bus } = this.#parts;
    const subscription = bus.subscribe(sessionSubject(token), (message) => {
      const asked = readQuestion(message.payload);
      if (asked === undefined) return;
      // It answers every outcome itself, and rejects only if we have a bug: then the process ends.
      void this.#answer(message, answer(asked.question, asked.frame));
    });
    return () => subscription.unsubscribe();
  }

  /** Asks whoever has the session. */
  async ask(token: string, question: SessionQuestion, frame: Uint8Array): Promise<SessionReply> {
    const { bus, queryTimeoutMs } = this.#parts;
    const head = Buffer.from(`${JSON.stringify(question)}\n`);
    const timeoutMs = queryTimeoutMs + (question.kind === "poll" ? question.waitMs : 0);
    try {
      const payload = Buffer.concat([head, frame]);
      const reply = await bus.request(sessionSubject(token), payload, { timeoutMs });
      const outcome = OUTCOMES[reply[0] ?? -1] ?? "unavailable";
      return { outcome, body: reply.subarray(1) };
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      const isUnknown = error.code === "no-responders";
      return { outcome: isUnknown ? "unknown" : "unavailable", body: NOTHING };
    }
  }

  async #answer(message: BusMessage, answering: Promise<SessionReply>): Promise<void> {
    const { outcome, body } = await answering;
    // What is too large for the bus is kept, and the client finds its way to the gateway itself.
    const fits = body.byteLength < this.#parts.bus.payloadBytesMax;
    const said = fits ? outcome : "unavailable";
    const head = Uint8Array.of(OUTCOMES.indexOf(said));
    message.respond(Buffer.concat([head, fits ? body : NOTHING]));
  }
}

/** Undefined for what no gateway of this version asks. */
function readQuestion(
  payload: Uint8Array,
): { readonly question: SessionQuestion; readonly frame: Uint8Array } | undefined {
  const end = payload.indexOf(NEWLINE);
  if (end < 0) return undefined;
  let question: Partial<SessionQuestion>;
  try {
    question = JSON.parse(
      Buffer.from(payload.subarray(0, end)).toString("utf8"),
    ) as Partial<SessionQuestion>;
  } catch {
    // The bus is for gateways; what something else writes there is passed over.
    return undefined;
  }
  const frame = payload.subarray(end + 1);
  const numbers = question.kind === "post" ? [question.number] : [];
  if (question.kind === "poll") numbers.push(question.answer, question.waitMs);
  if (numbers.length === 0 || !numbers.every((number) => Number.isSafeInteger(number))) {
    return undefined;
  }
  return { question: question as SessionQuestion, frame };
}
