import { z } from "zod";

const count = z.int().min(0);
const perSecond = z.number().min(0).nullable();
const timeUs = z.int();

const percentiles = z
  .strictObject({ count: count, p50Us: z.int(), p99Us: z.int() })
  .nullable()
  .describe("of the last 10 to 20 s, in microseconds; null if nothing was measured");

const processSchema = z.strictObject({
  service: z.string().describe("gateway, ingest or dev"),
  version: z.string(),
  node: z.string(),
  pid: count,
  uptimeSeconds: count,
  residentBytes: count,
});

const gatewaySummary = z.strictObject({
  address: z.string(),
  port: count,
  transport: z.enum(["uws", "node"]),
  notReady: z.array(z.string()).describe("why it should get no clients; empty if it should"),
  sessions: count,
  topics: count.describe("followed on the bus"),
  views: count.describe("cut or conflated, each once"),
  subscriptions: count.describe("topics of all sessions together"),
  instruments: count,
  framesPerSecond: perSecond.describe("null until it was asked for twice, a second apart"),
  bytesPerSecond: perSecond,
  lagMsMax: count.describe("of the slowest session"),
  queues: z.strictObject({
    inboxBytes: count.describe("frames of clients that wait to be read"),
    queriesWaiting: count.describe("questions to ingestors that wait for their turn"),
  }),
  limits: z.array(z.strictObject({ limit: z.string(), used: count, max: count })),
});

const ingestSummary = z.strictObject({
  publisherId: z.string(),
  venues: count,
  leading: count.describe("venues that it publishes; for the others it stands by"),
  events: count.describe("since the start"),
  batches: count,
  bytes: count,
  historyBytes: count.describe("of batches that are kept for gateways which missed some"),
});

const deriveSummary = z.strictObject({
  publisherId: z.string(),
  topicsRead: count.describe("followed on the bus to make others of them"),
  topicsLive: count.describe("of those, the ones whose state has come"),
  candleInstruments: count,
  consolidatedInstruments: count,
  sources: z.strictObject({
    followed: count.describe("instruments of venues that are consolidated"),
    setAside: count.describe("of those, the ones whose quotes do not count now"),
  }),
  events: count.describe("since the start"),
  batches: count,
  bytes: count,
});

/** What /admin/state answers. */
export const totalsSchema = z.strictObject({
  process: processSchema,
  lists: z.array(z.string()).describe("names of lists, each at /admin/state/NAME"),
  gateway: gatewaySummary.optional(),
  ingest: ingestSummary.optional(),
  derive: deriveSummary.optional(),
});

const sessionRow = z.strictObject({
  id: z.string(),
  state: z.enum(["awaiting-hello", "open", "draining", "closing", "closed"]),
  client: z.string().describe("as the client names itself"),
  clientVersion: z.string(),
  address: z.string(),
  principal: z.string().describe("how the client was recognised; never a secret"),
  openedTimeUs: timeUs,
  topics: count,
  lagMs: count.describe("age of the oldest thing that the client may not have"),
  owedBytes: count.describe("queued for the client and buffered for its socket"),
  lagging: z.boolean().describe("the client was told that it reads too slowly"),
});

const subscriptionRow = z.strictObject({
  topic: z.string(),
  state: z.enum(["starting", "live", "lagging", "ended"]),
  sequence: count.describe("the last that was queued for the client, or told to be missing"),
  depth: count.describe("levels of each side of a book; 0 is all"),
  intervalMs: count.describe("0 is every event"),
});

const topicRow = z.strictObject({
  topic: z.string(),
  state: z.enum(["cold", "syncing", "live", "resyncing", "closed"]),
  epoch: count,
  sequence: count,
  sessions: count,
  eventsPerSecond: perSecond.describe("null until it was asked for twice, a second apart"),
  quietMs: count.nullable().describe("since its last batch; null before the first"),
  historyBytes: count,
  views: z.array(z.strictObject({ depth: count, intervalMs: count, sessions: count })),
});

const followState = z.enum(["followed", "lost"]);

const venueRow = z.strictObject({
  venue: z.string(),
  state: followState.describe("lost if any part of it is"),
  publishers: z.array(
    z.strictObject({
      shard: z.string().nullable().describe("part of the venue; null if it is not parted"),
      state: followState.describe("lost: its ingestor is silent, or the bus is gone"),
      lostSinceTimeUs: timeUs.nullable(),
      publisher: z.string().nullable(),
      epoch: count.nullable(),
    }),
  ),
  instruments: count,
  topics: count.describe("followed here"),
  topicsLive: count,
  sessions: count.describe("subscriptions of all sessions to its topics"),
  eventsPerSecond: z.number().min(0),
  latency: z.strictObject({
    publishToReceive: percentiles,
    receiveToSocket: percentiles,
    socketToClient: percentiles,
  }),
});

const role = z.enum(["probing", "standing-by", "claiming", "leading", "suspended", "closed"]);

const publisherRow = z.strictObject({
  venue: z.string(),
  shard: z.string().describe("which part of the venue, such as 1/1 for all of it"),
  role,
  roleForMs: count.nullable().describe("null on a bus that nobody shares"),
  peers: count.describe("other ingestors that publish the venue or stand by for it"),
  epoch: count.describe("0 while it is not published here"),
  connections: count.describe("that should be open"),
  connectionsOpen: count,
  instruments: count,
  snapshotsPending: count,
  events: count.describe("since the start"),
  eventsPerSecond: perSecond,
  gaps: count,
  resyncs: count,
  rejected: count,
  disconnects: count,
  clockOffsetMs: z.int().nullable().describe("above 0 our clock is behind the venue's"),
  latency: z.strictObject({ venueToReceived: percentiles, receivedToPublished: percentiles }),
});

const feedRow = z.strictObject({
  venue: z.string(),
  symbol: z.string(),
  channel: z.string(),
  state: z.string().describe("a state of the subscription at the venue"),
  trouble: z.string().describe("what is wrong and what is done about it; empty if nothing is"),
});

const derivedRow = z.strictObject({
  venue: z.string().describe("under which what is made here is published"),
  instruments: count,
  shard: z.string(),
  role,
  epoch: count.describe("0 while it is not published here"),
});

const listOf = <Row extends z.ZodType>(name: string, row: Row) =>
  z.strictObject({
    list: z.literal(name),
    rows: z.array(row),
    next: z.string().describe("for `after`; empty on the last page"),
  });

/** What /admin/state/NAME answers, by name. */
export const LIST_SCHEMAS = {
  sessions: listOf("sessions", sessionRow),
  subscriptions: listOf("subscriptions", subscriptionRow),
  topics: listOf("topics", topicRow),
  venues: listOf("venues", venueRow),
  publishers: listOf("publishers", publisherRow),
  feeds: listOf("feeds", feedRow),
  derived: listOf("derived", derivedRow),
} as const;

export type Totals = z.output<typeof totalsSchema>;
export type SessionRow = z.output<typeof sessionRow>;
export type TopicRow = z.output<typeof topicRow>;
export type VenueRow = z.output<typeof venueRow>;
export type PublisherRow = z.output<typeof publisherRow>;
export type FeedRow = z.output<typeof feedRow>;
export type DerivedRow = z.output<typeof derivedRow>;

/** The text of docs/admin-state.schema.json. */
export function adminStateSchema(): string {
  const lists = Object.entries(LIST_SCHEMAS).map(
    ([name, schema]) => [`/admin/state/${name}`, z.toJSONSchema(schema)] as const,
  );
  const all = { "/admin/state": z.toJSONSchema(totalsSchema), ...Object.fromEntries(lists) };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}
