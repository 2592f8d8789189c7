import { expect, test } from "vitest";
import { type CalendarEvent, MarketCalendar } from "./market-calendar.ts";

const HOUR_US = 3_600_000_000;

/** What comes within so many hours, and when in milliseconds. */
function eventsIn(
  hours: number,
  settings: Partial<ConstructorParameters<typeof MarketCalendar>[0]>,
): (readonly [CalendarEvent, number])[] {
  const calendar = new MarketCalendar({
    seed: 1,
    haltIntervalMs: 600_000,
    listingIntervalMs: 900_000,
    ...settings,
  });
  const events: (readonly [CalendarEvent, number])[] = [];
  calendar.start(0);
  for (let nowUs = 0; nowUs < hours * HOUR_US; nowUs += 1_000_000) {
    for (let event = calendar.next(nowUs); event; event = calendar.next(nowUs)) {
      events.push([event, nowUs / 1000]);
    }
  }
  return events;
}

test("events come at about their mean distance, and the first not before two minutes", () => {
  const events = eventsIn(100, {});
  const count = (kind: CalendarEvent) => events.filter(([event]) => event === kind).length;
  expect(count("halt")).toBeGreaterThan(500);
  expect(count("halt")).toBeLessThan(700);
  expect(count("listing")).toBeGreaterThan(330);
  expect(count("listing")).toBeLessThan(470);
  expect(events[0]?.[1]).toBeGreaterThanOrEqual(120_000);
});

test("the same seed gives the same calendar, and another one another", () => {
  expect(eventsIn(5, {})).toEqual(eventsIn(5, {}));
  expect(eventsIn(5, {})).not.toEqual(eventsIn(5, { seed: 2 }));
});

test("what has no distance never comes", () => {
  expect(eventsIn(50, { haltIntervalMs: 0, listingIntervalMs: 0 })).toEqual([]);
});
