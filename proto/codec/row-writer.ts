import { ROW_KINDS } from "./row-kinds.ts";
import type { BatchRows, RowKind } from "./types.ts";
import { channelToWire, sideToWire, stateToWire } from "./wire-names.ts";

/** The payload of rows. Throws WireError if a value does not fit its field. */
export function encodeRows(rows: Extract<BatchRows, { readonly kind: RowKind }>): Uint8Array {
  // What a row has besides its message, its times, stands elsewhere in the batch.
  return ROW_KINDS[rows.kind].codec.encode({ [rows.kind]: elementsOf(rows) } as never);
}

function elementsOf(rows: Extract<BatchRows, { readonly kind: RowKind }>): readonly object[] {
  switch (rows.kind) {
    case "liquidations":
      return rows.rows.map((row) => ({ ...row, aggressorSide: sideToWire(row.aggressorSide) }));
    case "statuses":
      return rows.rows.map((row) => ({
        ...row,
        channel: channelToWire(row.channel),
        state: stateToWire(row.state),
      }));
    case "candles":
    case "tickers":
    case "fundings":
    case "markPrices":
    case "openInterests":
      return rows.rows;
  }
}
