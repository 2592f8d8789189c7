import { Command } from "commander";
import { printHelp, remark } from "./output/terminal.ts";
import { programVersion } from "./process/program-version.ts";

/** A command, read when it is wanted: what one needs takes longer to load than many run. */
type Known = {
  /** What it is for; the help lists commands by this. */
  readonly purpose: string;
  create(): Promise<Command>;
};

const RUN = "Run a service:";
const WATCH = "Look at a running one:";
const KEEP = "Record and replay:";
const EXAMINE = "Find out about venues:";
const SIZE = "Plan what it takes:";
const ACCESS = "Decide who may use it:";
const SHELL = "Work with the shell:";

/** The commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, Known>> = {
  dev: { purpose: RUN, create: async () => (await import("./commands/dev.ts")).createDevCommand() },
  ingest: {
    purpose: RUN,
    create: async () => (await import("./commands/ingest.ts")).createIngestCommand(),
  },
  gateway: {
    purpose: RUN,
    create: async () => (await import("./commands/gateway.ts")).createGatewayCommand(),
  },
  derive: {
    purpose: RUN,
    create: async () => (await import("./commands/derive.ts")).createDeriveCommand(),
  },
  watch: {
    purpose: WATCH,
    create: async () => (await import("./commands/watch.ts")).createWatchCommand(),
  },
  subscribe: {
    purpose: WATCH,
    create: async () => (await import("./commands/subscribe.ts")).createSubscribeCommand(),
  },
  call: {
    purpose: WATCH,
    create: async () => (await import("./commands/call.ts")).createCallCommand(),
  },
  top: {
    purpose: WATCH,
    create: async () => (await import("./commands/top.ts")).createTopCommand(),
  },
  publishers: {
    purpose: WATCH,
    create: async () => (await import("./commands/publishers.ts")).createPublishersCommand(),
  },
  record: {
    purpose: KEEP,
    create: async () => (await import("./commands/record.ts")).createRecordCommand(),
  },
  replay: {
    purpose: KEEP,
    create: async () => (await import("./commands/replay.ts")).createReplayCommand(),
  },
  convert: {
    purpose: KEEP,
    create: async () => (await import("./commands/convert.ts")).createConvertCommand(),
  },
  normalize: {
    purpose: KEEP,
    create: async () => (await import("./commands/normalize.ts")).createNormalizeCommand(),
  },
  decode: {
    purpose: KEEP,
    create: async () => (await import("./commands/decode.ts")).createDecodeCommand(),
  },
  venues: {
    purpose: EXAMINE,
    create: async () => (await import("./commands/venues.ts")).createVenuesCommand(),
  },
  doctor: {
    purpose: EXAMINE,
    create: async () => (await import("./commands/doctor.ts")).createDoctorCommand(),
  },
  capacity: {
    purpose: SIZE,
    create: async () => (await import("./commands/capacity.ts")).createCapacityCommand(),
  },
  token: {
    purpose: ACCESS,
    create: async () => (await import("./commands/token.ts")).createTokenCommand(),
  },
  keys: {
    purpose: ACCESS,
    create: async () => (await import("./commands/keys.ts")).createKeysCommand(),
  },
  completion: {
    purpose: SHELL,
    create: async () =>
      (await import("./commands/completion.ts")).createCompletionCommand({
        createProgram,
        commandNames: Object.keys(COMMANDS),
      }),
  },
};

const AFTER_HELP = `
Try first:
  tickwire dev --open                           a simulated market, and its page in a browser
  tickwire watch                                the same in another terminal
  tickwire subscribe 'simulated:*/trades'       every trade, one a line
  tickwire doctor kraken                        whether a venue can be followed from here

Wherever a command prints something, --color, --color=never and NO_COLOR say whether it has colours.

Exit codes: 0 done, 1 could not be done, 2 wrong usage or configuration, 130 forced by a second
signal.`;

/**
 * The `tickwire` command line with the commands that its arguments can be about. Parsing rejects
 * with CommanderError instead of ending the process.
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("tickwire")
    .description("Market data from several venues, in one shape, over one socket.")
    .version(programVersion())
    .addHelpText("after", AFTER_HELP);
  for (const known of knownOf(args[0] ?? "")) {
    program.addCommand((await known.create()).helpGroup(known.purpose));
  }
  program.helpCommand(false);
  // Commander does not hand these on to subcommands that are added whole.
  for (const command of withSubcommands(program)) {
    command.configureOutput({ writeOut: printHelp, writeErr: remark });
    command.exitOverride().showHelpAfterError("(see --help)").allowExcessArguments(false);
  }
  return program;
}

/** The command and all below it. */
function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((below) => withSubcommands(below))];
}

/** What has to be read for a command line that begins with this. */
function knownOf(word: string): readonly Known[] {
  if (word === "--version" || word === "-V") return [];
  const known = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  return known === undefined ? Object.values(COMMANDS) : [known];
}
