// A recording that is played again and again in the life of one process, as if the venue had gone
// on: times and ids of trades continue where the play before ended, so that nothing is late or
// comes twice. Everything else is as it was: each play begins with new connections and new books.
import { gunzipSync, gzipSync } from "node:zlib";

/** Between two plays, so that the connections of the first are over. */
const PAUSE_US = 60_000_000;
/** How far a number may be from the recording's time to be one. */
const TIME_RANGE_US = 86_400_000_000;
/** More than any recording has trades of one instrument. */
const IDS_PER_PLAY = 10_000_000;
/** Ids of so many digits are times in tenths of a microsecond. */
const TIMELIKE_ID_DIGITS = 17;

/** What is compressed again takes as long to undo, however well it was done. */
const QUICKLY = { level: 1 };

const ISO_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/g;
// The id of a trade has a name, or is the first of a list where the trade's time follows it, or
// counts in the last part of a UUID.
const ID_NAME = '"(?:trade_id|tradeId|sequential_id|tid|id|a|d|t)":"?';
const LIST_BEGIN = String.raw`\[(?=\d+,\d{13},)`;
const UUID_BEGIN = String.raw`\b[\da-f]{8}(?:-[\da-f]{4}){3}-`;
// A checksum may look like a time.
const CHECKSUM_NAME = '"(?:c|checksum)":"?';
const NAME = [ID_NAME, LIST_BEGIN, UUID_BEGIN, CHECKSUM_NAME].join("|");
const NUMBER = new RegExp(String.raw`(?:${NAME})?(?<![\d.])\d{6,32}(?!\d)`, "g");
const CHECKSUM = new RegExp(`^${CHECKSUM_NAME}`);
// The id that a venue has given a book is what its changes go on from, and these stay as they were.
const BOOK = /"asks":/;

/** What goes on in a line, by line. */
const known = new WeakMap();

/** Lines of a recording for a later play, and what ends the connections of the play before. */
export function playedOn(lines, play, isList) {
  if (play === 0) return lines;
  const first = lines[0].atUs;
  const last = Math.max(...lines.map(({ atUs }) => atUs));
  const spanUs = Math.ceil((last - first + PAUSE_US) / 1_000_000) * 1_000_000;
  const shift = {
    play,
    byUs: play * spanUs,
    fromUs: first - TIME_RANGE_US,
    toUs: last + TIME_RANGE_US,
  };
  const connections = new Set(lines.map(({ connection }) => connection));
  connections.delete(undefined);
  const endedUs = last + shift.byUs - spanUs + 1;
  const ends = [...connections].map((connection) => {
    return { kind: "close", atUs: endedUs, connection, code: 1000 };
  });
  // What is listed is known by then.
  const again = lines.filter((line) => line.kind !== "http" || !isList(line.url));
  return [...ends, ...again.map((line) => moved(line, shift))];
}

function moved(line, shift) {
  const later = { ...line, atUs: line.atUs + shift.byUs };
  const { frame, body } = slotsOf(line, shift);
  if (frame !== undefined) {
    const text = filled(frame, shift);
    later.frame = isCompressed(line.frame) ? gzipSync(text, QUICKLY) : text;
  }
  if (body !== undefined) later.body = filled(body, shift);
  return later;
}

function isCompressed(frame) {
  return frame !== undefined && frame[0] === 0x1f && frame[1] === 0x8b;
}

/** What goes on in a line that is played again and again is looked for once. */
function slotsOf(line, shift) {
  let slots = known.get(line);
  if (slots === undefined) {
    const { frame, body } = line;
    const text = isCompressed(frame) ? gunzipSync(frame).toString() : frame;
    slots = {
      frame: typeof text === "string" ? slotted(text, shift) : undefined,
      body: typeof body === "string" ? slotted(body, shift) : undefined,
    };
    known.set(line, slots);
  }
  return slots;
}

/** The numbers of a text that go on, in order: how each does, and the text that is before it. */
function slotted(text, shift) {
  const found = [...timesOf(text, shift), ...numbersOf(text, shift)];
  let end = 0;
  const slots = found
    .toSorted((one, other) => one.at - other.at)
    .map(({ at, length, later }) => {
      const before = text.slice(end, at);
      end = at + length;
      return { before, later };
    });
  return { slots, rest: text.slice(end) };
}

/** In one piece: it is not for whoever is measured to put texts together. */
function filled({ slots, rest }, shift) {
  const parts = [];
  for (const { before, later } of slots) parts.push(before, later(shift));
  return parts.concat(rest).join("");
}

function timesOf(text, shift) {
  return [...text.matchAll(ISO_TIME)].flatMap(({ 0: iso, index: at }) => {
    const timeMs = Date.parse(`${iso}Z`);
    if (!isTime(timeMs * 1_000, shift)) return [];
    const later = ({ byUs }) => new Date(timeMs + byUs / 1_000).toISOString().slice(0, 19);
    return [{ at, length: iso.length, later }];
  });
}

function numbersOf(text, shift) {
  const isBook = BOOK.test(text);
  return [...text.matchAll(NUMBER)].flatMap(({ 0: match, index }) => {
    if (CHECKSUM.test(match)) return [];
    const digits = /\d+$/.exec(match)[0];
    const { length } = digits;
    const at = index + match.length - length;
    const number = BigInt(digits);
    const isExact = length >= 10 && length % 3 === 1;
    if (isExact && isTime(Number(digits) * 10 ** (16 - length), shift)) {
      // Plays are whole seconds apart.
      const second = BigInt(10 ** (length - 10));
      const later = ({ byUs }) => String(number + BigInt(byUs / 1e6) * second);
      return [{ at, length, later }];
    }
    if (match === digits || isBook) return [];
    const isTimelike = length === TIMELIKE_ID_DIGITS;
    const later = ({ byUs, play }) => {
      const by = isTimelike ? 10 * byUs : play * IDS_PER_PLAY;
      return String(number + BigInt(by)).padStart(length, "0");
    };
    return [{ at, length, later }];
  });
}

function isTime(timeUs, { fromUs, toUs }) {
  return timeUs >= fromUs && timeUs <= toUs;
}
