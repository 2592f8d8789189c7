import { EVENT_TABLE } from "../gen/events.ts";
import type { Channel, ChannelList, ChannelOfType, RowsOfChannel } from "../gen/events.ts";

/**
 * How a field travels, in one letter: `d` exact decimal text, `i` integer, `b` boolean, `t` text,
 * `e` one word of a list.
 */
type FieldLetter = "d" | "i" | "b" | "t" | "e";

/** One field of an event. */
export type EventField = {
  /** As rows have it. */
  readonly name: string;
  readonly letter: FieldLetter;
  /** Number of its column in a Batch; 0 if it has none of its own. */
  readonly column: number;
};

/** What there is to know of the events of one channel. */
export type EventKind = {
  /** Number of the schema's Channel. */
  readonly number: number;
  /** Number of the field of a Batch that has an element for each event; 0 if there is none. */
  readonly elements: number;
  readonly channel: Channel;
  /** The kind of its batches. */
  readonly rows: RowsOfChannel[Channel];
  /** The type of its events. */
  readonly type: keyof ChannelOfType;
  /** In order of their bits; of books none. */
  readonly fields: readonly EventField[];
};

/** Every channel's, in the order of CHANNELS. */
export const EVENT_KINDS: readonly EventKind[] = /* @__PURE__ */ parseTable(EVENT_TABLE);

/** Every channel. */
export const CHANNELS: ChannelList = /* @__PURE__ */ EVENT_KINDS.map(
  ({ channel }) => channel,
) as readonly Channel[] as ChannelList;

function parseTable(table: string): EventKind[] {
  return table.split("\n").map((line, index) => {
    const [elements, channel, rows, type, ...fields] = line.split(" ");
    return {
      number: index + 1,
      elements: Number(elements),
      channel,
      rows,
      type,
      fields: fields.map((field) => {
        const [name = "", how = ""] = field.split(":");
        return { name, letter: how.charAt(0) as FieldLetter, column: Number(how.slice(1)) };
      }),
    } as EventKind;
  });
}
