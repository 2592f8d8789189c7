import type { Emit } from "../../../reading/emit.ts";
import { emitRefused } from "../../../reading/subscription-answers.ts";
import type { JsonRecord } from "../../../reading/text-fields.ts";
import { reasonOf } from "../answers.ts";
import type { ProductNames } from "./fields.ts";
import { CHANNELS_OF_NAME } from "./requests.ts";

/** How the venue words a refusal is not documented; a product that it names is taken from it. */
export function refuse(message: JsonRecord, names: ProductNames, emit: Emit): void {
  const reason = reasonOf(message);
  const venueSymbol = /\b([A-Z0-9]+(?:-[A-Z0-9]+){1,2})\b/.exec(reason)?.[1];
  const channels = [...CHANNELS_OF_NAME.values()].flat();
  const refused = venueSymbol === undefined ? [] : names.ofAnswer({ venueSymbol, channels });
  emitRefused(refused, reason, emit);
}
