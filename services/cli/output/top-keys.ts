import { TOP_TABLES } from "./top-screen.ts";
import type { TopChoice } from "./top-screen.ts";

const SESSION_SORTS = ["lag", "owed", "topics", "opened"] as const;
const TOPIC_SORTS = ["rate", "sessions", "bytes", "followed"] as const;

/** A longer filter matches nothing. */
const FILTER_LENGTH_MAX = 300;

/** What the keys of `tickwire top` have led to. */
export type TopInput = {
  readonly sessionSort: (typeof SESSION_SORTS)[number];
  readonly topicSort: (typeof TOPIC_SORTS)[number];
  readonly table: TopChoice["table"];
  readonly filter: string;
  /** The filter that is being typed; undefined while none is. */
  readonly typing: string | undefined;
  /** Nothing is read anew. */
  readonly stopped: boolean;
};

/** What the command does after a key, besides showing what was chosen. */
type TopAction = "quit" | "read" | "show";

/** Before the first key. */
export const TOP_INPUT: TopInput = {
  sessionSort: SESSION_SORTS[0],
  topicSort: TOPIC_SORTS[0],
  table: "all",
  filter: "",
  typing: undefined,
  stopped: false,
};

/**
 * The keys in what a terminal sent: what is typed ahead or pasted comes as one piece. A key such as
 * an arrow is a sequence of characters that begins with an escape.
 */
export function splitKeys(sent: string): string[] {
  // oxlint-disable-next-line no-control-regex -- it is what such keys begin with
  return sent.match(/\u001b(?:\[[0-9;?]*[A-Za-z~]|O[A-Za-z])?|./gsu) ?? [];
}

/** What one key does, as the terminal sends it. Keys without a meaning do nothing. */
export function pressKey(
  input: TopInput,
  key: string,
): { readonly input: TopInput; readonly action: TopAction } {
  if (key === "\u0003") return { input, action: "quit" };
  if (input.typing !== undefined) return typeFilter(input, input.typing, key);
  switch (key) {
    case "q":
      return { input, action: "quit" };
    case "s":
      return {
        input: { ...input, sessionSort: after(SESSION_SORTS, input.sessionSort) },
        action: "read",
      };
    case "t":
      return {
        input: { ...input, topicSort: after(TOPIC_SORTS, input.topicSort) },
        action: "read",
      };
    case "\t":
      return {
        input: { ...input, table: after(["all", ...TOP_TABLES], input.table) },
        action: "show",
      };
    case "/":
      return { input: { ...input, typing: input.filter }, action: "show" };
    case "\u001b":
      return { input: { ...input, filter: "", table: "all" }, action: "read" };
    case " ":
      return {
        input: { ...input, stopped: !input.stopped },
        action: input.stopped ? "read" : "show",
      };
    case "r":
      return { input, action: "read" };
    default:
      return { input, action: "show" };
  }
}

function typeFilter(
  input: TopInput,
  typing: string,
  key: string,
): { readonly input: TopInput; readonly action: TopAction } {
  if (key === "\r" || key === "\n") {
    return { input: { ...input, filter: typing, typing: undefined }, action: "read" };
  }
  if (key === "\u001b") return { input: { ...input, typing: undefined }, action: "show" };
  if (key === "\u007f" || key === "\b") {
    return { input: { ...input, typing: typing.slice(0, -1) }, action: "show" };
  }
  const isText = !/\p{Cc}/u.test(key) && typing.length + key.length <= FILTER_LENGTH_MAX;
  return { input: isText ? { ...input, typing: typing + key } : input, action: "show" };
}

function after<Value>(values: readonly Value[], value: Value): Value {
  return values[(values.indexOf(value) + 1) % values.length] as Value;
}
