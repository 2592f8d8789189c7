const US_PER_MS = 1_000;

/** A time of an event as a Date, which has milliseconds only; undefined where there is none. */
export function dateOfUs(timeUs: number): Date;
export function dateOfUs(timeUs: number | undefined): Date | undefined;
export function dateOfUs(timeUs: number | undefined): Date | undefined {
  return timeUs === undefined ? undefined : new Date(Math.floor(timeUs / US_PER_MS));
}

/** Microseconds since 1970, as events and requests have them. */
export function usOfDate(date: Date): number {
  return date.getTime() * US_PER_MS;
}

/** A time in UTC with all its microseconds, such as `2026-01-01T00:00:00.000123Z`. */
export function isoOfUs(timeUs: number): string {
  const text = dateOfUs(timeUs).toISOString();
  const us = ((timeUs % US_PER_MS) + US_PER_MS) % US_PER_MS;
  return `${text.slice(0, -1)}${String(us).padStart(3, "0")}Z`;
}
