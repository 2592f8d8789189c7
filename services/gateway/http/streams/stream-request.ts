import { quotedText } from "#core/visible-text.ts";
import { RpcError } from "../../rpc/rpc-error.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import type { HttpRequest } from "../../transport/transport.ts";
import { hasJsonValuesAtMost } from "../json-size.ts";
import { CURSOR_HEADER_LENGTH_MAX, CURSOR_LENGTH_MAX } from "./stream-cursor.ts";

/** One topic or pattern that a stream is to carry. */
export type StreamTopicRequest = {
  readonly topic: string;
  readonly depth: number;
  readonly conflationIntervalMs: number;
  readonly snapshot: boolean;
  readonly resume: TopicPosition | undefined;
};

/** What a client of a text stream asks for. */
export type StreamRequest = {
  readonly topics: readonly StreamTopicRequest[];
  /** As the client has it; undefined for a new start. */
  readonly cursor: string | undefined;
  /**
   * It came with a header, which a browser sends by itself: it could not leave away one that is no
   * good any more.
   */
  readonly isCursorAutomatic: boolean;
  /** For the operator's logs. */
  readonly clientName: string;
  /** Of long polling: how long the answer may wait for news; undefined if the client leaves it. */
  readonly waitMs: number | undefined;
};

type StreamRequestLimits = { readonly subscriptionsMax: number };

const NAME_LENGTH_MAX = 200;
const UINT32_MAX = 0xffff_ffff;
const OPTIONS = ["depth", "conflationIntervalMs", "snapshot"] as const;
const FIELDS: ReadonlySet<string> = new Set([
  "topics",
  ...OPTIONS,
  "cursor",
  "lastEventId",
  "clientName",
  "waitMs",
]);
const TOPIC_FIELDS: ReadonlySet<string> = new Set(["topic", ...OPTIONS, "resume"]);
/** Values of a JSON body: a topic with everything that may be said of it has so many. */
const VALUES_PER_TOPIC = 16;

/**
 * Reads a request for a text stream: the query of a GET, or the JSON body of a POST, which may say
 * of each topic what the query says of all. Throws RpcError that names what is wrong: nothing that
 * is asked for is passed over.
 */
export function readStreamRequest(
  request: HttpRequest,
  limits: StreamRequestLimits,
): StreamRequest {
  const isPost = request.method === "POST";
  const fields = isPost ? readBody(request, limits) : readQuery(request.query);
  for (const name of Object.keys(fields)) {
    if (!FIELDS.has(name)) throw invalid(`there is no parameter ${quote(name)}`);
  }
  const topics = readTopics(fields, limits);
  const header = request.headers.get("last-event-id") ?? "";
  const cursor = header === "" ? cursorOf(fields, isPost) : header;
  const clientName = textOf(fields, "clientName") ?? "";
  if (clientName.length > NAME_LENGTH_MAX) {
    throw invalid(`clientName has more than ${NAME_LENGTH_MAX} characters`);
  }
  const isCursorAutomatic = header !== "";
  return { topics, cursor, isCursorAutomatic, clientName, waitMs: numberOf(fields, "waitMs") };
}

type Fields = Readonly<Record<string, unknown>>;

/** Topics are a list, whether they stand in one parameter or in several. */
function readQuery(query: string): Fields {
  const fields = new Map<string, unknown>();
  const topics: string[] = [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "topics") topics.push(...value.split(",").filter((topic) => topic !== ""));
    else if (fields.has(name)) throw invalid(`the parameter ${quote(name)} is given twice`);
    else fields.set(name, value);
  }
  return Object.fromEntries([...fields, ["topics", topics]]);
}

function readBody(
  { headers, body }: HttpRequest,
  { subscriptionsMax }: StreamRequestLimits,
): Fields {
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/json") {
    throw invalid("the body of a POST is JSON, so its content-type must be application/json");
  }
  if (!hasJsonValuesAtMost(body, (subscriptionsMax + 1) * VALUES_PER_TOPIC)) {
    throw invalid(`the body names more than subscriptionsMax ${subscriptionsMax} topics`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "it is not valid UTF-8";
    throw invalid(`the body is not JSON: ${quotedText(reason)}`);
  }
  return recordOf(value, "the body");
}

function readTopics(fields: Fields, { subscriptionsMax }: StreamRequestLimits) {
  const { topics } = fields;
  if (!Array.isArray(topics) || topics.length === 0) {
    throw invalid("topics must name at least one topic, such as simulated:BTC-USD/trades");
  }
  if (topics.length > subscriptionsMax) {
    throw invalid(`${topics.length} topics are more than subscriptionsMax ${subscriptionsMax}`);
  }
  const common = optionsOf(fields, { depth: 0, conflationIntervalMs: 0, snapshot: true });
  const named = new Map<string, StreamTopicRequest>();
  for (const item of topics as unknown[]) {
    const request = readTopic(item, common);
    const { topic } = request;
    if (named.has(topic)) throw invalid(`the topic ${quote(topic)} is named twice`);
    named.set(topic, request);
  }
  return [...named.values()];
}

type ViewOptions = Pick<StreamTopicRequest, (typeof OPTIONS)[number]>;

function readTopic(item: unknown, common: ViewOptions): StreamTopicRequest {
  if (typeof item === "string") return { topic: wellFormed(item), ...common, resume: undefined };
  const fields = recordOf(item, "an element of topics");
  for (const name of Object.keys(fields)) {
    if (!TOPIC_FIELDS.has(name)) throw invalid(`a topic has no field ${quote(name)}`);
  }
  const topic = textOf(fields, "topic");
  if (topic === undefined) throw invalid("an element of topics has no topic");
  const { resume } = fields;
  return {
    topic: wellFormed(topic),
    ...optionsOf(fields, common),
    resume: resume === undefined ? undefined : positionOf(recordOf(resume, "resume")),
  };
}

function optionsOf(fields: Fields, common: ViewOptions): ViewOptions {
  return {
    depth: numberOf(fields, "depth") ?? common.depth,
    conflationIntervalMs: numberOf(fields, "conflationIntervalMs") ?? common.conflationIntervalMs,
    snapshot: booleanOf(fields, "snapshot") ?? common.snapshot,
  };
}

function positionOf(fields: Fields): TopicPosition {
  const position = { epoch: fields["epoch"], sequence: fields["sequence"] };
  const isPosition = Object.values(position).every(
    (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0,
  );
  if (!isPosition || Object.keys(fields).length !== 2) {
    throw invalid("resume must be an epoch and a sequence, as the stream told them");
  }
  return position as TopicPosition;
}

/** Where there is no header, which counts most: it is newer than the address that it comes with. */
function cursorOf(fields: Fields, isPost: boolean): string | undefined {
  const cursor = textOf(fields, "lastEventId") ?? textOf(fields, "cursor");
  const lengthMax = isPost ? CURSOR_LENGTH_MAX : CURSOR_HEADER_LENGTH_MAX;
  if (cursor !== undefined && cursor.length > lengthMax) {
    throw invalid(`the cursor has ${cursor.length} characters, more than ${lengthMax}`);
  }
  return cursor === "" ? undefined : cursor;
}

function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (
    typeof number !== "number" ||
    !Number.isInteger(number) ||
    number < 0 ||
    number > UINT32_MAX
  ) {
    throw invalid(`${name} must be a whole number that is not negative`);
  }
  return number;
}

function booleanOf(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  throw invalid(`${name} must be true or false`);
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${name} must be a text`);
}

function wellFormed(topic: string): string {
  if (/\p{Cs}/u.test(topic)) throw invalid(`the topic ${quote(topic)} is not well-formed text`);
  return topic;
}

function recordOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(`${what} must be a JSON object`);
  }
  return value as Fields;
}

function quote(text: string): string {
  return `"${quotedText(text)}"`;
}

function invalid(message: string): RpcError {
  return new RpcError("invalid_argument", message);
}
