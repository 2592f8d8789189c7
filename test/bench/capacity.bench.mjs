// Measures what services/cli/capacity/costs.ts counts with, and how far the model is from points
// that it was not fitted to. Runs on the build:
//
//   npm run build && node test/bench/capacity.bench.mjs [--json FILE]
//
// A server with publisher, bus and gateway has one core, readers in C another. All servers are
// there for all rounds and have run for a while, as processes that carry a load have. What the
// publisher takes is measured under the same load in a server of which nobody wants anything, and
// taken off: a gateway publishes nothing, and a plan counts it with the ingestors.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { compiled } from "./load/stand.mjs";
import { fit, modelUs } from "./capacity/fit.mjs";
import { natsCosts } from "./capacity/nats-costs.mjs";
import { openServers, POINTS, pointOf } from "./capacity/points.mjs";
import { COSTS } from "#cli/capacity/costs.ts";

const ROUNDS = 3;

const { values } = parseArgs({ options: { json: { type: "string" } } });
const print = (line) => process.stdout.write(`${line}\n`);
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

/**
 * Each point in each round, and the means of its figures: of what is not done in each of them, such
 * as collecting garbage, each has to have its part.
 */
async function measurePoints() {
  const servers = await openServers();
  const samples = new Map(POINTS.map((point) => [point, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const point of POINTS) samples.get(point).push(await pointOf(point, servers));
  }
  await Promise.all([...servers.values()].map((server) => server.end()));
  return POINTS.map((point) => {
    const rounds = samples.get(point);
    const figures = Object.keys(rounds[0]).map((key) => [
      key,
      mean(rounds.map((each) => each[key])),
    ]);
    return { ...point, ...Object.fromEntries(figures) };
  });
}

function printCosts(fitted) {
  for (const [name, us] of Object.entries(fitted)) {
    const known = COSTS[name] === undefined ? "" : `, COSTS has ${COSTS[name]}`;
    print(`${name} ${us.toFixed(2)}${known}`);
  }
}

/** What was measured beside what a set of costs says of it. */
function printPoints(points, title, costs) {
  print(title);
  const there = points.filter(({ kind, messages }) => kind !== "publisher" && messages > 0);
  for (const point of there) {
    const model = modelUs(point, costs);
    const cores = (us) => (us / 1e6).toFixed(3);
    const said = `${cores(point.gatewayUs)} cores measured, ${cores(model)} by the model`;
    const busy = point.isBusy > 0 ? ", of a core that was busy all the time" : "";
    print(
      `  ${point.kind}: ${point.name}: ${said}, ${(model / point.gatewayUs).toFixed(2)}${busy}`,
    );
  }
}

if (compiled("readers") === undefined) print("left out: there is no C compiler for the readers");
else {
  const nats = await natsCosts();
  if (nats === undefined) print("left out: there is no nats-server");
  const points = await measurePoints();
  const fitted = fit(points);
  printCosts({ ...nats, ...fitted });
  printPoints(points, "by the costs of this run:", { ...COSTS, ...nats, ...fitted });
  printPoints(points, "by COSTS:", COSTS);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(points, undefined, 2));
}
