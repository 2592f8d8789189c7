import { execFileSync, spawnSync } from "node:child_process";

/** A Python that has DuckDB; undefined if there is none. `.ci/run` names the one that it makes. */
export const ANALYSIS_PYTHON: string | undefined = [
  process.env["TICKWIRE_ANALYSIS_PYTHON"],
  "python3",
].find(
  (python) => python !== undefined && spawnSync(python, ["-c", "import duckdb, pytz"]).status === 0,
);

/** What a Python program prints, line by line. Throws if it fails. */
export function runAnalysis(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): readonly string[] {
  if (ANALYSIS_PYTHON === undefined) throw new Error("there is no Python with DuckDB");
  const output = execFileSync(ANALYSIS_PYTHON, [...args], {
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, ...environment, PYTHONIOENCODING: "utf-8" },
  });
  return output.toString("utf8").trimEnd().split("\n");
}
