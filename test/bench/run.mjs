// The benchmark suite. Runs on the build:
//
//   npm run bench -- [NAME...] [--quick] [--long] [--rounds N] [--only TEXT] [--compare]
//                    [--save RELEASE]
//
// Each benchmark runs in a process of its own, alternates its candidates, prints a table, and
// writes its figures to test/bench/results/latest. --compare says what moved since the last release
// that was saved, beyond the noise; --save keeps the figures as those of a release. --long takes
// as long as it takes to see what only grows slowly.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { movedRows } from "./suite/compare.mjs";
import { machine, measureQuickly } from "./suite/measure.mjs";
import { notes } from "./suite/notes.mjs";
import { formatTable } from "./suite/table.mjs";

/**
 * Each is read when it is wanted. All of them are to take less than twelve minutes. What is a ratio
 * has five rounds, of looks that are short; two are there where a round starts processes and fills
 * them, one where the figures are bytes that are the same each time. `--rounds` gives one more.
 * What counts bytes, and no time, is done last, two at once.
 */
const BENCHMARKS = {
  ingest: { load: () => import("./suite/ingest.mjs"), rounds: 5 },
  book: { load: () => import("./suite/book.mjs"), rounds: 5 },
  codec: { load: () => import("./suite/codec.mjs"), rounds: 5 },
  messages: { load: () => import("./suite/messages.mjs"), rounds: 5 },
  fanout: { load: () => import("./suite/fanout.mjs"), rounds: 5 },
  peers: { load: () => import("./suite/peers.mjs"), rounds: 5 },
  latency: { load: () => import("./suite/latency.mjs"), rounds: 5 },
  client: { load: () => import("./suite/client.mjs"), rounds: 5 },
  stall: { load: () => import("./suite/stall.mjs"), rounds: 2 },
  start: { load: () => import("./suite/start.mjs"), rounds: 5 },
  scale: { load: () => import("./suite/scale.mjs"), rounds: 5 },
  memory: { load: () => import("./suite/memory.mjs"), rounds: 2, isOfBytes: true },
  bytes: { load: () => importTypeScript("./suite/bytes.ts"), rounds: 1, isOfBytes: true },
  instruments: {
    load: () => import("./suite/instrument-memory.mjs"),
    rounds: 1,
    isOfBytes: true,
  },
  bundle: { load: () => import("./suite/bundle.mjs"), rounds: 1, isOfBytes: true },
};
const RESULTS = join(import.meta.dirname, "results");
const LATEST = join(RESULTS, "latest");
const ROUNDS_QUICK = 1;
const LANES_OF_BYTES = 2;

const print = (text) => process.stdout.write(`${text}\n`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
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
  const { load, rounds: usual } = BENCHMARKS[name];
  const rounds = Number(values.rounds ?? (values.quick ? ROUNDS_QUICK : usual));
  const about = machine();
  if (values.quick) measureQuickly();
  const startedMs = performance.now();
  const benchmark = await load();
  const { quick, long, only } = values;
  const rows = await benchmark.run({ rounds, quick, long, only });
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  print(`\n${name}: ${benchmark.about} (${rounds} rounds, ${seconds} s)`);
  const noted = notes();
  for (const note of noted) print(`note: ${note}`);
  print(formatTable(rows));
  const result = { name, machine: about, quick, long, rounds, seconds, notes: noted, rows };
  mkdirSync(LATEST, { recursive: true });
  writeFileSync(join(LATEST, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}

async function runAll() {
  const { cpu, cores, node, platform, loadAtStart } = machine();
  print(`${cpu}, ${cores} cores, ${platform}, Node ${node}, load ${loadAtStart} at the start`);
  const startedMs = performance.now();
  const took = [];
  const runEach = async (waiting) => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      took.push({ name, seconds: await runApart(name) });
    }
  };
  await runEach(names.filter((name) => BENCHMARKS[name].isOfBytes !== true));
  const ofBytes = names.filter((name) => BENCHMARKS[name].isOfBytes);
  await Promise.all(Array.from({ length: LANES_OF_BYTES }, () => runEach(ofBytes)));
  const sum = Math.round((performance.now() - startedMs) / 1_000);
  const each = took.map(({ name, seconds }) => `${name} ${seconds}`).join(", ");
  print(`\ntook ${sum} s: ${each}; load ${machine().loadAtStart} at the end`);
  if (values.compare) compare();
  if (values.save !== undefined) save(values.save);
}

/** A benchmark in a process of its own; says how many seconds it took. */
async function runApart(name) {
  rmSync(join(LATEST, `${name}.json`), { force: true });
  const args = [name, "--child", ...optionsOf(values)];
  const startedMs = performance.now();
  const child = fork(import.meta.filename, args, { execArgv: ["--expose-gc"] });
  const [code] = await once(child, "exit");
  if (code !== 0) {
    process.stderr.write(`${name} failed with exit code ${code}\n`);
    process.exitCode = 1;
  }
  return Math.round((performance.now() - startedMs) / 1_000);
}

/** What the process of one benchmark is told. */
function optionsOf({ quick, long, rounds, only }) {
  return [
    ...(quick ? ["--quick"] : []),
    ...(long ? ["--long"] : []),
    ...(rounds === undefined ? [] : ["--rounds", rounds]),
    ...(only === undefined ? [] : ["--only", only]),
  ];
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
  if (values.quick) {
    print("\nnothing is compared: the figures of a quick run mean nothing");
    return;
  }
  const release = readResult(join(RESULTS, file));
  print(`\nmoved since ${file.replace(".json", "")}, beyond the noise:`);
  for (const name of names) {
    const now = readResult(join(LATEST, `${name}.json`));
    const before = release.results.find((result) => result.name === name);
    if (now === undefined) continue;
    if (before === undefined) {
      print(`${name}: the release has no figures of it`);
      continue;
    }
    const lines = movedRows(before, now, { isPart: values.only !== undefined });
    print((lines.length === 0 ? ["nothing"] : lines).map((line) => `${name}: ${line}`).join("\n"));
  }
}

/** What was measured takes the place of its like; the others of a release stay. */
function save(release) {
  if (values.quick || values.only !== undefined || process.exitCode === 1) {
    process.stderr.write("nothing is saved: a release has all rows of a run that did not fail\n");
    process.exitCode = 1;
    return;
  }
  const file = join(RESULTS, `${release}.json`);
  const saved = readResult(file)?.results ?? [];
  const results = Object.keys(BENCHMARKS).flatMap((name) => {
    const measured = names.includes(name) ? readResult(join(LATEST, `${name}.json`)) : undefined;
    return measured ?? saved.find((result) => result.name === name) ?? [];
  });
  writeFileSync(file, `${JSON.stringify({ release, results }, undefined, 2)}\n`);
  const missing = Object.keys(BENCHMARKS).filter((name) => !results.some((is) => is.name === name));
  print(`\nsaved as test/bench/results/${release}.json`);
  if (missing.length > 0) print(`it has no figures of ${missing.join(", ")} yet`);
}
