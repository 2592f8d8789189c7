import { isChannel, isSymbol, isVenueId, type Topic } from "#core/topic.ts";
import { BusError } from "./bus.ts";

/** What ingestors announce themselves on matches this: each venue has a subject of its own. */
export const ANNOUNCE_PATTERN = "ct.v2.announce.*";

/** Anything published here makes every ingestor announce itself. */
export const DISCOVER_SUBJECT = "ct.v2.discover";

/** The events of every topic are published on subjects that match this. */
export const EVENT_PATTERN = "md.v2.>";
/** Gateways tell each other here which keys and tokens are not valid any more. */
export const REVOCATIONS_SUBJECT = "ac.v1.revoked";

/** Anything published here makes every gateway repeat the revocations that it remembers. */
export const REVOCATIONS_ASKED_SUBJECT = "ac.v1.ask";

/** Longest subject and pattern, in characters. NATS allows 4,096 for the whole control line. */
export const SUBJECT_LENGTH_MAX = 3_000;

/**
 * Who is asked. A venue may have several publishers, and each answers for itself alone: what one
 * says of a topic means nothing to whoever follows another.
 */
export type QueryAddress = { readonly venue: string; readonly publisherId: string };

/** What a publisher can be asked about its venue. `ping` is answered by whoever is there. */
export type Query = QueryAddress &
  (
    | {
        readonly query: "snapshot" | "history";
        readonly channel: Topic["channel"];
        readonly symbol: string;
      }
    | { readonly query: "trades" | "candles"; readonly symbol: string }
    | { readonly query: "statuses" | "catalog" | "positions" | "ping" }
  );

const PLAIN_TOKEN = /^[A-Za-z0-9_-]+$/;
const PUBLISHER_ID = /^[A-Za-z0-9_-]{1,100}$/;
const ESCAPED_TOKEN = /^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$/;
const SUBJECT = /^[!-)+-=?-~]+$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The subject that a topic's events are published on. Throws BusError (`invalid-subject`) for an
 * empty part.
 */
export function eventSubject(topic: Topic): string {
  const { venue, channel, symbol } = topic;
  return `md.v2.${escapeToken(venue)}.${escapeToken(channel)}.${escapeToken(symbol)}`;
}

/**
 * The pattern that the events of one venue match. Throws BusError (`invalid-subject`) for an empty
 * id.
 */
export function venueEventPattern(venue: string): string {
  return `md.v2.${escapeToken(venue)}.>`;
}

/**
 * The topic of an event subject; undefined for anything that `eventSubject` does not make of a
 * venue's id and a symbol by the rules of topics.
 */
export function parseEventSubject(subject: string): Topic | undefined {
  const [head, version, venueToken = "", channelToken = "", symbolToken = "", rest] =
    subject.split(".");
  if (head !== "md" || version !== "v2" || rest !== undefined) return undefined;
  const venue = unescapeToken(venueToken);
  const channel = unescapeToken(channelToken);
  const symbol = unescapeToken(symbolToken);
  if (venue === undefined || channel === undefined || symbol === undefined) return undefined;
  if (!isVenueId(venue) || !isChannel(channel) || !isSymbol(symbol)) return undefined;
  return { venue, channel, symbol };
}

/**
 * Where the ingestor of a venue announces itself, so that a server's permissions can say who may.
 * Throws BusError (`invalid-subject`) for an empty id.
 */
export function announceSubject(venue: string): string {
  return `ct.v2.announce.${escapeToken(venue)}`;
}

/**
 * Where those who publish a venue, or would, tell each other who does. Throws BusError
 * (`invalid-subject`) for an empty id.
 */
export function leadershipSubject(venue: string): string {
  return `ct.v2.lead.${escapeToken(venue)}`;
}

/** What everybody who publishes a venue, or would, tells the others on matches this. */
export const LEADERSHIP_PATTERN = "ct.v2.lead.*";

/** The pattern of all events of a venue. */
export function eventPattern(venue: string): string {
  return `md.v2.${escapeToken(venue)}.>`;
}

/** The subject of a bus request. Throws BusError (`invalid-subject`) for an empty part. */
export function querySubject(query: Query): string {
  const head = `${queryHead(query)}.${query.query}`;
  switch (query.query) {
    case "snapshot":
    case "history":
      return `${head}.${escapeToken(query.channel)}.${escapeToken(query.symbol)}`;
    case "trades":
    case "candles":
      return `${head}.${escapeToken(query.symbol)}`;
    case "statuses":
    case "catalog":
    case "positions":
    case "ping":
      return head;
  }
}

/** The pattern that all queries to one publisher about one venue match. */
export function queryPattern(address: QueryAddress): string {
  return `${queryHead(address)}.>`;
}

/** The pattern of the snapshot queries to every publisher. */
export const SNAPSHOT_QUERIES = "rq.v2.*.*.snapshot.>";

/**
 * Where a gateway answers for a session that HTTP carries, whichever gateway its client reaches.
 * Throws BusError (`invalid-subject`) for an empty name.
 */
export function sessionSubject(token: string): string {
  return `hs.v2.${escapeToken(token)}`;
}

/** Whether the text may name a publisher: letters, digits, `_` and `-`, at most 100. */
export function isPublisherId(text: string): boolean {
  return PUBLISHER_ID.test(text);
}

function queryHead({ venue, publisherId }: QueryAddress): string {
  return `rq.v2.${escapeToken(venue)}.${escapeToken(publisherId)}`;
}

/**
 * The query of a subject; undefined for anything that `querySubject` does not make of a venue's id,
 * a publisher's, and a symbol by the rules of topics.
 */
export function parseQuerySubject(subject: string): Query | undefined {
  const [head, version, venueToken = "", publisherId = "", query, ...parts] = subject.split(".");
  const venue = unescapeToken(venueToken);
  if (head !== "rq" || version !== "v2" || venue === undefined) return undefined;
  if (!isVenueId(venue) || !isPublisherId(publisherId)) return undefined;
  const address = { venue, publisherId };
  const [first = "", second = ""] = parts.map((part) => unescapeToken(part));
  switch (query) {
    case "snapshot":
    case "history":
      if (parts.length !== 2 || !isChannel(first) || !isSymbol(second)) return undefined;
      return { ...address, query, channel: first, symbol: second };
    case "trades":
    case "candles":
      return parts.length === 1 && isSymbol(first)
        ? { ...address, query, symbol: first }
        : undefined;
    case "statuses":
    case "catalog":
    case "positions":
    case "ping":
      return parts.length === 0 ? { ...address, query } : undefined;
    case undefined:
    default:
      return undefined;
  }
}

/**
 * One subject token for any text: characters outside [A-Za-z0-9_-] become =HH of their UTF-8 bytes.
 * Different texts give different tokens. Throws BusError (`invalid-subject`) if the text is empty
 * or not well-formed.
 */
export function escapeToken(text: string): string {
  if (PLAIN_TOKEN.test(text)) return text;
  if (text === "") throw new BusError("invalid-subject", "a subject token cannot be empty");
  if (/\p{Cs}/u.test(text)) {
    throw new BusError("invalid-subject", "a subject token cannot hold half a surrogate pair");
  }
  let token = "";
  for (const byte of encoder.encode(text)) {
    const character = String.fromCharCode(byte);
    token += PLAIN_TOKEN.test(character)
      ? character
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return token;
}

/** The text of a token; undefined for anything that `escapeToken` does not make. */
export function unescapeToken(token: string): string | undefined {
  if (PLAIN_TOKEN.test(token)) return token;
  if (!ESCAPED_TOKEN.test(token)) return undefined;
  const bytes: number[] = [];
  for (let index = 0; index < token.length; index++) {
    if (token[index] === "=") {
      bytes.push(Number.parseInt(token.slice(index + 1, index + 3), 16));
      index += 2;
    } else {
      bytes.push(token.charCodeAt(index));
    }
  }
  let text: string;
  try {
    text = decoder.decode(Uint8Array.from(bytes));
  } catch {
    // The bytes are not UTF-8, so `escapeToken` did not make this token.
    return undefined;
  }
  // "=41" would be a second way to write "A".
  return escapeToken(text) === token ? text : undefined;
}

/** True for what may be published on: non-empty tokens of visible ASCII without "*" and ">". */
export function isSubject(subject: string): boolean {
  return (
    subject.length <= SUBJECT_LENGTH_MAX &&
    SUBJECT.test(subject) &&
    !subject.startsWith(".") &&
    !subject.endsWith(".") &&
    !subject.includes("..")
  );
}

/**
 * True for what may be subscribed: a subject in which tokens may be "*" and the last may be ">".
 */
export function isSubjectPattern(pattern: string): boolean {
  if (pattern.length > SUBJECT_LENGTH_MAX) return false;
  const tokens = pattern.split(".");
  return tokens.every((token, index) => {
    if (token === "*") return true;
    if (token === ">") return index === tokens.length - 1;
    return SUBJECT.test(token);
  });
}

/** True if any token of the pattern is a wildcard. */
export function hasWildcard(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes(">");
}

/** True if a subject belongs to a pattern, given as tokens. */
export function matchesTokens(pattern: readonly string[], subject: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const token = pattern[index];
    if (token === ">") return subject.length > index;
    if (index >= subject.length || (token !== "*" && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
