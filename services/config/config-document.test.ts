import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationDocument } from "./config-document.ts";

test("docs/configuration.md lists every setting as it is; vitest -u writes it anew", async () => {
  const path = join(import.meta.dirname, "../../docs/configuration.md");
  await expect(configurationDocument()).toMatchFileSnapshot(path);
});

test("each section of the tree has its table", () => {
  const headings = configurationDocument().match(/^## .+$/gm);
  const sections = ["bus", "streamLog", "ingest", "derive", "gateway", "admin", "log", "shutdown"];
  expect(headings).toEqual(sections.map((name) => `## ${name}`));
});
