// Ingestors as processes, which publish the simulated market of another process on NATS: what they
// published so far, and the processor time that it took them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PROGRAM = new URL("../../../services/cli/tickwire.mjs", import.meta.url).pathname;
/** Variables of the tests would be settings to the program. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("TICKWIRE_")),
);

/** The JSON lines that a service logs, until one of them is as asked. */
async function logged(child, isWanted) {
  for await (const line of createInterface(child.stderr)) {
    if (!line.startsWith("{")) throw new Error(`an ingestor says ${line}`);
    const fields = JSON.parse(line);
    if (isWanted(fields)) return fields;
  }
  throw new Error("an ingestor ended before it was ready");
}

/** Starts one, of the whole market or of a shard of it, and waits until it publishes. */
async function startIngestor(natsUrl, venue) {
  const env = {
    ...ENVIRONMENT,
    TICKWIRE_BUS__NATS__SERVERS: natsUrl,
    TICKWIRE_INGEST__VENUES: JSON.stringify([venue]),
  };
  const child = spawn(process.execPath, [PROGRAM, "ingest", "--admin-port", "0"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let port;
  await logged(child, (fields) => {
    if (fields.msg === "admin server listens") ({ port } = fields);
    return fields.msg === "this ingestor publishes";
  });
  child.stderr.resume();
  return { child, url: `http://127.0.0.1:${port}/metrics` };
}

const EVENTS = /^tickwire_ingest_events_total\{.*\} (\d+)$/gm;
const CPU = /^process_cpu_seconds_total ([\d.e+-]+)$/m;

/** Ingestors that share a market, as many as are asked for. */
export async function startIngestors({ natsUrl, endpoints, count }) {
  const shards = Array.from({ length: count }, (_, index) =>
    count === 1 ? {} : { shard: `${index + 1}/${count}` },
  );
  const all = await Promise.all(
    shards.map((shard) => startIngestor(natsUrl, { id: "simulated", endpoints, ...shard })),
  );
  return {
    async mark() {
      const texts = await Promise.all(all.map(async ({ url }) => await (await fetch(url)).text()));
      const sum = { events: 0, cpuUs: 0 };
      for (const text of texts) {
        for (const [, events] of text.matchAll(EVENTS)) sum.events += Number(events);
        sum.cpuUs += 1e6 * Number(CPU.exec(text)[1]);
      }
      return sum;
    },
    async end() {
      for (const { child } of all) child.kill("SIGKILL");
      await Promise.all(all.map(({ child }) => once(child, "exit")));
    },
  };
}
