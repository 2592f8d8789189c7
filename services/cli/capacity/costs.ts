/**
 * What things cost, as the model of capacity counts with: microseconds of CPU time, or bytes.
 * docs/capacity.md says on which machine they were measured. Change them with the same benchmarks.
 */
export const COSTS = {
  /** A gateway writes a frame to a socket. */
  frameUs: 8.8,
  /** A batch is put into a session's frame. */
  deliveryUs: 0.2,
  /** A gateway takes a message from its bus; the work of its publisher is in it. */
  messageUs: 7,
  /** A gateway with workers hands a message on to one of them, which takes it. */
  handOnUs: 2.8,
  /** A gateway's NATS client receives a message. */
  natsReadUs: 0.7,
  /** A conflated view reads an event. */
  viewEventUs: 1,
  /** An ingestor turns a venue's frame into an encoded event. */
  ingestEventUs: 2.3,
  /** An ingestor's NATS client publishes a message. */
  natsPublishUs: 1.2,
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
  frameUs: "npm run bench -- fanout (1 topic, 1,000 sessions, 16 ticks a turn), measured",
  deliveryUs: "npm run bench -- fanout (1,000 topics), fitted to four measured loads",
  messageUs: "the same",
  handOnUs: "npm run bench -- scale, measured: half of what two workers take more than one thread",
  natsReadUs: "test/bench/capacity.bench.mjs, measured",
  viewEventUs: "npm run bench -- codec, an estimate: decode and encode of a batch of one",
  ingestEventUs: "npm run bench -- ingest (coinbase, a batch per frame), measured",
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
