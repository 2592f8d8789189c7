// The benchmark suite. Runs on the build:
//
//   npm run bench -- [NAME...] [--quick] [--rounds N] [--only TEXT] [--compare] [--save RELEASE]
//
// Each benchmark runs in a process of its own, alternates its candidates, prints a table, and
// writes its figures to test/bench/results/latest. --compare says what moved since the last release
// that was saved, beyond the noise; --save keeps the figures as those of a release.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { movedRows } from "./suite/compare.mjs";
import { machine, measureQuickly } from "./suite/measure.mjs";
import { notes } from "./suite/notes.mjs";
import { formatTable } from "./suite/table.mjs";

/** Each is read when it is wanted. */
const BENCHMARKS = {
  ingest: () => import("./suite/ingest.mjs"),
  book: () => import("./suite/book.mjs"),
  codec: () => import("./suite/codec.mjs"),
  messages: () => import("./suite/messages.mjs"),
  bytes: () => importTypeScript("./suite/bytes.ts"),
  fanout: () => import("./suite/fanout.mjs"),
  peers: () => import("./suite/peers.mjs"),
  latency: () => import("./suite/latency.mjs"),
  memory: () => import("./suite/memory.mjs"),
  instruments: () => import("./suite/instrument-memory.mjs"),
  client: () => import("./suite/client.mjs"),
  bundle: () => import("./suite/bundle.mjs"),
  stall: () => import("./suite/stall.mjs"),
  start: () => import("./suite/start.mjs"),
  scale: () => import("./suite/scale.mjs"),
};
const RESULTS = join(import.meta.dirname, "results");
const LATEST = join(RESULTS, "latest");
const ROUNDS = 5;
const ROUNDS_QUICK = 1;

const print = (text) => process.stdout.write(`${text}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    compare: { type: "boolean", default: false },
    save: { type: "string" },
    /** For processes of the suite itself. */
    child: { type: "boolean", default: false },
  },
});

const names = positionals.length === 0 ? Object.keys(BENCHMARKS) : positionals;
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));

if (unknown.length > 0) {
  const known = Object.keys(BENCHMARKS).join(", ");
  process.stderr.write(`there is no benchmark ${unknown.join(", ")}; there are ${known}\n`);
  process.exitCode = 2;
} else if (values.child) await measure(names[0]);
else await runAll();

/** A benchmark that measures with the tests' own tools. Node 20 does not read TypeScript. */
async function importTypeScript(path) {
  const { runnerImport } = await import("vite");
  const conditions = ["source"];
  const { module } = await runnerImport(new URL(path, import.meta.url).pathname, {
    configFile: false,
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
  });
  return module;
}

/** One benchmark, in this process. */
async function measure(name) {
  const rounds = Number(values.rounds ?? (values.quick ? ROUNDS_QUICK : ROUNDS));
  const about = machine();
  if (values.quick) measureQuickly();
  const startedMs = performance.now();
  const benchmark = await BENCHMARKS[name]();
  const rows = await benchmark.run({ rounds, quick: values.quick, only: values.only });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  print(`\n${name}: ${benchmark.about} (${rounds} rounds, ${seconds} s)`);
  const noted = notes();
  for (const note of noted) print(`note: ${note}`);
  print(formatTable(rows));
  const { quick } = values;
  const result = { name, machine: about, quick, rounds, seconds, notes: noted, rows };
  mkdirSync(LATEST, { recursive: true });
  writeFileSync(join(LATEST, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

async function runAll() {
  const { cpu, cores, node, platform, loadAtStart } = machine();
  print(`${cpu}, ${cores} cores, ${platform}, Node ${node}, load ${loadAtStart} at the start`);
  for (const name of names) {
    rmSync(join(LATEST, `${name}.json`), { force: true });
    const args = [name, "--child", ...process.argv.slice(2).filter((word) => word !== name)];
    const child = fork(import.meta.filename, args, { execArgv: ["--expose-gc"] });
    const [code] = await once(child, "exit");
    if (code !== 0) {
      process.stderr.write(`${name} failed with exit code ${code}\n`);
      process.exitCode = 1;
    }
  }
  if (values.compare) compare();
  if (values.save !== undefined) save(values.save);
}

function readResult(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Names such as 0.10.0 sort behind 0.9.0. */
function lastRelease() {
  const files = existsSync(RESULTS) ? readdirSync(RESULTS) : [];
  const order = new Intl.Collator("en", { numeric: true });
  return files
    .filter((file) => file.endsWith(".json"))
    .toSorted(order.compare)
    .at(-1);
}

function compare() {
  const file = lastRelease();
  if (file === undefined) {
    print("\nno release was saved yet, so there is nothing to compare with");
    return;
  }
  const release = readResult(join(RESULTS, file));
  print(`\nmoved since ${file.replace(".json", "")}, beyond the noise:`);
  for (const name of names) {
    const now = readResult(join(LATEST, `${name}.json`));
    const before = release.results.find((result) => result.name === name);
    if (now === undefined || before === undefined) continue;
    const lines = movedRows(before, now);
    print(
      lines.length === 0 ? `${name}: nothing` : lines.map((line) => `${name}: ${line}`).join("\n"),
    );
  }
}

function save(release) {
  if (values.quick || values.only !== undefined || process.exitCode === 1) {
    process.stderr.write("nothing is saved: a release has all rows of a run that did not fail\n");
    process.exitCode = 1;
    return;
  }
  const results = names.map((name) => readResult(join(LATEST, `${name}.json`)));
  const file = join(RESULTS, `${release}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ release, results: results.filter(Boolean) }, undefined, 2)}\n`,
  );
  print(`\nsaved as test/bench/results/${release}.json`);
}
