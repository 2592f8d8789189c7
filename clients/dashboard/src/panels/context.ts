import type { Client } from "@tickwire/client";
import type { VenueMeter } from "../market/feed-health.ts";
import type { Market } from "../market/market-rows.ts";
import type { ViewState } from "../market/view-state.ts";

/** What every panel is given. */
export type Context = {
  readonly client: Client;
  readonly view: () => ViewState;
  readonly change: (view: Partial<ViewState>) => void;
  /** By `VENUE:SYMBOL`. */
  readonly markets: ReadonlyMap<string, Market>;
  /** Something changed. `isUrgent` asks for the next frame: a reader waits to see what he did. */
  readonly redraw: (isUrgent?: boolean) => void;
  readonly nowMs: () => number;
  readonly everyMs: (intervalMs: number, callback: () => void) => void;
  readonly afterMs: (delayMs: number, callback: () => void) => void;
  /** Pixels of the screen for one of the page. */
  readonly pixelRatio: () => number;
  readonly meterOf: (venue: string) => VenueMeter;
};

/** A part of the page that shows one instrument, or all of them. */
export type Panel = {
  readonly element: HTMLElement;
  /** Called when another instrument is chosen, and at first. */
  show?(market: Market): void;
  /** Time between two draws that nobody waits for; with each round if absent. */
  readonly drawIntervalMs?: number;
  /** Called with a frame after something changed, while the panel is seen. */
  draw(): void;
};

/** How old an event was when it came, in milliseconds. */
export function delayMs(event: { readonly venueTimeUs: number | undefined }, nowMs: number) {
  return event.venueTimeUs === undefined ? undefined : nowMs - event.venueTimeUs / 1_000;
}
