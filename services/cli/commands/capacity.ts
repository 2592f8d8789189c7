import { Command, InvalidArgumentError } from "commander";
import { COSTS, COST_SOURCES, LIMITS } from "../capacity/costs.ts";
import { planCapacity, type Demand, type Plan } from "../capacity/plan.ts";
import { printJson, printLines } from "../output/terminal.ts";
import { UsageError } from "../process/errors.ts";
import { parseCount } from "../process/parse-option.ts";

type CapacityOptions = {
  readonly sessions: number;
  readonly topics: number;
  readonly ticks: number;
  readonly topicsPerSession: number;
  readonly ticksPerMessage: number;
  readonly intervalMs: number;
  readonly flushMs: number;
  readonly workers: number;
  readonly cores: number;
  readonly json?: boolean;
  readonly costs?: boolean;
};

/** The longest interval of a view, and the longest wait of a flush, that a gateway takes. */
const VIEW_INTERVAL_MS_MAX = 10_000;
const FLUSH_INTERVAL_MS_MAX = 1_000;
/** What `gateway.workers` may be. */
const WORKERS_MAX = 64;
const COUNT_MAX = 1_000_000_000;

/** A whole number from 1. Throws commander's error, which names the option. */
function parsePositive(text: string): number {
  const count = parseCount(text);
  if (count < 1 || count > COUNT_MAX) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${COUNT_MAX}.`);
  }
  return count;
}

/** `tickwire capacity`: what carries so many sessions, topics and ticks. */
export function createCapacityCommand(): Command {
  return new Command("capacity")
    .description(
      "Computes how many gateways, ingestors, NATS servers and machines carry a load, by a model whose costs were measured.",
    )
    .requiredOption("--sessions <n>", "clients that are connected", parsePositive)
    .requiredOption("--topics <n>", "topics in all", parsePositive)
    .requiredOption("--ticks <n>", "events a second, of all topics together", parsePositive)
    .option("--topics-per-session <n>", "topics that a client has", parsePositive, 10)
    .option("--ticks-per-message <n>", "events that come in one message", parsePositive, 1)
    .option("--interval-ms <n>", "at which clients ask for their topics; 0 is all", parseCount, 0)
    .option("--flush-ms <n>", "gateway.flushIntervalMsMax", parseCount, 0)
    .option("--workers <n>", "gateway.workers, the threads of a gateway", parsePositive, 1)
    .option("--cores <n>", "of one machine", parsePositive, 8)
    .option("--costs", "print also what the model counts with, and where it comes from")
    .option("--json", "print a JSON object")
    .addHelpText(
      "after",
      `
The plan keeps ${LIMITS.utilization * 100} % of each core busy at most. Costs were measured on one kind of machine:
docs/capacity.md says which, and how to measure them on another.

Examples:
  tickwire capacity --sessions 500 --topics 200 --ticks 1000
  tickwire capacity --sessions 100000 --topics 5000 --ticks 50000 --interval-ms 100 --flush-ms 50
  tickwire capacity --sessions 10000000 --topics 50000 --ticks 1000000 --interval-ms 250 --flush-ms 100 --json`,
    )
    .action((options: CapacityOptions) => {
      const demand = demandOf(options);
      const plan = planOf(demand);
      const costs = options.costs === true ? { costs: COSTS, sources: COST_SOURCES } : {};
      if (options.json === true) printJson({ demand, plan, ...costs });
      else printLines(planText(plan) + (options.costs === true ? costsText() : ""));
    });
}

/** Throws UsageError for what no gateway would take. */
function demandOf(options: CapacityOptions): Demand {
  const { intervalMs, flushMs, topics, topicsPerSession, workers } = options;
  if (workers > WORKERS_MAX) throw new UsageError(`--workers is ${WORKERS_MAX} at most`);
  if (workers > options.cores) throw new UsageError("--workers is more than --cores of a machine");
  if (intervalMs > VIEW_INTERVAL_MS_MAX) {
    throw new UsageError(`--interval-ms is ${VIEW_INTERVAL_MS_MAX} at most`);
  }
  if (flushMs > FLUSH_INTERVAL_MS_MAX) {
    throw new UsageError(`--flush-ms is ${FLUSH_INTERVAL_MS_MAX} at most`);
  }
  if (topicsPerSession > topics) {
    throw new UsageError("--topics-per-session is more than --topics");
  }
  return {
    sessions: options.sessions,
    topics,
    ticksPerSecond: options.ticks,
    topicsPerSession,
    ticksPerMessage: options.ticksPerMessage,
    conflationIntervalMs: intervalMs,
    flushIntervalMs: flushMs,
    workers: options.workers,
    coresPerMachine: options.cores,
  };
}

function planOf(demand: Demand): Plan {
  try {
    return planCapacity(demand);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

const whole = (value: number): string => Math.ceil(value).toLocaleString("en-US");
const cores = (value: number): string => value.toFixed(2);
const mebibytes = (bytes: number): string => `${whole(bytes / 2 ** 20)} MiB`;

function threadsRow({ workersEach, coresOfThread }: Plan["gateways"]): readonly [string, string] {
  return ["", `${whole(workersEach)} workers, the busiest thread takes ${cores(coresOfThread)}`];
}

function planText({ gateways, ingestors, nats, ...plan }: Plan): string {
  const rows: (readonly [string, string])[] = [
    ["machines", `${whole(plan.machines)}, ${cores(plan.cores)} cores busy in all`],
  ];
  if (nats === undefined) rows.push(["processes", "one, as tickwire dev starts it: no NATS"]);
  rows.push(
    ["ingestors", `${whole(ingestors.processes)}, ${cores(ingestors.cores)} cores busy in all`],
    ["", `memory ${mebibytes(ingestors.memoryBytes)} in all`],
    [
      "gateways",
      `${whole(gateways.processes)} of ${whole(gateways.sessionsEach)} sessions, ` +
        `in ${whole(gateways.groups)} group${gateways.groups === 1 ? "" : "s"} of topics`,
    ],
    [
      "  each",
      `${cores(gateways.coresEach)} cores, ${cores(gateways.coresReadingEach)} of it for reading the bus`,
    ],
    ...(gateways.workersEach === 1 ? [] : [threadsRow(gateways)]),
    [
      "",
      `${whole(gateways.messagesReadEachPerSecond)} messages in, ${whole(gateways.framesEachPerSecond)} frames out a second`,
    ],
    ["", `memory ${mebibytes(gateways.memoryBytesEach)}`],
    ["  together", `${whole(gateways.egressBitsPerSecond / 1e6)} Mbit/s to clients`],
  );
  if (nats !== undefined) {
    rows.push(
      [
        "NATS",
        `${whole(nats.servers)} servers in ${whole(nats.clusters)} cluster${nats.clusters === 1 ? "" : "s"}, ${cores(nats.cores)} cores busy in all`,
      ],
      [
        "",
        `${whole(nats.messagesInPerSecond)} messages in, ${whole(nats.messagesOutPerSecond)} out a second`,
      ],
    );
  }
  return rows.map(([name, text]) => `${name.padEnd(12)}${text}\n`).join("");
}

function costsText(): string {
  const rows = Object.entries(COSTS).map(
    ([name, value]) =>
      `${name.padEnd(20)}${String(value).padStart(12)}  ${COST_SOURCES[name as keyof typeof COSTS]}\n`,
  );
  return `\n${rows.join("")}`;
}
