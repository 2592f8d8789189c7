import { Command } from "commander";
import { printLines, remark } from "./output/terminal.ts";
import { programVersion } from "./process/program-version.ts";

/**
 * The commands, in the order of the help. Each is read when it is wanted: what one needs takes
 * longer to load than many a command runs.
 */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["dev", async () => (await import("./commands/dev.ts")).createDevCommand()],
  ["ingest", async () => (await import("./commands/ingest.ts")).createIngestCommand()],
  ["gateway", async () => (await import("./commands/gateway.ts")).createGatewayCommand()],
  ["derive", async () => (await import("./commands/derive.ts")).createDeriveCommand()],
  ["subscribe", async () => (await import("./commands/subscribe.ts")).createSubscribeCommand()],
  ["call", async () => (await import("./commands/call.ts")).createCallCommand()],
  ["top", async () => (await import("./commands/top.ts")).createTopCommand()],
  ["record", async () => (await import("./commands/record.ts")).createRecordCommand()],
  ["replay", async () => (await import("./commands/replay.ts")).createReplayCommand()],
  ["convert", async () => (await import("./commands/convert.ts")).createConvertCommand()],
  ["normalize", async () => (await import("./commands/normalize.ts")).createNormalizeCommand()],
  ["decode", async () => (await import("./commands/decode.ts")).createDecodeCommand()],
  ["venues", async () => (await import("./commands/venues.ts")).createVenuesCommand()],
  ["publishers", async () => (await import("./commands/publishers.ts")).createPublishersCommand()],
  ["token", async () => (await import("./commands/token.ts")).createTokenCommand()],
  ["keys", async () => (await import("./commands/keys.ts")).createKeysCommand()],
  ["doctor", async () => (await import("./commands/doctor.ts")).createDoctorCommand()],
]);

/**
 * The `tickwire` command line with the commands that its arguments can be about. Parsing rejects
 * with CommanderError instead of ending the process.
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("tickwire")
    .description("Market data from several venues, in one shape, over one socket.")
    .version(programVersion())
    .addHelpText(
      "after",
      `
Exit codes: 0 done, 1 could not be done, 2 wrong usage or configuration, 130 forced by a second
signal.
Start with: tickwire dev`,
    );
  const commands = await Promise.all(commandsOf(args[0] ?? "").map((create) => create()));
  for (const command of commands) program.addCommand(command);
  // Commander does not hand these on to subcommands that are added whole.
  for (const command of withSubcommands(program)) {
    command.configureOutput({ writeOut: printLines, writeErr: remark });
    command.exitOverride().showHelpAfterError("(see --help)").allowExcessArguments(false);
  }
  return program;
}

/** The command and all below it. */
function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((below) => withSubcommands(below))];
}

/** What has to be read for a command line that begins with this. */
function commandsOf(word: string): readonly (() => Promise<Command>)[] {
  if (word === "--version" || word === "-V") return [];
  const named = COMMANDS.get(word);
  return named === undefined ? [...COMMANDS.values()] : [named];
}
