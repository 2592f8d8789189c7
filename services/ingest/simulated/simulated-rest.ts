import type { Clock } from "#core/clock.ts";
import type { RestClient } from "../feed/rest/rest-client.ts";
import type { SimulatedInstrument } from "./simulated-instruments.ts";

/** The list of instruments, by the way that other venues' lists come. */
export function createSimulatedRest(
  clock: Clock,
  instruments: readonly SimulatedInstrument[],
): RestClient {
  const body = JSON.stringify({ instruments });
  const pending = new Set<(reason: string) => void>();
  let closed = false;
  return {
    get(request, onResponse, onError): void {
      pending.add(onError);
      clock.after(0, () => {
        if (!pending.delete(onError)) return;
        if (closed) return onError("closed");
        if (!request.url.endsWith("/instruments")) {
          return onResponse({ url: request.url, status: 404, body: "" });
        }
        onResponse({ url: request.url, status: 200, body });
      });
    },
    close(): void {
      closed = true;
      for (const onError of pending) onError("closed");
      pending.clear();
    },
  };
}
