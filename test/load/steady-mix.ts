// Clients that stay: most watch quotes, some a book and its trades, a few all that is quoted and
// traded at the venue.
import { LoadSession, type Topic } from "./load-session.ts";
import {
  DELAY,
  SECONDS,
  SOUND,
  SYMBOLS,
  TARGET,
  VENUE,
  eachForAllTime,
  sized,
} from "./settings.ts";

export { handleSummary } from "./summary.ts";

export const options = {
  scenarios: { steady: eachForAllTime(sized({ laptop: 20, cluster: 5_000 })) },
  thresholds: {
    ...SOUND,
    load_events: ["count>0"],
    load_delay_ms: DELAY,
    load_closed_by_gateway: ["count==0"],
  },
};

/** Of ten clients six, three and one. */
function topicsOf(client: number): readonly Topic[] {
  const part = client % 10;
  if (part < 6) return SYMBOLS.map((symbol) => ({ topic: `${VENUE}:${symbol}/quotes` }));
  const symbol = SYMBOLS[client % SYMBOLS.length] as string;
  if (part < 9) {
    return [
      { topic: `${VENUE}:${symbol}/book`, depth: 20, conflationIntervalMs: 100 },
      { topic: `${VENUE}:${symbol}/trades` },
    ];
  }
  return ["quotes", "trades"].map((channel) => ({ topic: `${VENUE}:*/${channel}` }));
}

export default function watch(): void {
  new LoadSession({
    ...TARGET,
    reader: "fast",
    onWelcome: (session) => {
      session.subscribe(topicsOf(__VU));
      setTimeout(() => session.close(), SECONDS * 1_000);
    },
  });
}
