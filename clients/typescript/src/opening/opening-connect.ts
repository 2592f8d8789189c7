import type { BaseConnectOptions, Connect, GatewayUrls } from "../connect.ts";
import { ConnectionError } from "../errors.ts";
import { createEnvironment } from "../host/environment.ts";
import { LateCode } from "../host/late-code.ts";
import type { ClientSession } from "../session/client-session.ts";
import { OpeningSession } from "./opening-session.ts";
import type { createWholeConnect, takeOver } from "./take-over.ts";

/** What is loaded. */
type WholeCode = {
  readonly createWholeConnect: typeof createWholeConnect;
  readonly takeOver: typeof takeOver;
};

/** Options that an opening knows, or that are for what is made on it. */
const PLAIN_OPTIONS: ReadonlySet<string> = /* @__PURE__ */ new Set(
  "signal webSocket clock random clientName token compression fetch bufferEventsMax overflow hiddenIntervalMs callTimeoutMs callsQueuedMax interceptors".split(
    " ",
  ),
);

/**
 * `connect()` of one kind of client of which a page loads at first what it needs for the first
 * events. What options ask for more loads the rest before it dials. `load` brings it.
 */
export function createOpeningConnect<Options extends BaseConnectOptions, Client>(
  createClient: (session: ClientSession, options: Options) => Client,
  load: () => Promise<WholeCode> = () => import("./take-over.ts"),
): Connect<Options, Client> {
  return async (gateways, given) => {
    // Every option may be left out.
    const options = given ?? ({} as Options);
    const { webSocket, clock, random, signal } = options;
    const environment = createEnvironment({ webSocket, clock, random });
    let wasSilent = false;
    if (isPlain(gateways, options) && signal?.aborted !== true) {
      const loadTakeOver = async () => (await load()).takeOver;
      const session = new OpeningSession(gateways, options, environment, loadTakeOver);
      const client = createClient(session, options);
      const outcome = await session.open(signal);
      if (outcome === "open") return client;
      wasSilent = outcome === "silent";
    }
    const backoff = { baseMs: 500, maxMs: 20_000 };
    const code = new LateCode(load, { ...environment, backoff });
    let whole: WholeCode;
    try {
      whole = await code.get();
    } catch (cause) {
      const message = "the gateway was not reached, or the client's code could not be loaded";
      throw new ConnectionError("connect-failed", message, { retryable: true, cause });
    }
    return whole.createWholeConnect(createClient, wasSilent)(gateways, options);
  };
}

/** Whether an opening does what the caller wants. */
function isPlain(gateways: string | GatewayUrls, options: BaseConnectOptions): gateways is string {
  const isKnown = Object.entries(options).every(
    ([name, value]) => value === undefined || PLAIN_OPTIONS.has(name),
  );
  const { token = "" } = options;
  return typeof gateways === "string" && isKnown && typeof token === "string";
}
