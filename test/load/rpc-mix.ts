// Clients that call over their socket, one call after the other, a few a second.
import { LoadSession } from "./load-session.ts";
import { MarketData } from "@tickwire/proto/service";
import { SECONDS, SOUND, SYMBOLS, TARGET, VENUE, eachForAllTime, sized } from "./settings.ts";

export { handleSummary } from "./summary.ts";

const PAUSE_MS = 200;

export const options = {
  scenarios: { callers: eachForAllTime(sized({ laptop: 20, cluster: 2_000 })) },
  thresholds: {
    ...SOUND,
    load_calls: ["rate>0.99"],
    load_call_ms: ["p(95)<500"],
    load_closed_by_gateway: ["count==0"],
  },
};

const { getServerTime, getSnapshot, getTrades, listInstruments } = MarketData.methods;

/** Of ten calls five, three, one and one. */
function callOf(number: number): { readonly method: string; readonly request: Uint8Array } {
  const symbol = SYMBOLS[number % SYMBOLS.length] as string;
  const part = number % 10;
  if (part < 5) {
    return { method: getServerTime.fullName, request: getServerTime.request.encode({}) };
  }
  if (part < 8) {
    const request = getSnapshot.request.encode({ venue: VENUE, symbol, depth: 20 });
    return { method: getSnapshot.fullName, request };
  }
  if (part < 9) {
    const request = getTrades.request.encode({ venue: VENUE, symbol });
    return { method: getTrades.fullName, request };
  }
  const request = listInstruments.request.encode({ venue: VENUE });
  return { method: listInstruments.fullName, request };
}

export default function callAround(): void {
  let isOver = false;
  let number = __VU;
  const callNext = (session: LoadSession) => {
    if (isOver) return;
    const { method, request } = callOf(number);
    number += 1;
    session.call(method, request, () => void setTimeout(() => callNext(session), PAUSE_MS));
  };
  new LoadSession({
    ...TARGET,
    reader: "fast",
    onWelcome: (session) => {
      setTimeout(() => {
        isOver = true;
        session.close();
      }, SECONDS * 1_000);
      callNext(session);
    },
    onEnd: () => {
      isOver = true;
    },
  });
}
