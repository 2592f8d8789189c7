/**
 * What things cost, as the model of capacity counts with: microseconds of CPU time, or bytes.
 * docs/capacity.md says on which machine they were measured. Change them with the same benchmarks.
 */
export const COSTS = {
  /** A gateway writes a frame to a socket. */
  frameUs: 9,
  /** A batch is put into a session's frame. */
  deliveryUs: 0.08,
  /** A gateway takes a message from its bus, checks and keeps it. */
  messageUs: 9,
  /** A gateway with workers hands a message on to one of them, which takes it. */
  handOnUs: 4,
  /** A gateway receives a message from NATS, beside what its own bus would take. */
  natsReadUs: 4,
  /** A conflated view reads an event. */
  viewEventUs: 1,
  /** An ingestor reads a frame of one event from its socket, and has it numbered and encoded. */
  ingestEventUs: 23,
  /** An ingestor's NATS client publishes a message. */
  natsPublishUs: 1.6,
  /** nats-server takes a message, or hands one on. */
  natsServerUs: 0.45,
  /** A batch of a topic in a frame, without its events. */
  batchBytes: 8,
  /** An event in a batch. */
  eventBytes: 16,
  /** What WebSocket, TCP and IP add to a frame. */
  packetBytes: 70,
  /** A process that carries nothing. */
  processBytes: 150 * 2 ** 20,
  /** A worker of a gateway that carries nothing, with its ring of messages. */
  workerBytes: 44 * 2 ** 20,
  /** A session of a gateway that has no topic. */
  sessionBytes: 4_600,
  /** One topic of one session. */
  subscriptionBytes: 150,
  /** A topic that is read by a gateway, with its history. */
  topicBytes: 130 * 2 ** 10,
  /** An instrument of an ingestor. */
  instrumentBytes: 84 * 2 ** 10,
};

/** The benchmark that measures each of the costs. */
export const COST_SOURCES: Readonly<Record<keyof typeof COSTS, string>> = {
  frameUs: "npm run bench -- fanout (1 topic), measured: between 1,000 and 5,000 sessions",
  deliveryUs: "npm run bench -- fanout and test/bench/capacity.bench.mjs, fitted to their loads",
  messageUs: "the same",
  handOnUs: "npm run bench -- scale, measured: half of what two workers take more than one thread",
  natsReadUs: "npm run bench -- scale, measured: one gateway with NATS and without",
  viewEventUs: "npm run bench -- codec, an estimate: decode and encode of a batch of one",
  ingestEventUs: "npm run bench -- scale (ingestors of a simulated market), measured",
  natsPublishUs: "test/bench/capacity.bench.mjs, measured",
  natsServerUs: "test/bench/capacity.bench.mjs, measured",
  batchBytes: "npm run bench -- bytes, an estimate",
  eventBytes: "npm run bench -- bytes, an estimate",
  packetBytes: "the headers of IPv4, TCP with time stamps, Ethernet and WebSocket, counted",
  processBytes: "the resident size of an idle gateway, an estimate",
  workerBytes: "docs/workers.md, and gateway.workerRingBytes, measured",
  sessionBytes: "npm run bench -- memory: resident, of 10,000 idle sessions, measured",
  subscriptionBytes: "the same of sessions with 1 and with 10 topics, measured",
  topicBytes: "4,096 batches of one trade at a gateway, in use, measured",
  instrumentBytes: "npm run bench -- instruments: a busy one, in use, measured",
};

/** What a plan keeps within. */
export const LIMITS = {
  /** Share of a core that may be busy on average. */
  utilization: 0.6,
  /** A process that ends lets so many sessions come back at once. */
  sessionsPerGateway: 50_000,
  /** So many times the fewest processes are taken where that makes fewer groups of topics. */
  processesForFewerGroups: 1.1,
  natsServersMin: 3,
  /** Each server of a cluster is connected with each other one. */
  natsServersPerCluster: 9,
};
