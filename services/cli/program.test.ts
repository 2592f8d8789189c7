import { expect, test } from "vitest";
import { createProgram } from "./program.ts";

/** The lines of the help that describe commands, in one line each. */
function commandsIn(help: string): readonly string[] {
  return help
    .replaceAll(/\n {10,}/g, " ")
    .split("\n")
    .filter((line) => line.startsWith("  ") && !line.startsWith("  -"))
    .map((line) => line.trim().replaceAll(/ +/g, " "));
}

test("the help says of commands that are not read what they say themselves", async () => {
  const whole = await createProgram();
  const quick = await createProgram(["--help"]);
  expect(commandsIn(quick.helpInformation()).length).toBeGreaterThan(15);
  expect(quick.helpInformation()).toBe(whole.helpInformation());
});

test("a command line has the one command that it names, wherever its options stand", async () => {
  for (const args of [
    ["venues", "kraken"],
    ["--json", "venues"],
    ["venues", "--help"],
  ]) {
    const program = await createProgram(args);
    expect(program.commands.map((command) => command.name())).toEqual(["venues"]);
    expect(program.commands[0]?.options.length).toBeGreaterThan(0);
  }
});

test("help that is asked for before a command is that of all", async () => {
  for (const args of [["--help", "venues"], ["-h"], [], ["venuse"], ["constructor"]]) {
    expect((await createProgram(args)).commands.length).toBeGreaterThan(15);
  }
});
