// A third of the clients read more slowly than they are sent. The others must not notice.
import { LoadSession } from "./load-session.ts";
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

const SLOW_BYTES_PER_SECOND = 1_000;

export const options = {
  scenarios: { readers: eachForAllTime(sized({ laptop: 9, cluster: 3_000 })) },
  thresholds: {
    ...SOUND,
    "load_events{reader:fast}": ["count>0"],
    "load_events{reader:slow}": ["count>0"],
    "load_delay_ms{reader:fast}": DELAY,
    "load_announced_gaps{reader:fast}": ["count==0"],
    "load_closed_by_gateway{reader:fast}": ["count==0"],
  },
};

const topics = SYMBOLS.flatMap((symbol) =>
  ["quotes", "trades", "book"].map((channel) => ({ topic: `${VENUE}:${symbol}/${channel}` })),
);

export default function read(): void {
  const isSlow = __VU % 3 === 0;
  new LoadSession({
    ...TARGET,
    reader: isSlow ? "slow" : "fast",
    ...(isSlow ? { bytesPerSecondMax: SLOW_BYTES_PER_SECOND } : {}),
    onWelcome: (session) => {
      session.subscribe(topics);
      setTimeout(() => session.close(), SECONDS * 1_000);
    },
  });
}
