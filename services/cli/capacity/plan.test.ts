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
    expect(gatewayLoad(SMALL, 100_000, 1).topics).toBeCloseTo(100);
    expect(gatewayLoad(SMALL, 100_000, 4).topics).toBeCloseTo(25);
  });

  test("has no more frames than intervals of its flush bound", () => {
    const busy = { ...SMALL, ticksPerSecond: 1_000_000, flushIntervalMs: 100 };
    expect(gatewayLoad(busy, 50, 1).frames).toBeCloseTo(50 * 10);
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
    coresPerMachine: fc.constantFrom(1, 8, 64),
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
        expect(gateways.coresEach).toBeLessThanOrEqual(LIMITS.utilization);
        expect(gateways.sessionsEach).toBeLessThanOrEqual(LIMITS.sessionsPerGateway);
        expect(gateways.processes * gateways.sessionsEach).toBeGreaterThanOrEqual(demand.sessions);
        const ofMachines = plan.machines * demand.coresPerMachine * LIMITS.utilization;
        expect(plan.cores).toBeLessThanOrEqual(Math.max(ofMachines, LIMITS.utilization) + 1e-9);
      }),
    );
  });

  test("has clusters of NATS that are no larger than a cluster may be", () => {
    const plan = planCapacity({ ...HUGE, coresPerMachine: 1 });
    const { servers = 0, clusters = 0 } = plan.nats ?? {};
    expect(clusters).toBeGreaterThan(1);
    expect(servers).toBeLessThanOrEqual(clusters * LIMITS.natsServersPerCluster);
  });
});
