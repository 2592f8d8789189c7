import { quotedText, visibleText } from "#core/visible-text.ts";

/** One thing that is wrong with a configuration. */
export type ConfigProblem = {
  /** Dotted key, or the name of the variable or file where there is no such key. */
  readonly key: string;
  readonly problem: string;
  /** Where it came from, such as `environment TICKWIRE_GATEWAY__PORT`. */
  readonly origin: string;
};

/** The configuration cannot be used; `problems` has every reason. */
export class ConfigError extends Error {
  readonly code = "bad-config";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ key, problem, origin }) =>
        `  ${quotedText(key)}: ${visibleText(problem)} (${visibleText(origin)})`,
    );
    const count = `${problems.length} bad ${problems.length === 1 ? "key" : "keys"}`;
    super(`configuration has ${count}:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}
