import { printLines, remark } from "./output/terminal.ts";
import { Command } from "commander";
import { createCallCommand } from "./commands/call.ts";
import { createDecodeCommand } from "./commands/decode.ts";
import { createDevCommand } from "./commands/dev.ts";
import { createDoctorCommand } from "./commands/doctor.ts";
import { createGatewayCommand } from "./commands/gateway.ts";
import { createIngestCommand } from "./commands/ingest.ts";
import { createNormalizeCommand } from "./commands/normalize.ts";
import { createRecordCommand } from "./commands/record.ts";
import { createReplayCommand } from "./commands/replay.ts";
import { programVersion } from "./process/service-process.ts";
import { createSubscribeCommand } from "./commands/subscribe.ts";
import { createVenuesCommand } from "./commands/venues.ts";

/**
 * The `tickwire` command line. Parsing rejects with CommanderError instead of ending the process.
 */
export function createProgram(): Command {
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
  const commands = [
    createDevCommand(),
    createIngestCommand(),
    createGatewayCommand(),
    createSubscribeCommand(),
    createCallCommand(),
    createRecordCommand(),
    createReplayCommand(),
    createNormalizeCommand(),
    createDecodeCommand(),
    createVenuesCommand(),
    createDoctorCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  // Commander does not hand these on to subcommands that are added whole.
  for (const command of [program, ...commands]) {
    command.configureOutput({ writeOut: printLines, writeErr: remark });
    command.exitOverride().showHelpAfterError("(see --help)").allowExcessArguments(false);
  }
  return program;
}
