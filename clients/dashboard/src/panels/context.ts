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
  /** The gateway's time, in milliseconds since 1970. */
  readonly nowMs: () => number;
  /** For lengths of time: nobody sets this clock. Only differences matter. */
  readonly steadyMs: () => number;
  /**
   * How old an event is, in milliseconds. Undefined where the venue gives no time, and until the
   * gateway has told what time it is.
   */
  readonly ageMs: (event: { readonly venueTimeUs: number | undefined }) => number | undefined;
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
