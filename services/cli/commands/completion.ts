import { Argument, Command } from "commander";
import { MarketData } from "@tickwire/proto/service";
import { z } from "zod";
import { CHANNELS } from "#core/instrument.ts";
import { VENUE_IDS } from "#ingest/venues/venue-ids.ts";
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from "../output/completion-scripts.ts";
import { printFields, printLines } from "../output/terminal.ts";
import { CHAOS_FORMS } from "../process/chaos-option.ts";
import { complete, type Candidate, type CompletionSources } from "../process/completion.ts";
import { DEFAULT_ADDRESS } from "../process/gateway-address.ts";
import { gatewaySecret } from "../process/gateway-secret.ts";
import { callOverHttp } from "./call-over-http.ts";

type ProgramParts = {
  /** The program with the command that the arguments begin with. */
  readonly createProgram: (args: readonly string[]) => Promise<Command>;
  readonly commandNames: readonly string[];
};

/** A shell waits while it completes: a gateway that takes longer has no topics. */
const TIMEOUT_MS = 700;

/** `tickwire completion SHELL`: what a shell reads to complete command lines. */
export function createCompletionCommand(parts: ProgramParts): Command {
  const command = new Command("completion")
    .description(
      "Prints a script with which bash, zsh or fish complete commands, options, venues, channels, and the " +
        "topics of a running gateway (that of --url, else http://127.0.0.1:8080).",
    )
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(SHELLS))
    .addHelpText(
      "after",
      `
Examples:
  source <(tickwire completion bash)                  # in ~/.bashrc
  source <(tickwire completion zsh)                   # in ~/.zshrc, after compinit
  tickwire completion fish | source                   # in ~/.config/fish/config.fish`,
    )
    .action((shell: Shell) => printLines(COMPLETION_SCRIPTS[shell]));
  command.addCommand(candidatesCommand(parts), { hidden: true });
  return command;
}

/** What the scripts ask: how the last of the words may go on. */
function candidatesCommand({ createProgram, commandNames }: ProgramParts): Command {
  return new Command("candidates")
    .argument("[words...]", "the words so far, the last of them unfinished")
    .option("--no-about", "without what each is for")
    .action(async (words: readonly string[], { about }: { readonly about: boolean }) => {
      const found =
        words.length < 2 && words[0]?.startsWith("-") !== true
          ? commandNames.filter((name) => name.startsWith(words[0] ?? "")).map(bare)
          : await complete(await createProgram(words), words, sourcesOf(words));
      for (const each of found) printFields(about ? [each.text, each.about] : [each.text]);
    });
}

function bare(text: string): Candidate {
  return { text, about: "" };
}

function sourcesOf(words: readonly string[]): CompletionSources {
  const list = (venue: string) => instrumentsOf(words, venue);
  return {
    venues: VENUE_IDS,
    channels: CHANNELS,
    methods: Object.values(MarketData.methods).map(({ name }) => name),
    chaos: CHAOS_FORMS,
    liveVenues: async () => {
      const live = (await list("")).map(({ venue }) => venue);
      return live.length === 0 ? VENUE_IDS : [...new Set(live)];
    },
    symbols: async (venue) => (await list(venue)).map(({ symbol }) => symbol),
  };
}

const answerSchema = z.object({
  instruments: z.array(z.object({ venue: z.string(), symbol: z.string() })).default([]),
});

/** The first page of what a gateway lists; nothing if it cannot be had at once. */
async function instrumentsOf(
  words: readonly string[],
  venue: string,
): Promise<z.infer<typeof answerSchema>["instruments"]> {
  const valueOf = (option: string): string | undefined =>
    words.includes(option) ? words[words.indexOf(option) + 1] : undefined;
  try {
    const secret = gatewaySecret(valueOf("--token-file"), process.env);
    const address = valueOf("--url") ?? DEFAULT_ADDRESS;
    const target = { address, timeoutMs: TIMEOUT_MS, secret };
    const answer = await callOverHttp(MarketData.methods.listInstruments, { venue }, target);
    return answerSchema.parse(answer).instruments;
  } catch {
    // Somebody who completes a word is not to be told of errors: there is just nothing to choose.
    return [];
  }
}
