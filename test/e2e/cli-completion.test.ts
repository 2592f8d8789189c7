// What completes command lines, in the shells themselves.
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { environmentOfTests, killAll, startCli } from "./cli-process.ts";

const BIN = path.join(import.meta.dirname, "../../services/cli/tickwire.mjs");
// Each completion is a start of the program.
vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(path.join(tmpdir(), "tickwire-completion-"));

/** A gateway that does not answer at once has no topics, and may on a busy machine. */
const POLL = { timeout: 60_000, interval: 100 };

let url: string;
beforeAll(async () => {
  const dev = startCli(["dev", "--json", "--port", "0", "--admin-port", "0"]);
  const [line] = await dev.waitFor("stdout", /^\{.*\}$/m);
  ({ url } = JSON.parse(line) as { url: string });
  // The scripts call the program by its name.
  const program = path.join(folder, "tickwire");
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(program, 0o755);
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** What a shell prints. */
async function printedBy(shell: string, args: readonly string[]): Promise<string> {
  const { PATH = "", ...rest } = environmentOfTests();
  const env = { ...rest, PATH: `${folder}:${PATH}`, HOME: folder, TERM: "xterm" };
  return (await promisify(execFile)(shell, args, { cwd: folder, env })).stdout;
}

test("bash completes topics of the running gateway, past the colons", async () => {
  const words = `tickwire subscribe --url ${url} simulated:BTC-USD/tr`;
  const script = [
    `source <(tickwire completion bash)`,
    `COMP_LINE='${words}' COMP_POINT=${words.length}`,
    `COMP_WORDS=(tickwire subscribe --url) COMP_CWORD=2`,
    // Outside of a completion, bash has no options to set.
    `compopt() { :; }`,
    `_tickwire; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join("\n");
  await expect.poll(() => printedBy("bash", ["-c", script]), POLL).toBe("BTC-USD/trades\n");
});

/**
 * Types into a zsh on a terminal of its own, asks it every few seconds how that goes on until it
 * shows what is waited for, and prints what it has shown.
 */
const TYPIST = `
zmodload zsh/zpty
zpty -b shell zsh -f -i
typeset shown=
until_shown() {
  local part
  repeat 60; do
    if zpty -r -t shell part; then shown+=$part; else sleep 0.1; fi
    [[ $shown == *$1* ]] && return 0
  done
  return 1
}
zpty -w shell 'autoload -Uz compinit; compinit -D -u; source <(tickwire completion zsh); echo LOA''DED'
repeat 10; do until_shown LOADED && break; done
shown=
zpty -w -n shell "$1"
repeat 10; do
  zpty -w -n shell $'\\t'
  until_shown "$2" && break
done
print -r -- $shown
zpty -d shell
`;

const zshCompletes = async (line: string, expected: string): Promise<string> =>
  printedBy("zsh", ["-f", "-c", TYPIST, "typist", line, expected]);

test.each(installed("zsh"))("%s completes commands", async () => {
  // What is typed is there already; the rest is put behind it.
  expect(await zshCompletes("tickwire subs", "cribe")).toContain("cribe");
});

test.each(installed("zsh"))("%s says beside options what they are for", async () => {
  const shown = await zshCompletes("tickwire keys list --", "without hashes");
  expect(shown).toMatch(/--file +the access file/);
  expect(shown).toMatch(/--json +one JSON object a line, without hashes/);
});

test.each(installed("zsh"))("%s completes topics of the running gateway", async () => {
  const line = `tickwire subscribe --url ${url} simulated:BTC-USD/tr`;
  expect(await zshCompletes(line, "ades")).toContain("ades");
});

const fishCompletes = async (line: string): Promise<string> =>
  printedBy("fish", [
    "--no-config",
    "-c",
    `tickwire completion fish | source; complete --do-complete ${JSON.stringify(line)}`,
  ]);

test.each(installed("fish"))("%s completes commands, options and topics", async () => {
  expect(await fishCompletes("tickwire subs")).toBe("subscribe\n");
  expect(await fishCompletes("tickwire keys list --j")).toBe(
    "--json\tone JSON object a line, without hashes\n",
  );
  const topic = `tickwire subscribe --url ${url} simulated:BTC-USD/tr`;
  await expect.poll(() => fishCompletes(topic), POLL).toBe("simulated:BTC-USD/trades\n");
});

/** The shell, if it is there; it is said if it is not. */
function installed(shell: string): readonly string[] {
  if (spawnSync(shell, ["--version"]).error === undefined) return [shell];
  process.stderr.write(`SKIPPED: completion in ${shell}, which is not installed\n`);
  return [];
}
