import { crc32 } from "@tickwire/proto/model";
import type { TopicPosition } from "../../topics/batch-order.ts";

/** Where a client of a text stream stands. */
export type StreamCursor = {
  readonly positions: ReadonlyMap<string, TopicPosition>;
  /** Of long polling: the session, and the number of the last answer that the client has. */
  readonly session: { readonly token: string; readonly answer: number } | undefined;
};

/** Longest cursor that a client may send back in a header or an address: all of them hold 4 KiB. */
export const CURSOR_HEADER_LENGTH_MAX = 2_048;
/** Longest cursor that a client may send back in a body. */
export const CURSOR_LENGTH_MAX = 256 * 1_024;

const VERSION = "1";
const NUMBER = /^[0-9a-z]{1,11}$/;
const TOKEN = /^[\w-]{1,64}$/;

/**
 * Writes the cursors of one client: texts without characters that headers and addresses mind. They
 * say the version, a checksum of the topics that are asked for, epochs, and for each topic its
 * number in the request (or its name, if a pattern brought it), the number of its epoch and its
 * sequence; then session and answer, if there is one. Numbers are in base 36.
 */
export class CursorWriter {
  readonly #head: string;
  readonly #indices: ReadonlyMap<string, number>;
  readonly #epochs = new Map<number, number>();
  readonly #entries = new Map<
    string,
    { readonly position: TopicPosition; readonly text: string }
  >();

  /** `topics` is what the request names; a cursor is read again only together with the same. */
  constructor(topics: readonly string[]) {
    this.#head = `${VERSION}:${checksumOf(topics)}`;
    this.#indices = new Map(topics.map((topic, index) => [topic, index]));
  }

  /** What is written is kept, so that the next cursor costs only what has changed. */
  write(positions: Iterable<readonly [string, TopicPosition]>, session?: StreamCursor["session"]) {
    const texts: string[] = [];
    for (const [topic, position] of positions) {
      let entry = this.#entries.get(topic);
      if (entry?.position !== position) {
        entry = { position, text: this.#entryText(topic, position) };
        this.#entries.set(topic, entry);
      }
      texts.push(entry.text);
    }
    const epochs = [...this.#epochs.keys()].map((epoch) => epoch.toString(36)).join(",");
    const end = session === undefined ? "" : `:${session.token};${session.answer.toString(36)}`;
    return `${this.#head}:${epochs}:${texts.join(",")}${end}`;
  }

  #entryText(topic: string, { epoch, sequence }: TopicPosition): string {
    let number = this.#epochs.get(epoch);
    if (number === undefined) {
      number = this.#epochs.size;
      this.#epochs.set(epoch, number);
    }
    const index = this.#indices.get(topic);
    const key = index === undefined ? `-${encodeURIComponent(topic)}` : index.toString(36);
    return `${key};${number.toString(36)};${sequence.toString(36)}`;
  }
}

/** A cursor that can be read, or why it cannot. */
type CursorReading =
  | { readonly kind: "cursor"; readonly cursor: StreamCursor }
  | { readonly kind: "fault"; readonly message: string };

/** Reads what a CursorWriter has made for the same topics. Any text may come. */
export function readCursor(text: string, topics: readonly string[]): CursorReading {
  if (text.length > CURSOR_LENGTH_MAX) {
    return fault(`it has ${text.length} characters, more than ${CURSOR_LENGTH_MAX}`);
  }
  const [version, checksum, epochTexts = "", entryTexts = "", sessionText, rest] = text.split(":");
  if (version !== VERSION) return fault("it is of no version that this gateway reads");
  if (checksum !== checksumOf(topics)) return fault("it belongs to other topics");
  const epochs = listOf(epochTexts).map(readNumber);
  const positions = new Map<string, TopicPosition>();
  for (const entry of listOf(entryTexts)) {
    const [key = "", number = "", sequenceText = "", more] = entry.split(";");
    const topic = topicOf(key, topics);
    const epoch = epochs[readNumber(number) ?? -1];
    const sequence = readNumber(sequenceText);
    if (
      topic === undefined ||
      epoch === undefined ||
      sequence === undefined ||
      more !== undefined
    ) {
      return fault("it is damaged");
    }
    positions.set(topic, { epoch, sequence });
  }
  if (rest !== undefined) return fault("it is damaged");
  if (sessionText === undefined)
    return { kind: "cursor", cursor: { positions, session: undefined } };
  const [token = "", answerText = "", more] = sessionText.split(";");
  const answer = readNumber(answerText);
  if (!TOKEN.test(token) || answer === undefined || more !== undefined)
    return fault("it is damaged");
  return { kind: "cursor", cursor: { positions, session: { token, answer } } };
}

function fault(message: string): CursorReading {
  return { kind: "fault", message };
}

function listOf(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

function readNumber(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined;
  const number = Number.parseInt(text, 36);
  return Number.isSafeInteger(number) ? number : undefined;
}

function topicOf(key: string, topics: readonly string[]): string | undefined {
  if (!key.startsWith("-")) return topics[readNumber(key) ?? -1];
  try {
    return decodeURIComponent(key.slice(1));
  } catch {
    // Not what `encodeURIComponent` makes.
    return undefined;
  }
}

function checksumOf(topics: readonly string[]): string {
  return crc32(encodeURIComponent(topics.join("\n"))).toString(36);
}
