// Empty projects that install the packages as `npm pack` makes them, as their users would.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** The compiler of this repository, for projects that need not have their own. */
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

/** Runs a program; rejects with all that it printed if it fails. */
export function run(program, args, { cwd, env = {}, timeoutMs = 240_000 }) {
  return new Promise((resolve, reject) => {
    const options = {
      cwd,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: OUTPUT_BYTES_MAX,
    };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** The packages as files in a folder. They must have been built. */
export async function packPackages(folder) {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const stdout = await run("npm", [...args, "-w", "proto", "-w", "clients/typescript"], {
    cwd: ROOT,
  });
  return JSON.parse(stdout).map(({ filename }) => join(folder, filename));
}

/**
 * Writes an empty project with these files, and installs the packages and others in it, unless
 * another one has done so in the same folder.
 */
export async function createProject(folder, { files, packages }) {
  mkdirSync(folder, { recursive: true });
  const manifest = { name: "a-user-of-tickwire", private: true, type: "module" };
  const all = { "package.json": `${JSON.stringify(manifest)}\n`, ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  if (existsSync(join(folder, "node_modules/@tickwire/client"))) return;
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", ...quiet, ...packages], { cwd: folder });
}

/** Checks the types of a project strictly, those of the packages included. */
export async function checkTypes(folder, options, files) {
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2022",
    lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
    types: [],
    ...options,
  };
  const config = { compilerOptions, files };
  writeFileSync(join(folder, "tsconfig.check.json"), JSON.stringify(config));
  await run(process.execPath, [TSC, "-p", "tsconfig.check.json"], { cwd: folder });
}

/** What every project does with a gateway, given its client: prints one line. */
export const SESSION = `
  const { instruments } = await client.rpc.listInstruments({ venue: "simulated" });
  let trades = 0;
  for await (const trade of client.trades("simulated:*")) {
    if (!/^\\d+(\\.\\d+)?$/.test(trade.priceText)) throw new Error("no price: " + trade.priceText);
    trades += 1;
    if (trades === 3) break;
  }
  let bid = "none";
  for await (const book of client.book(\`simulated:\${instruments[0]?.symbol}\`)) {
    bid = book.bbo.bid?.priceText ?? "none";
    if (bid !== "none") break;
  }
  client.close();
  const told = \`\${instruments.length > 0} \${trades} \${bid !== "none"} \${client.state}\`;
`;

/** What it prints when all is well: instruments, trades, a bid, the end. */
export const ALL_WELL = "true 3 true closed";
