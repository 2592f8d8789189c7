import { readFileSync } from "node:fs";

/** As in package.json, three folders up from here in the sources and four in the build. */
export function programVersion(): string {
  const fromSources = new URL("../../../package.json", import.meta.url);
  const fromBuild = new URL("../../../../package.json", import.meta.url);
  for (const address of [fromSources, fromBuild]) {
    try {
      const text = readFileSync(address, "utf8");
      const { name, version } = JSON.parse(text) as { name?: string; version?: string };
      if (name === "tickwire" && version !== undefined) return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return "unknown";
}
