import type { Argument, Command, Option } from "commander";

/** One way to go on, with what it is for. */
export type Candidate = { readonly text: string; readonly about: string };

/** What can only be known when it is asked for. */
export type CompletionSources = {
  readonly venues: readonly string[];
  readonly channels: readonly string[];
  readonly methods: readonly string[];
  readonly chaos: readonly string[];
  /** Of the gateway that the words name; empty if it does not answer at once. */
  symbols(venue: string): Promise<readonly string[]>;
  /** The venues of that gateway. */
  liveVenues(): Promise<readonly string[]>;
};

const CANDIDATES_MAX = 500;
const ABOUT_CHARACTERS_MAX = 60;

/**
 * How the last of the words may go on, which may be empty. The words are those after the name of
 * the program. Nothing where a file is wanted, or anything.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  sources: CompletionSources,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? "";
  const place = placeOf(program, words.slice(0, -1));
  const found = await candidatesAt(place, typed, sources);
  return found
    .filter(({ text }) => text.startsWith(typed))
    .slice(0, CANDIDATES_MAX)
    .map(({ text, about }) => ({ text, about: firstSentence(about) }));
}

/** Where a command line has come to. */
type Place = {
  readonly command: Command;
  /** Whose value is next. */
  readonly option: Option | undefined;
  /** How many arguments there are already. */
  readonly argumentCount: number;
};

function placeOf(program: Command, before: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let argumentCount = 0;
  for (const word of before) {
    if (option !== undefined) {
      option = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const named = command.options.find((each) => each.long === word || each.short === word);
      option = named !== undefined && (named.required || named.optional) ? named : undefined;
      continue;
    }
    const below = command.commands.find((each) => each.name() === word);
    if (below === undefined) argumentCount += 1;
    else command = below;
  }
  return { command, option, argumentCount };
}

async function candidatesAt(
  { command, option, argumentCount }: Place,
  typed: string,
  sources: CompletionSources,
): Promise<readonly Candidate[]> {
  if (option !== undefined) return valuesOf(option, sources);
  if (typed.startsWith("-")) {
    return command.options
      .filter(({ hidden }) => !hidden)
      .map(({ long, short, description }) => ({ text: long ?? short ?? "", about: description }));
  }
  const below = command.createHelp().visibleCommands(command);
  if (below.length > 0) {
    return below.map((each) => ({ text: each.name(), about: each.summary() }));
  }
  const args = command.registeredArguments;
  const last = args.at(-1);
  const argument = args[argumentCount] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? [] : argumentValues(argument, typed, sources);
}

async function valuesOf(option: Option, sources: CompletionSources): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return plain(option.argChoices);
  if (option.long === "--venue") return plain(sources.venues);
  if (option.long === "--channels") return plain(sources.channels);
  if (option.long === "--chaos") return plain(sources.chaos);
  return [];
}

async function argumentValues(
  argument: Argument,
  typed: string,
  sources: CompletionSources,
): Promise<readonly Candidate[]> {
  if (argument.argChoices !== undefined) return plain(argument.argChoices);
  switch (argument.name()) {
    case "venue":
      return plain(sources.venues);
    case "method":
      return plain(sources.methods);
    case "topic":
    case "what":
      return topicsOf(typed, sources);
    default:
      return [];
  }
}

/** A topic grows part by part: its venue, its symbol, its channel. */
async function topicsOf(typed: string, sources: CompletionSources): Promise<readonly Candidate[]> {
  const colon = typed.indexOf(":");
  const slash = typed.indexOf("/", colon + 1);
  if (colon === -1) return plain((await sources.liveVenues()).map((venue) => `${venue}:`));
  if (slash !== -1) {
    const head = typed.slice(0, slash + 1);
    return plain(sources.channels.map((channel) => `${head}${channel}`));
  }
  const venue = typed.slice(0, colon);
  const symbols = await sources.symbols(venue);
  return plain(symbols.map((symbol) => `${venue}:${symbol}/`));
}

function plain(texts: readonly string[]): readonly Candidate[] {
  return texts.map((text) => ({ text, about: "" }));
}

function firstSentence(about: string): string {
  const line = about.split("\n")[0] ?? "";
  return line.length > ABOUT_CHARACTERS_MAX ? `${line.slice(0, ABOUT_CHARACTERS_MAX)}…` : line;
}
