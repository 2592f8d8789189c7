import { quotedText } from "#core/visible-text.ts";
import { readFileSync } from "node:fs";
import { Option, type Command } from "commander";
import { configSchema, IGNORED_VARIABLES, type TickwireConfig } from "#config/config.ts";
import { ConfigError } from "#config/config-error.ts";
import { loadConfig, type ConfigFlag } from "#config/load-config.ts";
import { LOG_LEVELS } from "#runtime/logger.ts";
import { UsageError } from "./errors.ts";

/** The options that every command with a configuration has. */
export type ConfigOptions = {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly logLevel?: string;
};

/** Adds `--config`, `--set` and `--log-level`. */
export function addConfigOptions(command: Command): Command {
  return command
    .option("--config <file>", "JSON file with settings")
    .option("--set <key=value>", "one setting, such as gateway.port=9000; repeatable", collect)
    .addOption(new Option("--log-level <level>", "how much is logged").choices(LOG_LEVELS));
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/**
 * The configuration of a command: defaults of the program < `defaults` of the command < file <
 * environment < flags. Throws `ConfigError` that names every bad key.
 */
export function loadCommandConfig(
  options: ConfigOptions,
  given: { readonly defaults?: object; readonly flags: readonly ConfigFlag[] },
): TickwireConfig {
  const flags = [...(options.set ?? []).map(parseSetting), ...given.flags];
  if (options.logLevel !== undefined) {
    flags.push({ flag: "--log-level", key: "log.level", value: options.logLevel });
  }
  return loadConfig(configSchema, {
    ...(given.defaults === undefined ? {} : { defaults: given.defaults }),
    ...(options.config === undefined ? {} : { file: readConfigFile(options.config) }),
    environment: process.env,
    ignoredVariables: IGNORED_VARIABLES,
    flags,
  });
}

function parseSetting(text: string): ConfigFlag {
  const equals = text.indexOf("=");
  if (!/^[^.=]+(\.[^.=]+)*=/.test(text))
    throw new UsageError(`--set takes KEY=VALUE, not ${quotedText(text)}`);
  return { flag: "--set", key: text.slice(0, equals), value: text.slice(equals + 1) };
}

function readConfigFile(name: string): { readonly name: string; readonly text: string } {
  try {
    return { name, text: readFileSync(name, "utf8") };
  } catch (error) {
    const problem = `cannot be read: ${(error as Error).message}`;
    throw new ConfigError([{ key: name, problem, origin: "flag --config" }]);
  }
}
