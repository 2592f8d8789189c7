import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../program.ts";
import { cliDocument } from "./cli-document.ts";

test("docs/cli.md says what the program says", async () => {
  const program = await createProgram();
  await expect(cliDocument(program)).toMatchFileSnapshot("../../../docs/cli.md");
});

test("every command that prints something prints it as JSON on request", async () => {
  const leaves = (command: Command): readonly Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  const program = await createProgram();
  const drawing = ["watch", "completion"];
  const lacking = program.commands
    .filter((command) => !drawing.includes(command.name()))
    .flatMap(leaves)
    .filter((command) => !command.options.some(({ long }) => long === "--json"));
  expect(lacking.map((command) => command.name())).toEqual([]);
});
