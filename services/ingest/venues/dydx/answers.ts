// https://docs.dydx.xyz/indexer-client/websockets
import type { Emit } from "../../reading/emit.ts";
import { emitRefused } from "../../reading/subscription-answers.ts";
import { channelsOfName, marketOfId } from "./requests.ts";

/** The subscription that an error names, as `(v4_trades-BTC-USD)`. */
const NAMED = /\((v4_[a-z_]+)-(.+)\)/;

/** Reads an error. One that names no subscription may be about any of those asked for. */
export function readRefusal(reason: string, emit: Emit): void {
  const [, name, id] = NAMED.exec(reason) ?? [];
  const channels = channelsOfName(name);
  const isNamed = id !== undefined && channels.length > 0 && name !== "v4_markets";
  const asked = isNamed ? [{ venueSymbol: marketOfId(id).market, channels }] : [];
  emitRefused(asked, reason, emit);
}
