import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COSTS, LIMITS } from "./costs.ts";
import { gatewayLoad, planCapacity, type Demand } from "./plan.ts";

const SMALL: Demand = {
  sessions: 100,
  topics: 100,
  ticksPerSecond: 200,
  topicsPerSession: 2,
  ticksPerMessage: 1,
  conflationIntervalMs: 0,
  flushIntervalMs: 0,
  workers: 1,
  coresPerMachine: 8,
};
const HUGE: Demand = {
  ...SMALL,
  sessions: 10_000_000,
  topics: 50_000,
  ticksPerSecond: 1_000_000,
  topicsPerSession: 10,
  conflationIntervalMs: 100,
  flushIntervalMs: 100,
};

describe("the load of a gateway", () => {
  test("is what its messages, deliveries and frames cost", () => {
    // 2 messages a second of each topic; one session, so 2 topics.
    const load = gatewayLoad(SMALL, 1, 1);
    expect(load.messagesRead).toBeCloseTo(4);
    expect(load.frames).toBeCloseTo(4);
    const reading = 4 * (COSTS.messageUs + COSTS.natsReadUs);
    expect(load.cpuUs).toBeCloseTo(reading + 4 * (COSTS.deliveryUs + COSTS.frameUs));
  });

  test("reads every topic once there are sessions enough", () => {
    expect(gatewayLoad(SMALL, 100_000, 1).messagesRead).toBeCloseTo(100 * 2);
    expect(gatewayLoad(SMALL, 100_000, 4).messagesRead).toBeCloseTo(25 * 2);
  });

  test("of several workers is read once, handed on to each, and shared by them", () => {
    // So many sessions that every worker has one for each of the topics: 2 messages a second each.
    const sessions = 400_000;
    const one = gatewayLoad(SMALL, sessions, 1);
    const four = gatewayLoad({ ...SMALL, workers: 4 }, sessions, 1);
    expect(four.messagesRead).toBeCloseTo(one.messagesRead);
    expect(four.frames).toBe(one.frames);
    expect(four.topicsKept).toBeCloseTo(4 * one.topicsKept);
    expect(four.cpuUs - one.cpuUs).toBeCloseTo(200 * 4 * COSTS.handOnUs);
    const ofSessions = one.cpuUs - 200 * (COSTS.messageUs + COSTS.natsReadUs);
    expect(four.threadUs).toBeCloseTo(200 * COSTS.messageUs + ofSessions / 4);
    expect(one.threadUs).toBe(one.cpuUs);
  });

  test("of many workers is that of the thread which reads for them, once it has more to do", () => {
    const busy = { ...SMALL, topicsPerSession: 100, ticksPerSecond: 100_000, workers: 64 };
    const load = gatewayLoad(busy, 64, 1);
    expect(load.messagesRead).toBeCloseTo(100_000);
    expect(load.threadUs).toBeCloseTo(100_000 * (COSTS.natsReadUs + 64 * COSTS.handOnUs));
  });

  test("has no more frames than intervals of its flush bound", () => {
    const busy = { ...SMALL, ticksPerSecond: 1_000_000, flushIntervalMs: 100 };
    expect(gatewayLoad(busy, 50, 1).frames).toBeCloseTo(50 * 10);
  });
});

describe("the model", () => {
  const MANY = { ...SMALL, topics: 1_000, topicsPerSession: 50, sessions: 1_000 };
  const ONE = { ...SMALL, topics: 1, topicsPerSession: 1 };
  /** What the publisher takes of a message where it is in the process that was measured. */
  const PUBLISHER_US = 4;

  // CPU microseconds a second that gateways and a publisher took on a machine at rest: those of one
  // process as `npm run bench -- fanout` measured them, those of several as `scale` did.
  test.each([
    { what: "1,000 messages at 40", ...MANY, messages: 1_000, turns: 40, measuredUs: 1_052_000 },
    { what: "1,000 messages at 12", ...MANY, messages: 1_000, turns: 12, measuredUs: 335_000 },
    { what: "256 messages at 40", ...MANY, messages: 256, turns: 40, measuredUs: 532_000 },
    { what: "64 messages at 60", ...MANY, messages: 64, turns: 60, measuredUs: 541_000 },
    { what: "256 messages at 12", ...MANY, messages: 256, turns: 12, measuredUs: 171_000 },
    { what: "2 workers", ...MANY, workers: 2, messages: 256, turns: 12, measuredUs: 198_000 },
    { what: "NATS", ...MANY, messages: 256, turns: 12, processes: 1, measuredUs: 190_000 },
    { what: "2 gateways", ...MANY, messages: 256, turns: 12, processes: 2, measuredUs: 247_000 },
    {
      what: "1,000 sessions",
      ...ONE,
      sessions: 1_000,
      messages: 1,
      turns: 40,
      measuredUs: 324_000,
    },
    {
      what: "5,000 sessions",
      ...ONE,
      sessions: 5_000,
      messages: 1,
      turns: 10,
      measuredUs: 490_000,
    },
  ])("is within a sixth of what was measured: $what", (point) => {
    const { messages, turns, measuredUs, sessions } = point;
    // What is published in a turn leaves in one frame, which a message alone is in any case.
    const flushIntervalMs = messages === 1 ? 0 : 1_000 / turns;
    const demand = { ...point, ticksPerSecond: messages * turns, flushIntervalMs };
    const overNats = "processes" in point;
    const processes = overNats ? point.processes : 1;
    const { cpuUs, messagesRead } = gatewayLoad(demand, sessions / processes, 1);
    const readUs = overNats ? 0 : messagesRead * COSTS.natsReadUs;
    const publishUs = messagesRead * (PUBLISHER_US + (overNats ? COSTS.natsPublishUs : 0));
    const modelUs = processes * (cpuUs - readUs) + publishUs;
    expect(modelUs / measuredUs).toBeGreaterThan(5 / 6);
    expect(modelUs / measuredUs).toBeLessThan(7 / 6);
  });
});

describe("a plan", () => {
  test("for little is one process without NATS", () => {
    const plan = planCapacity(SMALL);
    expect(plan).toMatchObject({ nats: undefined, machines: 1, gateways: { processes: 1 } });
  });

  test("for ten million sessions and a million ticks a second is a supercluster", () => {
    const plan = planCapacity(HUGE);
    expect(plan.gateways.processes * plan.gateways.sessionsEach).toBeGreaterThanOrEqual(10_000_000);
    expect(plan.gateways.processes).toBeGreaterThanOrEqual(10_000_000 / LIMITS.sessionsPerGateway);
    // Without groups, reading a million messages a second would be all that a gateway does.
    expect(plan.gateways.groups).toBeGreaterThan(1);
    expect(plan.nats?.clusters).toBeGreaterThanOrEqual(1);
  });

  test("is refused where one session is more than a core can serve", () => {
    const mad = { ...SMALL, topics: 2, ticksPerSecond: 10_000_000 };
    expect(() => planCapacity(mad)).toThrow(RangeError);
  });

  const demands = fc.record({
    sessions: fc.integer({ min: 1, max: 2_000_000 }),
    topics: fc.integer({ min: 10, max: 20_000 }),
    ticksPerSecond: fc.integer({ min: 1, max: 100_000 }),
    topicsPerSession: fc.integer({ min: 1, max: 10 }),
    ticksPerMessage: fc.constantFrom(1, 4, 16),
    conflationIntervalMs: fc.constantFrom(0, 100, 1_000),
    flushIntervalMs: fc.constantFrom(0, 25, 100),
    workers: fc.constantFrom(1, 2, 8),
    coresPerMachine: fc.constantFrom(8, 64),
  });

  const planOrNone = (demand: Demand) => {
    try {
      return planCapacity(demand);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  };

  test("keeps every gateway within its budget and has a place for every session", () => {
    fc.assert(
      fc.property(demands, (demand) => {
        const plan = planOrNone(demand);
        if (plan === undefined) return;
        const { gateways } = plan;
        expect(gateways.coresOfThread).toBeLessThanOrEqual(LIMITS.utilization);
        // The thread that reads the bus beside those that serve.
        const threads = demand.workers === 1 ? 1 : demand.workers + 1;
        expect(gateways.coresEach).toBeLessThanOrEqual(threads * gateways.coresOfThread + 1e-9);
        expect(gateways.sessionsEach).toBeLessThanOrEqual(LIMITS.sessionsPerGateway);
        expect(gateways.processes * gateways.sessionsEach).toBeGreaterThanOrEqual(demand.sessions);
        const ofMachines = plan.machines * demand.coresPerMachine * LIMITS.utilization;
        expect(plan.cores).toBeLessThanOrEqual(Math.max(ofMachines, LIMITS.utilization) + 1e-9);
      }),
    );
  });

  test("has fewer gateways with workers, and fewer copies of what NATS hands out", () => {
    const one = planCapacity(HUGE);
    const four = planCapacity({ ...HUGE, workers: 4 });
    expect(four.gateways.processes).toBeLessThan(one.gateways.processes / 2);
    expect(four.nats?.messagesOutPerSecond).toBeLessThan(one.nats?.messagesOutPerSecond ?? 0);
    const sessions = four.gateways.processes * four.gateways.sessionsEach;
    expect(sessions).toBeGreaterThanOrEqual(HUGE.sessions);
  });

  test("has clusters of NATS that are no larger than a cluster may be", () => {
    const plan = planCapacity({ ...HUGE, coresPerMachine: 1 });
    const { servers = 0, clusters = 0 } = plan.nats ?? {};
    expect(clusters).toBeGreaterThan(1);
    expect(servers).toBeLessThanOrEqual(clusters * LIMITS.natsServersPerCluster);
  });
});
