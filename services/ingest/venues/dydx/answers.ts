// https://docs.dydx.xyz/indexer-client/websockets
import type { JsonTape } from "#core/json-tape.ts";
import type { RefusalRules } from "../../feed/feed-adapter.ts";
import type { Emit } from "../../reading/emit.ts";
import { emitRefused } from "../../reading/subscription-answers.ts";
import { textAt } from "../../reading/tape-fields.ts";
import { channelsOfName, marketOfId } from "./requests.ts";

/** It has no codes; these are the words of its source. */
export const DYDX_REFUSALS: RefusalRules = {
  harmless: { words: /already subscribed/i },
  tooFast: { words: /too many/i },
  passing: { words: /internal error|limit reached/i },
  final: { words: /invalid/i },
};

/** What words name: `(v4_trades-BTC-USD)`, `channel v4_trades-BTC-USD.` */
const NAMED = /(v4_[a-z_]+)-([^\s()]+?)[).]*(?:\s|$)/;

/** Reads an error. One that names no subscription may be about any of those asked for. */
export function readRefusal(tape: JsonTape, emit: Emit): void {
  const reason = textAt(tape, 0, "message") ?? "refused";
  const [, namedChannel, namedId] = NAMED.exec(reason) ?? [];
  // Some errors say it in fields, and others in words alone.
  const name = textAt(tape, 0, "channel") ?? namedChannel;
  const id = textAt(tape, 0, "id") ?? namedId;
  const channels = channelsOfName(name);
  const isNamed = id !== undefined && channels.length > 0 && name !== "v4_markets";
  const asked = isNamed ? [{ venueSymbol: marketOfId(id).market, channels }] : [];
  emitRefused(asked, reason, emit);
}
