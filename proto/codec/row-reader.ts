import type { AggressorSide, Channel, TopicState } from "../gen/messages.ts";
import { ROW_KINDS } from "./row-kinds.ts";
import type { RowKind, RowTimes } from "./types.ts";
import { channelFromWire, sideFromWire, stateFromWire } from "./wire-names.ts";

type Row = RowTimes & Record<string, unknown>;

/** The rows of a payload; `timesOf(i)` are the times of row i. Throws WireError. */
export function decodeRows(
  kind: RowKind,
  payload: Uint8Array,
  timesOf: (index: number) => RowTimes,
): Row[] {
  const { codec, optional } = ROW_KINDS[kind];
  const message = codec.decode(payload) as { readonly [list: string]: readonly object[] };
  return (message[kind] ?? []).map((element, index) => {
    const row: Row = { ...timesOf(index), ...element };
    for (const name of optional) {
      if (row[name] === "" || row[name] === 0) row[name] = undefined;
    }
    if (kind === "liquidations") {
      row["aggressorSide"] = sideFromWire(row["aggressorSide"] as AggressorSide);
    } else if (kind === "statuses") {
      row["channel"] = channelFromWire(row["channel"] as Channel);
      row["state"] = stateFromWire(row["state"] as TopicState);
    }
    return row;
  });
}
