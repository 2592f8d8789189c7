// The vocabulary of events: for each channel the fields of its events, how they travel, and their
// types, all read from the message that the schema has for the channel.
import { docComment } from "./schema.mjs";

/** What a message says besides the fields of its event, which has these by itself. */
const HEAD_FIELDS = new Set(["sequence", "venue_time_us", "received_time_us"]);

/** Bits of `changes` and of `Base.absent`, which have one for each field of a channel. */
const CHANGE_BITS_MAX = 30;

/**
 * The codec of these is written by hand, for speed or because they are no list of fields; what is
 * generated of them is their types, so that a field which the codec leaves out does not compile.
 */
const SHAPES = { Trade: "own-scales", Quote: "shared-scales", Book: "levels" };

/** The channels in order of their numbers, each with its message and the fields of its events. */
function eventKinds(schema) {
  const messages = new Map(schema.messages.map((message) => [message.name, message]));
  const channels = schema.enums.find(({ fullName }) => fullName === "tickwire.v1.Channel");
  const batch = messages.get("Batch");
  return channels.values
    .filter(({ number }) => number !== 0)
    .sort((a, b) => a.number - b.number)
    .map(({ name, number }, index) => {
      if (number !== index + 1) throw new Error(`${name}: channels are numbered from 1 on`);
      const word = name.slice("CHANNEL_".length);
      const message = messageOf(messages, pascalCase(word));
      const event = message.name.replace(/^Topic/, "");
      const fields = message.fields.filter(({ protoName }) => !HEAD_FIELDS.has(protoName));
      const elements = batch.fields.find(({ type }) => type === message.name);
      return {
        channel: kebabCase(word),
        number,
        message,
        event,
        type: kebabCase(snakeCase(event)),
        rows: plural(event[0].toLowerCase() + event.slice(1)),
        shape: SHAPES[message.name] ?? (elements === undefined ? "columns" : "elements"),
        elementsField: elements?.number ?? 0,
        fields: fields.map((field) => ({ ...field, letter: letterOf(field, message) })),
      };
    });
}

/** `Candle` for CANDLES, `OpenInterest` for OPEN_INTEREST, `TopicStatus` for STATUS. */
function messageOf(messages, name) {
  for (const candidate of [name, name.replace(/s$/, ""), `Topic${name}`]) {
    if (messages.has(candidate)) return messages.get(candidate);
  }
  throw new Error(`the schema has no message for the channel of ${name}`);
}

/** How a field travels, in one letter; the list is in model/vocabulary.ts. */
function letterOf({ kind, protoName, repeated }, message) {
  if (repeated || kind === "message") return "l";
  // A text is an exact decimal, except for what is an identifier or a word.
  if (kind === "string") return /(^|_)(id|reason|symbol|asset|word)$/.test(protoName) ? "t" : "d";
  if (kind === "integer64" || kind === "integer32") return "i";
  if (kind === "bool") return "b";
  if (kind === "enum") return "e";
  throw new Error(`${message.name}.${protoName}: events have no fields of kind ${kind}`);
}

/** The columns that the channels need, those that Batch lacks among them with the number 0. */
function columnsOf(schema) {
  const batch = schema.messages.find(({ fullName }) => fullName === "tickwire.v1.Batch");
  const numbers = new Map(batch.fields.map(({ protoName, number }) => [protoName, number]));
  const hasColumns = ({ shape }) => shape === "columns" || shape === "shared-scales";
  return eventKinds(schema)
    .filter(hasColumns)
    .flatMap(({ event, rows, fields }) => {
      if (fields.length > CHANGE_BITS_MAX) {
        throw new Error(`${event} has ${fields.length} fields, more than ${CHANGE_BITS_MAX}`);
      }
      return fields.map(({ protoName }) => {
        const names = [
          pluralOf(protoName),
          pluralOf(`${protoName}_price`),
          pluralOf(`${snakeCase(event)}_${protoName}`),
          protoName,
        ];
        const column = names.find((name) => numbers.has(name)) ?? names[0];
        return { event, rows, protoName, column, number: numbers.get(column) ?? 0 };
      });
    });
}

/** `quote_volumes`; a unit stays at the end, as in `intervals_ms`. */
function pluralOf(protoName) {
  const [, name, unit] = /^(.*?)((?:_ms|_us)?)$/.exec(protoName);
  return plural(name) + unit;
}

function plural(word) {
  return word.endsWith("s") ? `${word}es` : `${word}s`;
}

function snakeCase(name) {
  return name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase();
}

function kebabCase(name) {
  return name.toLowerCase().replaceAll("_", "-");
}

function pascalCase(name) {
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
}

export function generateEvents(schema) {
  const columns = columnsOf(schema);
  const missing = columns.find(({ number }) => number === 0);
  if (missing !== undefined) throw new Error(`Batch has no column ${missing.column}`);
  const kinds = eventKinds(schema);
  return [
    'import type { Mantissa } from "../model/decimal.ts";',
    "",
    table(kinds, columns),
    lists(kinds),
    words(schema, kinds),
    ROW_TIMES,
    ...kinds.filter(({ shape }) => shape !== "levels").map(rowType),
    rowMap(kinds),
    ...kinds.filter(({ shape }) => shape !== "levels").map(valuesType),
  ].join("\n");
}

function table(kinds, columns) {
  const lines = kinds.map(({ channel, rows, type, shape, elementsField, fields }) => {
    const texts = fields.map(({ name, protoName, letter }) => {
      const column = columns.find((each) => each.rows === rows && each.protoName === protoName);
      return `${name}:${letter}${column === undefined ? "" : column.number}`;
    });
    const own = shape === "levels" ? [] : texts;
    return [elementsField, channel, rows, type, ...own].join(" ");
  });
  return `/** As model/vocabulary.ts reads it: a text, because that is the smallest form in a web page. */
export const EVENT_TABLE: string = \`${lines.join("\n")}\`;
`;
}

function lists(kinds) {
  const tuple = (values) => `readonly [\n${values.map((value) => `  "${value}",`).join("\n")}\n]`;
  const map = kinds.map(({ type, channel }) => `  readonly "${type}": "${channel}";`);
  const rows = kinds.map(({ channel, rows: kind }) => `  readonly "${channel}": "${kind}";`);
  return `/** The channels, in order. */
export type ChannelList = ${tuple(kinds.map(({ channel }) => channel))};

/** What can be streamed about an instrument; the last part of a topic. */
export type Channel = ChannelList[number];

/** The channel of each type of event. */
export type ChannelOfType = {
${map.join("\n")}
};

/** The kind of the batches of each channel. */
export type RowsOfChannel = {
${rows.join("\n")}
};
`;
}

/** The enums of the events, in words: \`buyer\` for AGGRESSOR_SIDE_BUYER. */
function words(schema, kinds) {
  const used = new Set(
    kinds
      .flatMap(({ fields }) => fields.filter(({ kind }) => kind === "enum"))
      .map(({ type }) => type),
  );
  used.delete("Channel");
  return schema.enums
    .filter(({ name }) => used.has(name))
    .map(({ name, comment, values }) => {
      const prefix = `${snakeCase(name).toUpperCase()}_`;
      const list = values
        .map((value) => value.name.slice(prefix.length))
        .filter((word) => word !== "UNSPECIFIED")
        .map((word) => `"${kebabCase(word)}"`);
      return `${docComment(comment)}export type ${name} = ${list.join(" | ")};\n`;
    })
    .join("\n");
}

const ROW_TIMES = `/** Event times of a row; every row type below has them. Microseconds since 1970. */
export type RowTimes = {
  /** When the venue says it happened; undefined if it says nothing, never filled in. */
  readonly venueTimeUs: number | undefined;
  /** Our clock when the frame arrived. */
  readonly receivedTimeUs: number;
};
`;

const SHARED_SCALES = [
  ["priceScale", "Decimals of the prices."],
  ["sizeScale", "Decimals of the sizes."],
];

/** What the decoder and the venues hand on. */
function rowType({ event, shape, message, fields }) {
  const isHot = shape === "own-scales" || shape === "shared-scales";
  const lines = fields.flatMap((field) =>
    isHot && field.letter === "d"
      ? exactNumber(field, shape)
      : [property(field.name, rowTypeOf(field), field.comment, field.optional)],
  );
  return typeText(`${event}Row`, message.comment, "RowTimes & ", [...scales(shape), ...lines]);
}

/** What an event of a client and the answer to a call say of it. */
function valuesType({ event, shape, message, fields }) {
  const isHot = shape === "own-scales" || shape === "shared-scales";
  const lines = fields.flatMap((field) => {
    const { name, letter, comment, optional } = field;
    if (letter !== "d") {
      // An id is a text that may be empty, and then says nothing.
      const isAbsent = optional || (letter === "t" && field.protoName.endsWith("_id"));
      return [property(name, typeOf(field) + (isAbsent ? " | undefined" : ""), comment)];
    }
    const or = optional ? " | undefined" : "";
    return [
      property(name, `number${or}`, sentences(comment, "This is the nearest double.")),
      property(`${name}Text`, `string${or}`, "The same number as exact plain decimal text."),
      ...(isHot ? exactNumber(field, shape) : []),
    ];
  });
  return typeText(`${event}Fields`, message.comment, "", [...scales(shape), ...lines]);
}

function scales(shape) {
  if (shape !== "shared-scales") return [];
  return SHARED_SCALES.map(([name, comment]) => property(name, "number", comment));
}

/** The mantissa of a decimal, and its scale where it does not share one with its like. */
function exactNumber({ name, protoName }, shape) {
  const own = shape === "own-scales";
  const scale = own ? `${name}Scale` : protoName.endsWith("price") ? "priceScale" : "sizeScale";
  const comment = `The number without its point: ${name}Mantissa / 10^${scale}, exactly.`;
  const mantissa = property(`${name}Mantissa`, "Mantissa", comment);
  return own ? [mantissa, property(scale, "number", "Decimals of it.")] : [mantissa];
}

function typeText(name, comment, base, lines) {
  return `${docComment(comment)}export type ${name} = ${base}{\n${lines.join("\n")}\n};\n`;
}

function property(name, type, comment, optional = false) {
  const text = optional ? `${name}?: ${type} | undefined` : `${name}: ${type}`;
  return `${docComment(comment, "  ")}  readonly ${text};`;
}

function typeOf({ letter, type }) {
  return { d: "string", t: "string", i: "number", b: "boolean", e: type }[letter];
}

/** A channel that a newer schema has is the empty text in a row. */
function rowTypeOf(field) {
  return field.type === "Channel" ? "string" : typeOf(field);
}

function sentences(...texts) {
  const whole = texts.filter(Boolean).map((text) => (/[.?!]$/.test(text) ? text : `${text}.`));
  return whole.join(" ");
}

/** The rows of each kind of batch, but for books, which are no list of fields. */
function rowMap(kinds) {
  const lines = kinds
    .filter(({ shape }) => shape !== "levels")
    .map(({ rows, event }) => `  readonly ${rows}: ${event}Row;`);
  return `/** The rows of each kind of batch, but for books, whose levels are no fields. */
export type GeneratedRows = {\n${lines.join("\n")}\n};\n`;
}

/** What a field looks like on the wire, in one digit; the list is in codec/batch/field-scan.ts. */
function shapeOf({ kind, repeated }) {
  if (kind === "string") return 4;
  const isMessage = kind === "message" || kind === "raw";
  if (repeated) return isMessage ? 4 : 2;
  return isMessage ? 3 : 1;
}

/** Field numbers and shapes of a message that is read by code of its own. */
export function generateFieldNumbers(schema, name) {
  const { fields, fullName } = schema.messages.find((message) => message.name === name);
  const last = Math.max(...fields.map(({ number }) => number));
  const shapes = Array.from({ length: last + 1 }, (_, number) => {
    const field = fields.find((each) => each.number === number);
    return field === undefined ? 0 : shapeOf(field);
  });
  return `// Field numbers of \`${fullName}\`. Import them as a namespace.
${fields.map(({ protoName, number }) => `export const ${pascalCase(protoName)} = ${number};`).join("\n")}

/** Character i is the shape of field i. */
export const SHAPES = "${shapes.join("")}";
`;
}

/**
 * The text of batch.proto with a column for each field of an event that has none; undefined if
 * there is no such field. A number that was given stays.
 */
export function withMissingColumns(schema, batchProto) {
  const missing = columnsOf(schema).filter(({ number }) => number === 0);
  if (missing.length === 0) return undefined;
  const lines = batchProto.split("\n");
  const end = lines.indexOf("message Base {");
  const last = lines.slice(0, end).findLastIndex((line) => /^ {2}repeated sint64 /.test(line));
  if (last < 0) throw new Error("batch.proto has no column to put others behind");
  const used = new Set([...batchProto.matchAll(/= (\d+);|reserved ([^;]*);/g)].flatMap(numbersOf));
  let number = Number(/= (\d+);/.exec(lines[last])[1]);
  const added = new Map();
  for (const { event, column } of missing) {
    if (added.has(column)) continue;
    do number += 1;
    while (used.has(number));
    added.set(column, [
      `  // Of ${plural(event.toLowerCase())}.`,
      `  repeated sint64 ${column} = ${number};`,
    ]);
  }
  lines.splice(last + 1, 0, ...[...added.values()].flat());
  return lines.join("\n");
}

function numbersOf([, number, reserved]) {
  if (number !== undefined) return [Number(number)];
  return [...reserved.matchAll(/(\d+)(?: to (\d+))?/g)].flatMap(([, from, to = from]) =>
    Array.from({ length: to - from + 1 }, (_, index) => Number(from) + index),
  );
}
