import { COSTS, LIMITS } from "./costs.ts";

/** What is to be carried. */
export type Demand = {
  readonly sessions: number;
  /** Topics in all, which share the ticks evenly. */
  readonly topics: number;
  /** Events a second, of all topics together. */
  readonly ticksPerSecond: number;
  readonly topicsPerSession: number;
  /** Events that a publisher puts into one message; 1 is the most work. */
  readonly ticksPerMessage: number;
  /** At which sessions ask for their topics; 0 is every event. */
  readonly conflationIntervalMs: number;
  /** How long a gateway may wait to send more in one frame; 0 is not at all. */
  readonly flushIntervalMs: number;
  /** Threads of a gateway that serve its port; 1 is a gateway without workers. */
  readonly workers: number;
  /** Of one machine. */
  readonly coresPerMachine: number;
};

/** The gateways that carry the sessions. */
type Gateways = {
  readonly processes: number;
  /** Each group serves a part of the topics, to sessions that want topics of that part. */
  readonly groups: number;
  readonly sessionsEach: number;
  readonly messagesReadEachPerSecond: number;
  readonly framesEachPerSecond: number;
  /** Threads of each process that serve sessions. */
  readonly workersEach: number;
  /** Of the busiest thread of each process. */
  readonly coresOfThread: number;
  /** Of each process, and for how much of it reading the bus is to blame. */
  readonly coresEach: number;
  readonly coresReadingEach: number;
  readonly memoryBytesEach: number;
  readonly egressBitsPerSecond: number;
};

type Ingestors = {
  readonly processes: number;
  readonly cores: number;
  readonly memoryBytes: number;
};

type Nats = {
  readonly messagesInPerSecond: number;
  readonly messagesOutPerSecond: number;
  readonly cores: number;
  readonly servers: number;
  readonly clusters: number;
};

export type Plan = {
  readonly ingestors: Ingestors;
  readonly gateways: Gateways;
  /** Undefined where one process does everything, over the bus of its memory. */
  readonly nats: Nats | undefined;
  readonly cores: number;
  readonly machines: number;
};

/** What one gateway has to do. */
type GatewayLoad = {
  /** From the bus, which a process reads once for all of its threads. */
  readonly messagesRead: number;
  readonly frames: number;
  readonly readingUs: number;
  readonly cpuUs: number;
  /** Of the thread that has the most to do. */
  readonly threadUs: number;
  /** Each worker keeps those of its own sessions, so that one counts for each that has it. */
  readonly topicsKept: number;
};

/** CPU time of a second that a thread may use, so that a burst is no overload. */
const BUDGET_US = LIMITS.utilization * 1e6;

/** Of a session: messages of its topics that are sent to it, and the frames that they share. */
function perSession(demand: Demand): { readonly deliveries: number; readonly frames: number } {
  const { topicsPerSession, conflationIntervalMs, flushIntervalMs } = demand;
  const ofTopic = messagesOfTopic(demand);
  const shown =
    conflationIntervalMs === 0 ? ofTopic : Math.min(ofTopic, 1_000 / conflationIntervalMs);
  const deliveries = topicsPerSession * shown;
  if (flushIntervalMs === 0) return { deliveries, frames: deliveries };
  // Messages come as they like: a frame leaves for every interval in which there was one.
  const seconds = flushIntervalMs / 1_000;
  return { deliveries, frames: (1 - Math.exp(-deliveries * seconds)) / seconds };
}

function messagesOfTopic({ ticksPerSecond, topics, ticksPerMessage }: Demand): number {
  return ticksPerSecond / topics / ticksPerMessage;
}

/** Topics that at least one of so many sessions wants, where each wants topics at random. */
function topicsOf({ topics, topicsPerSession }: Demand, sessions: number, groups: number): number {
  const all = topics / groups;
  const share = Math.min(1, topicsPerSession / all);
  return all * (1 - (1 - share) ** sessions);
}

/** A gateway with so many sessions, in one of so many groups. */
export function gatewayLoad(demand: Demand, sessions: number, groups: number): GatewayLoad {
  const { workers } = demand;
  const perTopic = messagesOfTopic(demand);
  const { deliveries, frames } = perSession(demand);
  const messagesRead = topicsOf(demand, sessions, groups) * perTopic;
  const topicsOfWorker = topicsOf(demand, sessions / workers, groups);
  const messagesOfWorker = topicsOfWorker * perTopic;
  const viewUs = demand.conflationIntervalMs === 0 ? 0 : demand.ticksPerMessage * COSTS.viewEventUs;
  // What a message costs is the most that it can take a worker, and is counted once in all.
  const workerReadingUs = messagesOfWorker * (COSTS.messageUs + viewUs);
  const readingUs = messagesRead * COSTS.messageUs + workers * messagesOfWorker * viewUs;
  const sessionsUs = sessions * (deliveries * COSTS.deliveryUs + frames * COSTS.frameUs);
  const workerUs = workerReadingUs + sessionsUs / workers;
  // Without workers one thread does it all; with them another one reads, and hands on to each.
  const handedOn = workers === 1 ? 0 : workers * messagesOfWorker;
  const busUs = messagesRead * COSTS.natsReadUs + handedOn * COSTS.handOnUs;
  return {
    messagesRead,
    frames: sessions * frames,
    readingUs: busUs + readingUs,
    cpuUs: busUs + readingUs + sessionsUs,
    threadUs: workers === 1 ? busUs + workerUs : Math.max(busUs, workerUs),
    topicsKept: workers * topicsOfWorker,
  };
}

/** The most sessions that one gateway carries; 0 if it cannot carry one. */
function sessionsOfGateway(demand: Demand, groups: number): number {
  let carried = 0;
  let tooMany = Math.min(demand.sessions, LIMITS.sessionsPerGateway) + 1;
  while (tooMany - carried > 1) {
    const tried = Math.floor((carried + tooMany) / 2);
    if (gatewayLoad(demand, tried, groups).threadUs <= BUDGET_US) carried = tried;
    else tooMany = tried;
  }
  return carried;
}

/** Throws RangeError where no gateway could carry even one session. */
function planGateways(demand: Demand): Gateways {
  const choices: { readonly processes: number; readonly groups: number }[] = [];
  // A session has its topics in one group, which therefore has at least as many.
  for (let groups = 1; groups <= demand.topics / demand.topicsPerSession; groups *= 2) {
    const carried = sessionsOfGateway(demand, groups);
    if (carried === 0) continue;
    choices.push({ groups, processes: groups * Math.ceil(demand.sessions / groups / carried) });
  }
  const fewest = Math.min(...choices.map(({ processes }) => processes));
  // Groups have to be looked after, so that the last few processes are not worth more of them.
  const best = choices.find(
    ({ processes }) => processes <= fewest * LIMITS.processesForFewerGroups,
  );
  if (best === undefined) {
    throw new RangeError(
      "one session is more than one core can serve: give --interval-ms, --flush-ms or fewer topics a session",
    );
  }
  const { processes, groups } = best;
  const sessionsEach = Math.ceil(demand.sessions / processes);
  const load = gatewayLoad(demand, sessionsEach, groups);
  const { deliveries, frames } = perSession(demand);
  const eventsPerDelivery =
    demand.conflationIntervalMs === 0
      ? demand.ticksPerMessage
      : Math.min(messagesOfTopic(demand) * (demand.conflationIntervalMs / 1_000), 1) *
        demand.ticksPerMessage;
  const bytes = deliveries * (COSTS.batchBytes + eventsPerDelivery * COSTS.eventBytes);
  return {
    processes,
    groups,
    sessionsEach,
    messagesReadEachPerSecond: load.messagesRead,
    framesEachPerSecond: load.frames,
    workersEach: demand.workers,
    coresOfThread: load.threadUs / 1e6,
    coresEach: load.cpuUs / 1e6,
    coresReadingEach: load.readingUs / 1e6,
    memoryBytesEach:
      COSTS.processBytes +
      (demand.workers === 1 ? 0 : demand.workers * COSTS.workerBytes) +
      sessionsEach * (COSTS.sessionBytes + demand.topicsPerSession * COSTS.subscriptionBytes) +
      load.topicsKept * COSTS.topicBytes,
    egressBitsPerSecond: 8 * demand.sessions * (bytes + frames * COSTS.packetBytes),
  };
}

function planIngestors(demand: Demand): Ingestors {
  const messages = demand.ticksPerSecond / demand.ticksPerMessage;
  const cpuUs = demand.ticksPerSecond * COSTS.ingestEventUs + messages * COSTS.natsPublishUs;
  const processes = Math.max(1, Math.ceil(cpuUs / BUDGET_US));
  return {
    processes,
    cores: cpuUs / 1e6,
    memoryBytes: processes * COSTS.processBytes + demand.topics * COSTS.instrumentBytes,
  };
}

function planNats(demand: Demand, gateways: Gateways): Nats {
  const messagesIn = demand.ticksPerSecond / demand.ticksPerMessage;
  const messagesOut = gateways.processes * gateways.messagesReadEachPerSecond;
  const ofMachine = demand.coresPerMachine * LIMITS.utilization;
  let clusters = 1;
  for (;;) {
    // Every cluster gets each message once, whichever of its servers wants it.
    const cores = ((clusters * messagesIn + messagesOut) * COSTS.natsServerUs) / 1e6;
    const servers = Math.max(LIMITS.natsServersMin * clusters, Math.ceil(cores / ofMachine));
    if (servers <= LIMITS.natsServersPerCluster * clusters) {
      return {
        messagesInPerSecond: messagesIn,
        messagesOutPerSecond: messagesOut,
        cores,
        servers,
        clusters,
      };
    }
    clusters += 1;
  }
}

/**
 * What carries a demand, by what things cost. Throws RangeError if nothing does. The numbers of the
 * demand are above 0, but for the two intervals.
 */
export function planCapacity(demand: Demand): Plan {
  const ingestors = planIngestors(demand);
  const gateways = planGateways(demand);
  const cores = ingestors.cores + gateways.processes * gateways.coresEach;
  if (gateways.processes === 1 && demand.workers === 1 && cores <= LIMITS.utilization) {
    return { ingestors, gateways, nats: undefined, cores, machines: 1 };
  }
  const nats = planNats(demand, gateways);
  const all = cores + nats.cores;
  const machines = Math.ceil(all / (demand.coresPerMachine * LIMITS.utilization));
  return { ingestors, gateways, nats, cores: all, machines };
}
