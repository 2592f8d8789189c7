import type { Watched } from "../feed/connection/subscription-watch.ts";
import type { SubscriptionHealth } from "../metrics.ts";

/** In words that an operator can act on. */
export function healthOf(watched: Watched, nowUs: number): SubscriptionHealth {
  const { instrument, channel } = watched.subscription;
  const { state } = watched;
  return { symbol: instrument.symbol, channel, state, trouble: troubleOf(watched, nowUs) };
}

function troubleOf(watched: Watched, nowUs: number): string {
  const { state, asks, recoveries, refusal, refusals, isProvenDead, lastDataUs } = watched;
  const silence = `${Math.round((nowUs - lastDataUs) / 1e6)} s`;
  switch (state) {
    case "live":
    case "doubted":
      return "";
    case "pending":
      return asks === 0
        ? "the venue has not answered the subscription yet"
        : `the venue does not answer the subscription; asked for ${asks + 1} times`;
    case "acknowledged":
      return recoveries === 0
        ? "confirmed by the venue; its first data is awaited"
        : `confirmed by the venue, which sends nothing of it; asked for anew ${times(recoveries)}`;
    case "unserved":
      return `confirmed by the venue, which sends nothing of it; asked for anew ${times(recoveries)}, on another connection too`;
    case "stale":
      return isProvenDead
        ? `the venue's REST has news that the stream did not bring; silent for ${silence}, asked for anew ${times(recoveries)}`
        : `silent for ${silence}, asked for anew ${times(recoveries)}`;
    case "waiting":
      return `refused for the moment (${refusal}), ${times(refusals)}; it is asked for again`;
    case "refused":
      return `refused by the venue (${refusal}); check that it still lists the instrument and offers the channel`;
    case "down":
      return "there is no connection to the venue";
  }
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
