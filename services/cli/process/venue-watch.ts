import type { Clock } from "#core/clock.ts";
import type { MeasuredVenue } from "#ingest/metrics.ts";

/** A venue that has not answered by then is told of. */
const PATIENCE_MS = 8_000;
/** How often it is looked whether one answers at last. */
const LOOK_MS = 1_000;

type VenueWatchOptions = {
  readonly clock: Pick<Clock, "after" | "monotonicUs">;
  readonly venues: () => readonly Pick<
    MeasuredVenue,
    "venue" | "connectionsOpen" | "instruments"
  >[];
  /** Takes a sentence for whoever started the process. */
  readonly tell: (line: string) => void;
};

/**
 * Tells whoever watches that a venue does not answer, with what to try next, and once that it does.
 * Nothing takes the venue's place meanwhile.
 */
export function watchVenues({ clock, venues, tell }: VenueWatchOptions): void {
  const startedUs = clock.monotonicUs();
  const silent = new Set<string>();
  const look = (): void => {
    const isLate = clock.monotonicUs() - startedUs >= PATIENCE_MS * 1000;
    let waits = false;
    for (const { venue, connectionsOpen, instruments } of venues()) {
      const isThere = connectionsOpen > 0 && instruments > 0;
      waits ||= !isThere;
      if (isThere && silent.delete(venue)) tell(`${venue} answers now`);
      if (isThere || !isLate || silent.has(venue)) continue;
      silent.add(venue);
      tell(silenceText(venue));
    }
    if (waits) clock.after(LOOK_MS, look);
  };
  clock.after(LOOK_MS, look);
}

function silenceText(venue: string): string {
  return [
    `nothing has come from ${venue} yet, and it is tried again and again. If this machine has no way`,
    `  to it: "npx tickwire doctor ${venue}" says what fails; HTTPS_PROXY or ingest.venues' network.proxy`,
    `  name a proxy; "npx tickwire dev" without --venue has a market that needs no network.`,
  ].join("\n");
}
