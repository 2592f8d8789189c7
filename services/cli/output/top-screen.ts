import { visibleText } from "#core/visible-text.ts";
import type { ScreenStyle } from "./full-screen.ts";
import type {
  DerivedRow,
  FeedRow,
  PublisherRow,
  SessionRow,
  Totals,
  TopicRow,
  VenueRow,
} from "../process/admin-state.ts";
import { bytesText } from "./bytes-text.ts";

/** What `tickwire top` has read of one process. What the process does not have is empty. */
export type TopState = {
  readonly totals: Totals;
  readonly venues: readonly VenueRow[];
  readonly publishers: readonly PublisherRow[];
  /** Subscriptions at venues that are in trouble. */
  readonly feeds: readonly FeedRow[];
  /** What is made here of what venues publish. */
  readonly derived: readonly DerivedRow[];
  readonly sessions: readonly SessionRow[];
  readonly topics: readonly TopicRow[];
};

/** A line of the screen in one style. */
type TopLine = { readonly text: string; readonly style: ScreenStyle };

/** What the user has chosen. */
export type TopChoice = {
  /** Where the state comes from. */
  readonly address: string;
  readonly sessionSort: string;
  readonly topicSort: string;
  /** A venue, a topic or a session's id; empty shows all. */
  readonly filter: string;
  /** The only table that is shown, or all of them. */
  readonly table: TopTable | "all";
  /** For people: what is happening now, such as text being typed. Replaces the line of keys. */
  readonly prompt: string | undefined;
};

export const TOP_TABLES = [
  "venues",
  "publishers",
  "feeds",
  "derived",
  "sessions",
  "topics",
] as const;
type TopTable = (typeof TOP_TABLES)[number];

const KEYS =
  "q quit   s sort sessions   t sort topics   / filter   tab one table   space stop   r now";

/** Tables share the room that there is by these weights; a short one leaves its room to others. */
const WEIGHTS: Readonly<Record<TopTable, number>> = {
  venues: 2,
  publishers: 2,
  feeds: 2,
  derived: 1,
  sessions: 4,
  topics: 4,
};

type Cell = string | number;
type Table = {
  readonly name: TopTable;
  readonly title: string;
  /** Names of columns; those of numbers begin with `>`, and stand at the right. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Which rows are in trouble. */
  readonly bad: readonly boolean[];
};

/**
 * The screen as lines that are no wider than `columns`, and at most `lines` of them if that is
 * given. Without a limit everything is there, as for a file.
 */
export function topScreen(
  state: TopState,
  choice: TopChoice,
  size: { readonly columns: number; readonly lines: number | undefined },
): TopLine[] {
  const head = headLines(state.totals, choice);
  const tables = tablesOf(state, choice).filter(
    ({ name }) => choice.table === "all" || choice.table === name,
  );
  const foot: TopLine[] =
    size.lines === undefined ? [] : [{ text: choice.prompt ?? KEYS, style: "dim" }];
  const room = size.lines === undefined ? Infinity : size.lines - head.length - foot.length;
  const shown = shareRoom(tables, room);
  const lines = [...head, ...shown.flatMap(({ table, rows }) => tableLines(table, rows))];
  const body = size.lines === undefined ? lines : lines.slice(0, size.lines - foot.length);
  return [...body, ...foot].map(({ text, style }) => {
    return { text: visibleText(text).slice(0, size.columns), style };
  });
}

function headLines({ process, gateway, ingest, derive }: Totals, choice: TopChoice): TopLine[] {
  const up = durationText(process.uptimeSeconds);
  const memory = bytesText(process.residentBytes);
  const title = `${process.service} ${process.version} at ${choice.address}`;
  const lines: TopLine[] = [
    { text: `${title}   up ${up}   memory ${memory}   node ${process.node}`, style: "title" },
  ];
  if (gateway !== undefined) {
    const { sessions, subscriptions, topics, views, lagMsMax, queues, limits } = gateway;
    const rate = `${rateText(gateway.framesPerSecond)} frames/s   ${sizeRate(gateway.bytesPerSecond)}`;
    lines.push({
      text: `sessions ${sessions}   subscriptions ${subscriptions}   topics ${topics}   views ${views}   ${rate}   lag at most ${durationMsText(lagMsMax)}`,
      style: "plain",
    });
    const used = limits.map(({ limit, used: now, max }) => `${limit} ${percent(now / max)}`);
    const waiting = `inbox ${bytesText(queues.inboxBytes)}, ${queues.queriesWaiting} queries`;
    lines.push({ text: `limits ${used.join("   ")}   waiting ${waiting}`, style: "plain" });
    if (gateway.notReady.length > 0) {
      lines.push({ text: `not ready: ${gateway.notReady.join(", ")}`, style: "bad" });
    }
  }
  if (ingest !== undefined) {
    const { venues, leading, events, batches, historyBytes } = ingest;
    lines.push({
      text: `publishes ${leading} of ${venues} venues   events ${events}   batches ${batches}   history ${bytesText(historyBytes)}`,
      style: "plain",
    });
  }
  if (derive !== undefined) {
    const { topicsRead, candleInstruments, consolidatedInstruments, events } = derive;
    lines.push({
      text: `derives candles of ${candleInstruments} instruments   ${consolidatedInstruments} consolidated   of ${topicsRead} topics   events ${events}`,
      style: "plain",
    });
  }
  if (choice.filter !== "") lines.push({ text: `only ${choice.filter}`, style: "plain" });
  return lines;
}

function tablesOf(state: TopState, choice: TopChoice): Table[] {
  return [
    venueTable(state.venues),
    publisherTable(state.publishers),
    feedTable(state.feeds),
    derivedTable(state.derived),
    sessionTable(state.sessions, choice.sessionSort),
    topicTable(state.topics, choice.topicSort),
  ].filter(({ rows, name }) => rows.length > 0 || choice.table === name);
}

function venueTable(venues: readonly VenueRow[]): Table {
  return {
    name: "venues",
    title: "venues",
    header: [
      "VENUE",
      "STATE",
      ">INSTR",
      ">TOPICS",
      ">LIVE",
      ">EV/S",
      ">BUS p50/p99",
      ">HERE p50/p99",
      ">CLIENT p50/p99",
    ],
    rows: venues.map((row) => [
      row.venue,
      row.state,
      row.instruments,
      row.topics,
      row.topicsLive,
      rateText(row.eventsPerSecond),
      latencyText(row.latency.publishToReceive),
      latencyText(row.latency.receiveToSocket),
      latencyText(row.latency.socketToClient),
    ]),
    bad: venues.map(({ state, topics, topicsLive }) => state !== "followed" || topicsLive < topics),
  };
}

function publisherTable(publishers: readonly PublisherRow[]): Table {
  return {
    name: "publishers",
    title: "published here",
    header: [
      "VENUE",
      "ROLE",
      ">CONNECTED",
      ">INSTR",
      ">EV/S",
      ">GAPS",
      ">RESYNCS",
      ">REJECTED",
      ">CLOCK",
      ">VENUE p50/p99",
      ">HERE p50/p99",
    ],
    rows: publishers.map((row) => [
      row.venue,
      row.role,
      `${row.connectionsOpen}/${row.connections}`,
      row.instruments,
      rateText(row.eventsPerSecond),
      row.gaps,
      row.resyncs,
      row.rejected,
      row.clockOffsetMs === null ? "-" : durationMsText(row.clockOffsetMs),
      latencyText(row.latency.venueToReceived),
      latencyText(row.latency.receivedToPublished),
    ]),
    bad: publishers.map(({ connections, connectionsOpen }) => connectionsOpen < connections),
  };
}

function feedTable(feeds: readonly FeedRow[]): Table {
  return {
    name: "feeds",
    title: "subscriptions at venues that are in trouble",
    header: ["VENUE", "SYMBOL", "CHANNEL", "STATE", "WHAT"],
    rows: feeds.map((row) => [row.venue, row.symbol, row.channel, row.state, row.trouble]),
    bad: feeds.map(() => true),
  };
}

function derivedTable(derived: readonly DerivedRow[]): Table {
  return {
    name: "derived",
    title: "derived here",
    header: ["VENUE", "ROLE", "SHARD", ">INSTR"],
    rows: derived.map((row) => [row.venue, row.role, row.shard, row.instruments]),
    bad: derived.map(({ role }) => role === "suspended" || role === "closed"),
  };
}

function sessionTable(sessions: readonly SessionRow[], sort: string): Table {
  return {
    name: "sessions",
    title: `sessions by ${sort}`,
    header: ["SESSION", "CLIENT", "ADDRESS", "STATE", ">TOPICS", ">LAG", ">OWED"],
    rows: sessions.map((row) => [
      row.id,
      [row.client, row.clientVersion].filter((text) => text !== "").join(" ") || "-",
      row.address,
      row.lagging ? "lagging" : row.state,
      row.topics,
      durationMsText(row.lagMs),
      bytesText(row.owedBytes),
    ]),
    bad: sessions.map(({ lagging }) => lagging),
  };
}

function topicTable(topics: readonly TopicRow[], sort: string): Table {
  return {
    name: "topics",
    title: `topics by ${sort}`,
    header: ["TOPIC", "STATE", ">EV/S", ">SESSIONS", ">VIEWS", ">SEQUENCE", ">QUIET", ">KEPT"],
    rows: topics.map((row) => [
      row.topic,
      row.state,
      rateText(row.eventsPerSecond),
      row.sessions,
      row.views.length,
      row.sequence,
      row.quietMs === null ? "-" : durationMsText(row.quietMs),
      bytesText(row.historyBytes),
    ]),
    bad: topics.map(({ state }) => state !== "live"),
  };
}

/** Gives each table its part of the room; a title and a header come with its rows. */
function shareRoom(tables: readonly Table[], room: number) {
  const shares = new Map<Table, number>();
  let open = [...tables];
  let left = room - tables.length * 2;
  while (open.length > 0) {
    const total = open.reduce((sum, { name }) => sum + WEIGHTS[name], 0);
    const short = open.filter(({ name, rows }) => rows.length <= (left * WEIGHTS[name]) / total);
    if (short.length === 0) {
      for (const table of open) {
        shares.set(table, Math.max(1, Math.floor((left * WEIGHTS[table.name]) / total)));
      }
      break;
    }
    for (const table of short) {
      shares.set(table, table.rows.length);
      left -= table.rows.length;
    }
    open = open.filter((table) => !short.includes(table));
  }
  return tables.map((table) => ({ table, rows: shares.get(table) ?? 0 }));
}

function tableLines(table: Table, count: number): TopLine[] {
  const rows = table.rows.slice(0, count);
  const names = table.header.map((name) => name.replace(">", ""));
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => String(row[column]).length)),
  );
  const lineOf = (cells: readonly Cell[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const text = String(cell);
        const isRight = table.header[column]?.startsWith(">") === true;
        return isRight ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const more = table.rows.length > count ? `, ${count} of ${table.rows.length} or more` : "";
  return [
    { text: `${table.title}${more}`, style: "title" },
    { text: lineOf(names), style: "header" },
    ...rows.map((row, index) => {
      return { text: lineOf(row), style: table.bad[index] === true ? "bad" : "plain" } as const;
    }),
  ];
}

function rateText(perSecond: number | null): string {
  if (perSecond === null) return "-";
  return perSecond >= 100 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

function sizeRate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "- B/s" : `${bytesText(bytesPerSecond)}/s`;
}

function percent(part: number): string {
  return `${Math.round(part * 100)}%`;
}

function latencyText(latency: { readonly p50Us: number; readonly p99Us: number } | null): string {
  if (latency === null) return "-";
  return `${microsText(latency.p50Us)}/${microsText(latency.p99Us)}`;
}

function microsText(us: number): string {
  if (Math.abs(us) < 1_000) return `${us}us`;
  return durationMsText(us / 1_000).replace(" ", "");
}

function durationMsText(ms: number): string {
  if (Math.abs(ms) < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  if (Math.abs(ms) < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return durationText(Math.round(ms / 1_000));
}

function durationText(seconds: number): string {
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const clock = `${two(rest / 3_600)}:${two((rest % 3_600) / 60)}:${two(rest % 60)}`;
  return days > 0 ? `${days}d ${clock}` : clock;
}
