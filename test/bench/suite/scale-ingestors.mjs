// What a second ingestor of a venue costs, where each publishes the half of its instruments. All of
// them read the same market in the same moments, each on a NATS of its own, so that nothing has to
// take turns.
import { setTimeout as wait } from "node:timers/promises";
import { startIngestors } from "../load/ingestors.mjs";
import { serveMarket } from "../load/market.mjs";
import { startNats } from "../load/nats.mjs";
import { row } from "./measure.mjs";

/** The events are of one instrument. */
const MARKET = { instruments: 200, eventsPerSecond: 20, pace: "even" };
const COUNTS = { "1 ingestor": 1, "1 ingestor again": 1, "2 ingestors": 2 };
const WARM_MS = 4_000;
const MEASURED_MS = 1_200;

/** Microseconds of CPU for an event that was published, one figure a round, by candidate. */
async function measure(parts, rounds) {
  const samples = Object.fromEntries(Object.keys(parts).map((name) => [name, []]));
  const markAll = () => Promise.all(Object.values(parts).map((part) => part.mark()));
  await wait(WARM_MS);
  for (let round = 0; round < rounds; round += 1) {
    const before = await markAll();
    await wait(MEASURED_MS);
    const after = await markAll();
    for (const [index, name] of Object.keys(parts).entries()) {
      const events = after[index].events - before[index].events;
      samples[name].push((after[index].cpuUs - before[index].cpuUs) / events);
    }
  }
  return samples;
}

/** Rows; none where there is no nats-server. */
export async function ingestorRows(rounds) {
  const { instruments, eventsPerSecond } = MARKET;
  const name = `NATS, ingestors of one venue, ${instruments} instruments of ${eventsPerSecond} events/s`;
  const ends = [];
  try {
    const { endpoints, seen, stop } = await serveMarket(MARKET);
    ends.push(stop);
    const parts = {};
    for (const [candidate, count] of Object.entries(COUNTS)) {
      const nats = await startNats();
      if (nats === undefined) return [];
      ends.push(nats.stop);
      parts[candidate] = await startIngestors({ natsUrl: nats.url, endpoints, count });
      ends.push(parts[candidate].end);
    }
    const samples = await measure(parts, rounds);
    if (seen.skippedSteps > 0) {
      process.stdout.write(`${name}: the market left out ${seen.skippedSteps} steps\n`);
    }
    const reference = samples["1 ingestor"];
    return Object.entries(samples).map(([candidate, values]) =>
      row(name, candidate, "CPU us/event", values, values === reference ? {} : { reference }),
    );
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}
