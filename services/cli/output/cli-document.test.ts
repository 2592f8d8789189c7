import { expect, test } from "vitest";
import { createProgram } from "../program.ts";
import { cliDocument } from "./cli-document.ts";

test("docs/cli.md says what the program says", async () => {
  const program = await createProgram();
  await expect(cliDocument(program)).toMatchFileSnapshot("../../../docs/cli.md");
});
