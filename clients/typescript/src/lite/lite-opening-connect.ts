import type { BareEnvironment } from "../host/environment.ts";
import { LateCode } from "../host/late-code.ts";
import { LiteClient } from "./lite-face.ts";
import { LITE_BACKOFF, LiteOpening, notLoaded } from "./lite-opening.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import type { connectWhole, takeOverLite } from "./lite-take-over.ts";

/** What is loaded. */
type LiteWholeCode = {
  readonly connectWhole: typeof connectWhole;
  readonly takeOverLite: typeof takeOverLite;
};

/** Options that an opening knows; what others ask for loads the rest before it dials. */
const PLAIN_OPTIONS: readonly string[] = [
  "signal",
  "webSocket",
  "clock",
  "random",
  "clientName",
  "token",
];

/**
 * `connect()` of the small client, of which a page loads at first what it needs for the first
 * events. `load` brings the rest.
 */
export async function connectOpening(
  url: string,
  options: LiteConnectOptions,
  environment: BareEnvironment,
  load: () => Promise<LiteWholeCode> = () => import("./lite-take-over.ts"),
): Promise<LiteClient> {
  const code = new LateCode(load, { ...environment, backoff: LITE_BACKOFF });
  const isPlain = Object.entries(options).every(
    ([name, value]) => value === undefined || PLAIN_OPTIONS.includes(name),
  );
  if (isPlain && typeof options.token !== "function" && options.signal?.aborted !== true) {
    const opening = new LiteOpening(url, options, environment, code);
    if (await opening.open()) return new LiteClient(opening, environment);
    const { endError } = opening;
    if (endError !== undefined) throw endError;
  }
  let whole: LiteWholeCode;
  try {
    whole = await code.get();
  } catch (cause) {
    throw notLoaded(cause);
  }
  return whole.connectWhole(url, options, environment);
}
