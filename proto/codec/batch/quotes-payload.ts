import * as BatchField from "../../gen/batch-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import type { QuoteColumns } from "../types.ts";
import type { RecordField } from "./batch-kinds.ts";
import type { ChainState } from "./chain-state.ts";
import type { FieldScan } from "./field-scan.ts";
import type { Payload } from "./payload.ts";
import { readRecords } from "./record-reader.ts";

/** The prices of a quote have one scale and its sizes another. */
const QUOTE_FIELDS: readonly RecordField[] = /* @__PURE__ */ [
  BatchField.BidPrices,
  BatchField.BidSizes,
  BatchField.AskPrices,
  BatchField.AskSizes,
].map((column, index) => ({ column, type: "mantissa", scaleField: index & 1 }));

/** The channel of quotes. */
export const QUOTES_PAYLOAD: Payload = {
  channel: 2,
  kind: "quotes",
  fields: QUOTE_FIELDS,
  readColumns: readQuotes,
};

function readQuotes(scan: FieldScan, state: ChainState, count: number): QuoteColumns {
  const { columns, scales } = readRecords(scan, state, QUOTE_FIELDS, count);
  const [bidPrices, bidSizes, askPrices, askSizes] = columns as [
    Mantissa[],
    Mantissa[],
    Mantissa[],
    Mantissa[],
  ];
  const [priceScale, sizeScale] = scales as [number, number];
  return { priceScale, sizeScale, bidPrices, bidSizes, askPrices, askSizes };
}
