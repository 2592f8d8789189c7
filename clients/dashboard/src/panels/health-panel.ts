import type { StatusValues } from "@tickwire/client";
import { healthByVenue, type FeedState, type VenueHealth } from "../market/feed-health.ts";
import { durationText } from "../market/number-text.ts";
import { el, panel } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

const PAGES_MAX = 100;
const HEADINGS = ["Venue", "State", "Live", "Why", "Since", "p50", "p99", "Events/s", "Gaps"];

/** Each venue in a line: its state with the reason, and what this page itself measures of it. */
export class HealthPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #venues: () => readonly string[];
  readonly #rows = el("tbody");
  #health: readonly VenueHealth[] = [];
  #isAsking = false;
  #isDue = true;

  /** `venues` tells which there are. */
  constructor(context: Context, venues: () => readonly string[]) {
    this.#context = context;
    this.#venues = venues;
    const { element, body } = panel(
      "health",
      "Feed health",
      el("span", { class: "muted" }, "delays: venue → this page"),
    );
    const head = el(
      "thead",
      {},
      el("tr", {}, ...HEADINGS.map((text) => el("th", { scope: "col" }, text))),
    );
    body.append(el("table", {}, head, this.#rows));
    body.tabIndex = 0;
    this.element = element;
  }

  stateOf(venue: string): FeedState | undefined {
    return this.#health.find((one) => one.venue === venue)?.worst;
  }

  /** Asks every venue how its topics are. What fails is asked again the next time. */
  async refresh(): Promise<void> {
    this.#isDue = true;
    if (this.#isAsking || this.#venues().length === 0 || this.#context.client.state !== "connected")
      return;
    this.#isAsking = true;
    try {
      const answers = await Promise.all(this.#venues().map((venue) => this.#ask(venue)));
      this.#health = healthByVenue(answers.flat());
    } catch {
      // The connection's own state, which the heading shows, says why nobody answers.
    } finally {
      this.#isAsking = false;
      this.#context.redraw();
    }
  }

  draw(): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    const now = this.#context.nowMs();
    this.#rows.replaceChildren(
      ...this.#health.map(({ venue, worst, live, total, reason, sinceTimeUs }) => {
        const meter = this.#context.meterOf(venue);
        const state = el("span", { class: "badge", "data-state": worst }, worst);
        const cells = [
          venue,
          state,
          `${live}/${total}`,
          reason,
          durationText(now - sinceTimeUs / 1_000),
        ];
        const measured = [
          msText(meter.delayMs(0.5)),
          msText(meter.delayMs(0.99)),
          meter.eventsPerSecond.toFixed(0),
          String(meter.gaps),
        ];
        return el("tr", {}, ...[...cells, ...measured].map((cell) => el("td", {}, cell)));
      }),
    );
  }

  async #ask(venue: string): Promise<StatusValues[]> {
    const statuses: StatusValues[] = [];
    let pageToken = "";
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.#context.client.rpc.getStatus({ venue, pageToken });
      statuses.push(...answer.statuses);
      if (answer.nextPageToken === undefined) break;
      pageToken = answer.nextPageToken;
    }
    return statuses;
  }
}

function msText(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.max(0, value).toFixed(0)} ms`;
}
