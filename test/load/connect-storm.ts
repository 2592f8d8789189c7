// Clients that come at a steady rate, subscribe, get their first events, stay a moment and leave.
import { LoadSession } from "./load-session.ts";
import { PROFILE, SECONDS, SOUND, SYMBOLS, TARGET, VENUE, sized } from "./settings.ts";

export { handleSummary } from "./summary.ts";

const STAY_MS = 2_000;
const connectsPerSecond = sized({ laptop: 30, cluster: 2_000 });

export const options = {
  scenarios: {
    storm: {
      executor: "constant-arrival-rate",
      rate: connectsPerSecond,
      timeUnit: "1s",
      duration: `${SECONDS}s`,
      preAllocatedVUs: connectsPerSecond * 3,
      maxVUs: connectsPerSecond * 6,
      gracefulStop: "10s",
      tags: { profile: PROFILE },
    },
  },
  thresholds: {
    ...SOUND,
    load_connect_ms: ["p(95)<1000"],
    load_first_events_ms: ["p(95)<2000"],
    load_closed_by_gateway: ["count==0"],
    dropped_iterations: ["count==0"],
  },
};

export default function connectAndLeave(): void {
  const symbol = SYMBOLS[__ITER % SYMBOLS.length] as string;
  new LoadSession({
    ...TARGET,
    reader: "fast",
    onWelcome: (session) => {
      session.subscribe([{ topic: `${VENUE}:${symbol}/book`, depth: 20 }]);
      setTimeout(() => session.close(), STAY_MS);
    },
  });
}
