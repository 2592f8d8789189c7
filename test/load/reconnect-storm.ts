// All clients leave at the same moment, come back at once, and resume where they were.
import { LoadSession, type Places } from "./load-session.ts";
import { SECONDS, SOUND, SYMBOLS, TARGET, VENUE, eachForAllTime, sized } from "./settings.ts";

export { handleSummary } from "./summary.ts";

/** By the clock on the wall, so that several generators do it together. */
const BETWEEN_STORMS_MS = 5_000;

export const options = {
  scenarios: { storms: eachForAllTime(sized({ laptop: 50, cluster: 10_000 })) },
  thresholds: {
    ...SOUND,
    load_resumed: ["rate>0.99"],
    load_connect_ms: ["p(95)<2000"],
    load_closed_by_gateway: ["count==0"],
  },
};

const topics = SYMBOLS.flatMap((symbol) =>
  ["quotes", "trades", "book"].map((channel) => ({ topic: `${VENUE}:${symbol}/${channel}` })),
);

export default function stayConnected(): void {
  const endMs = Date.now() + SECONDS * 1_000;
  const connect = (places: Places): void => {
    let left: Places = new Map();
    new LoadSession({
      ...TARGET,
      reader: "fast",
      onWelcome: (session) => {
        session.subscribe(topics, places);
        const leave = () => {
          left = session.places;
          session.close();
        };
        setTimeout(leave, BETWEEN_STORMS_MS - (Date.now() % BETWEEN_STORMS_MS));
      },
      onEnd: () => {
        if (Date.now() < endMs) connect(left);
      },
    });
  };
  connect(new Map());
}
