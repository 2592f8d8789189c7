/** What a piece of text is meant to say by its colour. */
export type TextStyle = "plain" | "title" | "name" | "good" | "bad" | "warn" | "dim";

/** When colours are wanted: where a terminal shows them, always, or never. */
export const COLOUR_WISHES = ["auto", "always", "never"] as const;
export type ColourWish = (typeof COLOUR_WISHES)[number];

const ESCAPE = "\u001b[";
const RESET = `${ESCAPE}0m`;

const CODES: Readonly<Record<TextStyle, string>> = {
  plain: "",
  title: `${ESCAPE}1m`,
  name: `${ESCAPE}36m`,
  good: `${ESCAPE}32m`,
  bad: `${ESCAPE}31m`,
  warn: `${ESCAPE}33m`,
  dim: `${ESCAPE}2m`,
};

/**
 * Whether to colour what goes to a stream: what the user says on the command line counts first,
 * then FORCE_COLOR, NO_COLOR and TERM=dumb, and then whether it is a terminal.
 */
export function hasColours(of: {
  readonly wish: ColourWish;
  readonly isTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): boolean {
  const { wish, isTerminal, environment } = of;
  if (wish !== "auto") return wish === "always";
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = environment;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (none !== undefined && none !== "") return false;
  return isTerminal && terminal !== "dumb";
}

/** The text in its colour; it has to be visible already. */
export function painted(text: string, style: TextStyle): string {
  return style === "plain" || text === "" ? text : `${CODES[style]}${text}${RESET}`;
}

/**
 * Takes `--color`, `--color=always`, `--no-color` and the like out of the arguments, wherever they
 * stand before a `--`. Undefined for a word that is none of those.
 */
export function takeColourWish(
  args: readonly string[],
): { readonly args: readonly string[]; readonly wish: ColourWish } | undefined {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  let wish: ColourWish = "auto";
  const rest: string[] = [];
  for (const [index, arg] of args.entries()) {
    const [, word] = /^--colou?r(?:=(.*))?$/.exec(arg) ?? [];
    const isWish = index < end && /^--(no-)?colou?r(=|$)/.test(arg);
    if (!isWish) {
      rest.push(arg);
    } else if (arg.startsWith("--no-")) {
      wish = "never";
    } else {
      const named = COLOUR_WISHES.find((each) => each === (word ?? "always"));
      if (named === undefined) return undefined;
      wish = named;
    }
  }
  return { args: rest, wish };
}

/** Help in colours: titles, and the names of commands and options. The text is visible already. */
export function paintedHelp(text: string): string {
  return text
    .split("\n")
    .map((line) => {
      if (/^\S.*:$/.test(line)) return painted(line, "title");
      const [, usage = ""] = /^(Usage:)/.exec(line) ?? [];
      if (usage !== "") return painted(usage, "title") + line.slice(usage.length);
      const [, term = ""] = /^ {2}(\S.*?) {2,}\S/.exec(line) ?? [];
      return term === "" ? line : `  ${painted(term, "name")}${line.slice(2 + term.length)}`;
    })
    .join("\n");
}
