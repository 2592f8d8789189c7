// Kills recorders (SIGKILL) at moments that a seed gives, and looks at what their files hold.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
const BIN = join(ROOT, "services/cli/tickwire.mjs");

/** So long after its first flush a recorder lives at most. */
const LIFE_MS_MAX = 1_500;
const START_MS_MAX = 60_000;

export async function killRecorders({ kills, seed, parallel = 1, onKill }) {
  const random = seededRandom(seed);
  const market = start(["dev", "--port", "0", "--admin-port", "0"]);
  const results = [];
  try {
    const [, port] = await market.waitFor(/on 127\.0\.0\.1:(\d+)/);
    const url = `http://127.0.0.1:${port}`;
    const lives = Array.from({ length: kills }, () => Math.floor(random() * LIFE_MS_MAX));
    for (let first = 0; first < kills; first += parallel) {
      const some = lives.slice(first, first + parallel).map((afterMs) => killOne(url, afterMs));
      for (const kill of await Promise.all(some)) {
        onKill?.(kill, results.length);
        results.push(kill);
      }
    }
  } finally {
    await market.stop("SIGTERM");
  }
  return results;
}

async function killOne(url, afterMs) {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-kill-"));
  try {
    // Small files, so that a kill may also fall into the change from one to the next.
    const how = ["--json", "--flush", "0.05", "--file-size", "15000"];
    const recorder = start(["record", "simulated:*/*", "--url", url, "--out", folder, ...how]);
    await recorder.waitFor(/"storedEvents":[1-9]/);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await recorder.stop("SIGKILL");
    const lines = recorder.output().split("\n").slice(0, -1);
    const flushedEvents = JSON.parse(lines.at(-1)).storedEvents;
    return { afterMs, flushedEvents, ...(await readBack(folder)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readBack(folder) {
  const built = join(ROOT, "dist/services/recording/reading/recording.js");
  const { Recording } = await import(built);
  const { readBusBatch, lastSequenceOf } = await import("@tickwire/proto/codec");
  const recording = await Recording.open(folder);
  const positions = new Map();
  const brokenTopics = new Set();
  let readEvents = 0;
  for await (const entries of recording.entries()) {
    for (const entry of entries) {
      const name = `${entry.topic.symbol}/${entry.topic.channel}`;
      if (entry.kind === "notice") {
        positions.delete(name);
        continue;
      }
      const batch = readBusBatch(entry.bytes);
      const known = positions.get(name);
      const isNews = !batch.snapshot;
      if (isNews) readEvents += batch.count;
      if (isNews && known !== undefined && known !== batch.baseSequence) brokenTopics.add(name);
      positions.set(name, lastSequenceOf(batch));
    }
  }
  const files = recording.files.length;
  return { readEvents, files, ...recording.damage, brokenTopics: [...brokenTopics] };
}

function start(args) {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_"));
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: ROOT,
    env: Object.fromEntries(environment),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let complaints = "";
  let onOutput = () => undefined;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
    onOutput();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    complaints += text;
  });
  const ended = new Promise((resolve) => {
    child.once("close", () => {
      resolve();
      onOutput();
    });
  });
  return {
    output: () => output,
    async waitFor(pattern) {
      const timer = setTimeout(() => child.kill("SIGKILL"), START_MS_MAX);
      try {
        for (;;) {
          const match = pattern.exec(output);
          if (match !== null) return match;
          if (child.exitCode !== null || child.signalCode !== null) {
            throw new Error(`${args[0]} ended without ${pattern}: ${complaints}`);
          }
          await new Promise((resolve) => {
            onOutput = resolve;
          });
        }
      } finally {
        clearTimeout(timer);
      }
    },
    async stop(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

/** Mulberry32: the same moments for the same seed. */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
