import { RpcError } from "../errors.ts";
import { LateCode } from "../host/late-code.ts";
import type { SessionLink } from "../session/session-part.ts";
import type { Replay } from "./replay-options.ts";

/** Replays whose code comes with the first of them. */
export function replayLater(
  link: Pick<SessionLink, "clock" | "random" | "backoff">,
  load = loadReplay,
): Replay {
  const code = new LateCode(load, link);
  return async function* later(...given) {
    let replay: Replay;
    try {
      replay = await code.get();
    } catch (cause) {
      const where = { method: "tickwire.v1.MarketData/Replay", sent: false };
      const message = "the code of replays could not be loaded";
      throw new RpcError("unavailable", message, { ...where, retryable: true, cause });
    }
    yield* replay(...given);
  };
}

async function loadReplay(): Promise<Replay> {
  return (await import("./replay-events.ts")).replayEvents;
}
