import type { FeedState } from "./feed-health.ts";

export const ALERT_KINDS = ["price-above", "price-below", "spread-above", "feed", "gap"] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** At the limit no more can be added. */
export const ALERTS_MAX = 50;

/** Something that the reader wants to be told of one market. */
export type Alert = {
  readonly id: number;
  /** `VENUE:SYMBOL`. */
  readonly topic: string;
  readonly kind: AlertKind;
  /** A price, or a spread in basis points; 0 for the others. */
  readonly value: number;
};

/** What is known of a market now. Undefined where nothing is. */
export type AlertReading = {
  readonly price: number | undefined;
  readonly spreadBps: number | undefined;
  readonly feed: FeedState | undefined;
  /** Gaps of the venue's topics that this page saw. */
  readonly gaps: number;
};

type FiredAlert = { readonly alert: Alert; readonly text: string };

/**
 * The alerts of a reader. Each fires when what it names becomes true, and again only after it was
 * false in between; what is true already when an alert is made does not fire it.
 */
export class AlertBook {
  readonly alerts: Alert[] = [];
  readonly #wasTrue = new Map<number, boolean>();
  readonly #gapsSeen = new Map<number, number>();
  #nextId = 1;

  constructor(saved: readonly Omit<Alert, "id">[] = []) {
    for (const { topic, kind, value } of saved) this.add({ topic, kind, value });
  }

  /** False if there are as many as there may be. */
  add(alert: Omit<Alert, "id">): boolean {
    if (this.alerts.length >= ALERTS_MAX) return false;
    this.alerts.push({ ...alert, id: this.#nextId });
    this.#nextId += 1;
    return true;
  }

  remove(id: number): void {
    const index = this.alerts.findIndex((alert) => alert.id === id);
    if (index >= 0) this.alerts.splice(index, 1);
    this.#wasTrue.delete(id);
    this.#gapsSeen.delete(id);
  }

  /** Takes what another window has saved; of what both have, nothing is forgotten. */
  sync(saved: readonly Omit<Alert, "id">[]): void {
    const wished = new Map(saved.map((alert) => [keyOf(alert), alert]));
    const gone = this.alerts.filter((alert) => !wished.delete(keyOf(alert)));
    for (const { id } of gone) this.remove(id);
    for (const { topic, kind, value } of wished.values()) this.add({ topic, kind, value });
  }

  /** Those that became true since the last time. */
  check(readingOf: (topic: string) => AlertReading): FiredAlert[] {
    return this.alerts.flatMap((alert) => {
      const reading = readingOf(alert.topic);
      const isTrue = alert.kind === "gap" ? this.#hasNewGap(alert, reading) : holds(alert, reading);
      if (isTrue === undefined) return [];
      const wasTrue = this.#wasTrue.get(alert.id) ?? alert.kind !== "gap";
      this.#wasTrue.set(alert.id, isTrue);
      return isTrue && !wasTrue ? [{ alert, text: alertText(alert, reading) }] : [];
    });
  }

  #hasNewGap({ id }: Alert, { gaps }: AlertReading): boolean {
    const seen = this.#gapsSeen.get(id);
    this.#gapsSeen.set(id, gaps);
    const isNew = seen !== undefined && gaps > seen;
    // Each gap is news of its own.
    if (isNew) this.#wasTrue.set(id, false);
    return isNew;
  }
}

function keyOf({ topic, kind, value }: Omit<Alert, "id">): string {
  return `${kind} ${value} ${topic}`;
}

/** Undefined while nothing is known that would tell. */
function holds(
  { kind, value }: Alert,
  { price, spreadBps, feed }: AlertReading,
): boolean | undefined {
  switch (kind) {
    case "price-above":
      return price === undefined ? undefined : price > value;
    case "price-below":
      return price === undefined ? undefined : price < value;
    case "spread-above":
      return spreadBps === undefined ? undefined : spreadBps > value;
    case "feed":
      return feed === undefined ? undefined : feed !== "live";
    case "gap":
      return undefined;
  }
}

/** What an alert waits for, such as `price above 97,700`. */
export function alertWish({ kind, value }: Omit<Alert, "id" | "topic">): string {
  switch (kind) {
    case "price-above":
      return `price above ${value}`;
    case "price-below":
      return `price below ${value}`;
    case "spread-above":
      return `spread above ${value} bp`;
    case "feed":
      return "feed not live";
    case "gap":
      return "events missing";
  }
}

function alertText(alert: Alert, { price, spreadBps, feed }: AlertReading): string {
  const now =
    alert.kind === "spread-above"
      ? `${spreadBps?.toFixed(1) ?? "?"} bp`
      : alert.kind === "feed"
        ? (feed ?? "?")
        : alert.kind === "gap"
          ? "a gap was seen"
          : String(price ?? "?");
  return `${alert.topic}: ${alertWish(alert)} (now ${now})`;
}

/** Reads what was saved. What makes no sense is left out. */
export function parseAlerts(text: string): Omit<Alert, "id">[] {
  let saved: unknown;
  try {
    saved = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(saved)) return [];
  return saved.slice(0, ALERTS_MAX).flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null) return [];
    const { topic, kind, value } = one as Record<string, unknown>;
    const known = ALERT_KINDS.find((each) => each === kind);
    if (typeof topic !== "string" || known === undefined || typeof value !== "number") return [];
    return Number.isFinite(value) ? [{ topic, kind: known, value }] : [];
  });
}
