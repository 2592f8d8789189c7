import { Command } from "commander";
import { complainLines, printHelp, remark } from "./output/terminal.ts";
import { programVersion } from "./process/program-version.ts";

/** What the help says of a command, and the command itself, read when it is wanted. */
type Known = {
  /** What it is for; the help lists commands by this. */
  readonly purpose: string;
  readonly summary: string;
  /** What follows its name. */
  readonly usage: string;
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
  dev: {
    purpose: RUN,
    summary: "run everything in one process",
    usage: "[options]",
    create: async () => (await import("./commands/dev.ts")).createDevCommand(),
  },
  ingest: {
    purpose: RUN,
    summary: "bring venues to NATS",
    usage: "[options]",
    create: async () => (await import("./commands/ingest.ts")).createIngestCommand(),
  },
  gateway: {
    purpose: RUN,
    summary: "serve clients from NATS",
    usage: "[options]",
    create: async () => (await import("./commands/gateway.ts")).createGatewayCommand(),
  },
  derive: {
    purpose: RUN,
    summary: "make candles and consolidated quotes and books, from NATS to NATS",
    usage: "[options]",
    create: async () => (await import("./commands/derive.ts")).createDeriveCommand(),
  },
  watch: {
    purpose: WATCH,
    summary: "watch a market on the whole terminal",
    usage: "[options] [topic...]",
    create: async () => (await import("./commands/watch.ts")).createWatchCommand(),
  },
  subscribe: {
    purpose: WATCH,
    summary: "print the events of topics",
    usage: "[options] <topic...>",
    create: async () => (await import("./commands/subscribe.ts")).createSubscribeCommand(),
  },
  call: {
    purpose: WATCH,
    summary: "call an RPC of a gateway and print the answer as JSON",
    usage: "[options] <method> [json]",
    create: async () => (await import("./commands/call.ts")).createCallCommand(),
  },
  top: {
    purpose: WATCH,
    summary: "show what a process does right now",
    usage: "[options] [url]",
    create: async () => (await import("./commands/top.ts")).createTopCommand(),
  },
  publishers: {
    purpose: WATCH,
    summary: "show who publishes which venue on NATS, and who stands by",
    usage: "[options]",
    create: async () => (await import("./commands/publishers.ts")).createPublishersCommand(),
  },
  record: {
    purpose: KEEP,
    summary: "record topics, or a venue's raw traffic",
    usage: "[options] <what...>",
    create: async () => (await import("./commands/record.ts")).createRecordCommand(),
  },
  replay: {
    purpose: KEEP,
    summary: "play a recording or a capture onto a bus",
    usage: "[options] <path>",
    create: async () => (await import("./commands/replay.ts")).createReplayCommand(),
  },
  convert: {
    purpose: KEEP,
    summary: "turn a recording into CSV or Parquet",
    usage: "[options] <recording>",
    create: async () => (await import("./commands/convert.ts")).createConvertCommand(),
  },
  normalize: {
    purpose: KEEP,
    summary: "print every event of a capture as JSON",
    usage: "[options] <capture>",
    create: async () => (await import("./commands/normalize.ts")).createNormalizeCommand(),
  },
  decode: {
    purpose: KEEP,
    summary: "print a frame or a bus message in words",
    usage: "[options] [input]",
    create: async () => (await import("./commands/decode.ts")).createDecodeCommand(),
  },
  venues: {
    purpose: EXAMINE,
    summary: "list the venues and what each of them has",
    usage: "[options] [venue]",
    create: async () => (await import("./commands/venues.ts")).createVenuesCommand(),
  },
  doctor: {
    purpose: EXAMINE,
    summary: "try a venue out: clock, instruments, streams, books",
    usage: "[options] <venue>",
    create: async () => (await import("./commands/doctor.ts")).createDoctorCommand(),
  },
  capacity: {
    purpose: SIZE,
    summary: "compute what carries so many sessions and ticks",
    usage: "[options]",
    create: async () => (await import("./commands/capacity.ts")).createCapacityCommand(),
  },
  token: {
    purpose: ACCESS,
    summary: "make and inspect signed tokens",
    usage: "",
    create: async () => (await import("./commands/token.ts")).createTokenCommand(),
  },
  keys: {
    purpose: ACCESS,
    summary: "make, list and revoke API keys",
    usage: "",
    create: async () => (await import("./commands/keys.ts")).createKeysCommand(),
  },
  completion: {
    purpose: SHELL,
    summary: "print what completes tickwire in a shell",
    usage: "<shell>",
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
 * The `tickwire` command line for these arguments: the command that they name is there, the others
 * are in the help alone. Without arguments every command is there. Parsing rejects with
 * CommanderError instead of ending the process.
 */
export async function createProgram(args?: readonly string[]): Promise<Command> {
  const program = new Command("tickwire")
    .description("Market data from several venues, in one shape, over one socket.")
    .version(programVersion())
    .addHelpText("after", AFTER_HELP);
  const named = namedIn(args ?? []);
  if (named !== undefined) program.addCommand(await createCommand(named));
  else if (args === undefined) {
    for (const known of Object.values(COMMANDS)) program.addCommand(await createCommand(known));
  } else {
    for (const [name, known] of Object.entries(COMMANDS)) {
      program.addCommand(describe(new Command(name), known));
    }
    const termOf = (name: string): string => `${name} ${COMMANDS[name]?.usage}`.trimEnd();
    program.configureHelp({ subcommandTerm: (command) => termOf(command.name()) });
  }
  program.helpCommand(false);
  // Commander does not hand these on to subcommands that are added whole.
  for (const command of withSubcommands(program)) {
    command.configureOutput({
      writeOut: printHelp,
      writeErr: remark,
      // Commander's own complaints look like all others.
      outputError: (text) => complainLines(text.replace(/^error: /, "").trimEnd()),
    });
    command.exitOverride().showHelpAfterError("(see --help)").allowExcessArguments(false);
  }
  return program;
}

/** The command that the arguments are for; undefined if they ask for the help, or for none. */
function namedIn(args: readonly string[]): Known | undefined {
  // The program has no option with a value, so the first word is the command.
  const place = args.findIndex((each) => !each.startsWith("-"));
  const word = args[place];
  if (word === undefined || !Object.hasOwn(COMMANDS, word)) return undefined;
  const isHelp = args.slice(0, place).some((each) => each === "--help" || each === "-h");
  return isHelp ? undefined : COMMANDS[word];
}

async function createCommand(known: Known): Promise<Command> {
  return describe(await known.create(), known);
}

function describe(command: Command, { purpose, summary }: Known): Command {
  return command.summary(summary).helpGroup(purpose);
}

/** The command and all below it. */
function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap((below) => withSubcommands(below))];
}
