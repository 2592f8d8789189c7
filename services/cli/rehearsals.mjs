// Starts of the program that the build rehearses, so that V8 keeps what it compiles in them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In this order, and what each says when it is over; one that ends by itself says nothing. */
export const REHEARSALS = [
  { command: "--help" },
  { command: "dev --port 0 --admin-port 0", until: "tickwire streams" },
  {
    // Nobody is there: what comes before and while it waits is compiled.
    command: "gateway --port 0 --admin-port 0 --set bus.nats.servers=nats://127.0.0.1:9",
    until: "waiting for NATS",
  },
];
const MS_MAX = 20_000;

/** Rehearses all of them. Without one the program starts later by a sixth, and nothing is wrong. */
export async function rehearse(entry) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name.startsWith("TICKWIRE_")) delete env[name];
  const cwd = mkdtempSync(join(tmpdir(), "tickwire-build-"));
  for (const { command, until } of REHEARSALS) {
    const reason = await rehearseOne([entry, ...command.split(" ")], { until, cwd, env });
    if (reason === undefined) continue;
    process.stderr.write(`the start of ${command} could not be rehearsed: ${reason}\n`);
  }
  rmSync(cwd, { recursive: true, force: true });
}

/** Starts the program and ends it when it has said a text. Says why that did not go well. */
async function rehearseOne(words, { until, ...options }) {
  const script = join(import.meta.dirname, "rehearsal.mjs");
  const child = fork(script, words, { ...options, silent: true });
  const timer = setTimeout(() => child.kill("SIGKILL"), MS_MAX);
  let said = "";
  let isOver = until === undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      said += text;
      if (isOver || !said.includes(until)) return;
      isOver = true;
      if (child.connected) child.send("enough");
    });
  }
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return code === 0 ? undefined : said;
}
