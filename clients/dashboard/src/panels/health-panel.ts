import type { Client } from "@tickwire/client";
import { StatusBoard, type FeedState, type VenueHealth } from "../market/feed-health.ts";
import { compactText, durationText } from "../market/number-text.ts";
import { el, panel, setText } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

/** Pages of one venue that are asked for in one round; a large venue takes several rounds. */
const PAGES_PER_ROUND = 3;
const COLUMNS: readonly (readonly [name: string, title: string, kind: "" | "num"])[] = [
  ["Venue", "", ""],
  ["State", "The worst of the venue's topics", ""],
  ["Since", "How long it has been so", ""],
  ["Delay", "From the venue's clock to this page: half of the events were quicker", "num"],
  ["p99", "From the venue's clock to this page: 99 of 100 events were quicker", "num"],
  ["Events/s", "What the ingestor publishes of the venue", "num"],
  ["Gaps", "Broken sequences, failed checksums, holes in trade numbers: at the ingestor", "num"],
  ["Live", "Topics that are live, of all", "num"],
  ["Why", "What is said of the topic that is worst", ""],
  ["to ingestor", "Of the delay, from the venue to the ingestor (p50)", "num"],
  ["to gateway", "Of the delay, from the ingestor to the gateway (p50)", "num"],
  ["Resyncs", "Books that were started anew", "num"],
  ["Unusable", "Venue messages that could not be used", "num"],
];

/** Of all ingestors that publish a part of the venue. */
type Measured = {
  readonly events: number | undefined;
  readonly gaps: number;
  readonly resyncs: number;
  readonly rejected: number;
  readonly toIngestorMs: number | undefined;
  readonly toGatewayMs: number | undefined;
};
type Answer = Awaited<ReturnType<Client["rpc"]["getStatus"]>>;

/** Each venue in a line: its state with the reason, how late its events are, what was lost. */
export class HealthPanel implements Panel {
  readonly element: HTMLElement;
  readonly drawIntervalMs = 1_000;
  readonly #context: Context;
  readonly #venues: () => readonly string[];
  readonly #body = el("tbody");
  readonly #rows: HTMLElement[][] = [];
  readonly #board = new StatusBoard();
  readonly #measured = new Map<string, Measured>();
  /** Where the next round of a venue goes on. */
  readonly #next = new Map<string, string>();
  #health: readonly VenueHealth[] = [];
  #isAsking = false;

  /** `venues` tells which there are. */
  constructor(context: Context, venues: () => readonly string[]) {
    this.#context = context;
    this.#venues = venues;
    const { element, body } = panel("health", "Feed health");
    const head = COLUMNS.map(([text, title, kind]) =>
      el("th", { scope: "col", title, class: kind }, text),
    );
    body.append(el("table", {}, el("thead", {}, el("tr", {}, ...head)), this.#body));
    body.tabIndex = 0;
    this.element = element;
  }

  /** How the topics of an instrument are; undefined where nothing is known of them. */
  stateOf(instrument: { readonly venue: string; readonly symbol: string }): FeedState | undefined {
    return this.#board.stateOf(instrument);
  }

  /** Asks every venue how its topics are. What fails is asked again the next time. */
  async refresh(): Promise<void> {
    const venues = this.#venues();
    if (this.#isAsking || venues.length === 0 || this.#context.client.state !== "connected") return;
    this.#isAsking = true;
    try {
      await Promise.all(venues.map((venue) => this.#ask(venue)));
      const known = new Map(this.#board.venues().map((one) => [one.venue, one]));
      this.#health = venues.toSorted().map((venue) => known.get(venue) ?? unknownHealth(venue));
    } catch {
      // The connection's own state, which the foot of the page shows, says why nobody answers.
    } finally {
      this.#isAsking = false;
      this.#context.redraw();
    }
  }

  draw(): void {
    while (this.#rows.length < this.#health.length) {
      const cells = COLUMNS.map(([, , kind]) => el("td", { class: kind }));
      cells[1]!.append(el("span", { class: "badge" }));
      this.#rows.push(cells);
      this.#body.append(el("tr", {}, ...cells));
    }
    for (const [index, cells] of this.#rows.entries()) {
      const health = this.#health[index];
      if (health !== undefined) this.#drawRow(cells, health);
    }
  }

  #drawRow(cells: readonly HTMLElement[], health: VenueHealth): void {
    const { venue, worst, live, total, reason, sinceTimeUs } = health;
    const badge = cells[1]!.firstElementChild as HTMLElement;
    badge.dataset["state"] = worst ?? "none";
    setText(badge, worst ?? "–");
    const meter = this.#context.meterOf(venue);
    const measured = this.#measured.get(venue);
    const texts = [
      venue,
      undefined,
      sinceTimeUs === 0 ? "–" : durationText(this.#context.nowMs() - sinceTimeUs / 1_000),
      msText(meter.delayMs(0.5)),
      msText(meter.delayMs(0.99)),
      measured?.events === undefined ? "–" : rateText(measured.events),
      countText(measured?.gaps),
      total === 0 ? "–" : `${live}/${total}`,
      reason.replaceAll("-", " "),
      msText(measured?.toIngestorMs),
      msText(measured?.toGatewayMs),
      countText(measured?.resyncs),
      countText(measured?.rejected),
    ];
    cells[0]!.title = venue;
    for (const [index, text] of texts.entries())
      if (text !== undefined) setText(cells[index]!, text);
  }

  async #ask(venue: string): Promise<void> {
    let pageToken = this.#next.get(venue) ?? "";
    for (let page = 0; page < PAGES_PER_ROUND; page += 1) {
      const health = page === 0;
      const answer = await this.#context.client.rpc.getStatus({ venue, pageToken, health });
      pageToken = answer.nextPageToken ?? "";
      this.#board.put({ venue, statuses: answer.statuses, isLast: pageToken === "" });
      if (health) {
        this.#measured.set(venue, measuredOf(answer.health));
        const isDown = answer.health.every(({ state }) => state === "TOPIC_STATE_DOWN");
        this.#board.setDown(venue, isDown && answer.health.length > 0);
      }
      if (pageToken === "") break;
    }
    this.#next.set(venue, pageToken);
  }
}

function unknownHealth(venue: string): VenueHealth {
  const reason = "its topics have no states";
  return { venue, worst: undefined, live: 0, total: 0, reason, sinceTimeUs: 0 };
}

/** Counts of all parts together, and the slowest of them. */
function measuredOf(parts: Answer["health"]): Measured {
  const sum = (of: (part: Answer["health"][number]) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const slowest = (of: (part: Answer["health"][number]) => number | undefined) => {
    const known = parts.flatMap((part) => of(part) ?? []);
    return known.length === 0 ? undefined : Math.max(...known) / 1_000;
  };
  const paces = parts.flatMap(({ eventsPerMinute }) => eventsPerMinute ?? []);
  return {
    events: paces.length === 0 ? undefined : paces.reduce((a, b) => a + b, 0) / 60,
    gaps: sum(({ gaps }) => gaps),
    resyncs: sum(({ resyncs }) => resyncs),
    rejected: sum(({ rejected }) => rejected),
    toIngestorMs: slowest(({ venueToReceived }) => venueToReceived?.p50Us),
    toGatewayMs: slowest(({ publishedToGateway }) => publishedToGateway?.p50Us),
  };
}

function msText(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 60_000) return durationText(value);
  if (value >= 1_000) return `${(value / 1_000).toFixed(1)} s`;
  return `${Math.max(0, value).toFixed(Math.abs(value) < 10 ? 1 : 0)} ms`;
}

function rateText(perSecond: number): string {
  return perSecond < 10_000 ? perSecond.toFixed(perSecond < 10 ? 1 : 0) : compactText(perSecond);
}

function countText(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}
