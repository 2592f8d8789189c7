import type { Command } from "commander";
import { CommandError } from "./errors.ts";
import { readFileIfThere } from "./secret-files.ts";

/** The variable that has the key or token of a user, which no argument should show to others. */
const SECRET_VARIABLE = "TICKWIRE_TOKEN";

/** Adds `--token-file`, of commands that speak to a gateway. */
export function addSecretOption(command: Command): Command {
  return command.option(
    "--token-file <file>",
    `file with an API key or a token for the gateway; else that of ${SECRET_VARIABLE}`,
  );
}

/** The key or token that a command shows; undefined if there is none. Read anew each time. */
export function gatewaySecret(
  tokenFile: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (tokenFile === undefined) return environment[SECRET_VARIABLE]?.trim();
  const text = readFileIfThere(tokenFile);
  if (text === undefined) throw new CommandError(`there is no file ${tokenFile}`);
  return text.trim();
}
