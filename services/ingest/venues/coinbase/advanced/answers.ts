import type { RefusalRules } from "../../../feed/feed-adapter.ts";
import type { Emit } from "../../../reading/emit.ts";
import { emitRefused } from "../../../reading/subscription-answers.ts";
import type { JsonRecord } from "../../../reading/text-fields.ts";
import { COINBASE_REFUSALS, reasonOf } from "../answers.ts";
import type { ProductNames } from "./fields.ts";
import { CHANNELS_OF_NAME } from "./requests.ts";

/** Its words are not documented: one that names a product is about that product. */
export const ADVANCED_REFUSALS: RefusalRules = {
  ...COINBASE_REFUSALS,
  final: {
    words: /invalid|not (?:a )?valid|unsupported|unknown|authentication|\b[A-Z0-9]+-[A-Z0-9]+\b/,
  },
};

/** How the venue words a refusal is not documented; a product that it names is taken from it. */
export function refuse(message: JsonRecord, names: ProductNames, emit: Emit): void {
  const reason = reasonOf(message);
  const venueSymbol = /\b([A-Z0-9]+(?:-[A-Z0-9]+){1,2})\b/.exec(reason)?.[1];
  const channels = [...CHANNELS_OF_NAME.values()].flat();
  const refused = venueSymbol === undefined ? [] : names.ofAnswer({ venueSymbol, channels });
  emitRefused(refused, reason, emit);
}
