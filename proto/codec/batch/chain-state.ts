import type { Mantissa } from "../../model/decimal.ts";
import { recordFieldsOf, channelNumberOf } from "./batch-kinds.ts";
import type { BatchKind } from "./batch-kinds.ts";

/** How the ids of trades travel; the numbers are those of the schema's TradeIdForm. */
export const TradeIdForm = { None: 0, Number: 1, Text: 2 } as const;
export type TradeIdForm = (typeof TradeIdForm)[keyof typeof TradeIdForm];

/**
 * What both ends know of a topic between two batches. The writer and each reader move one of their
 * own by the same rules; a Base is one of them written out.
 */
export type ChainState = {
  /** Number of the schema's Channel. */
  channel: number;
  epoch: number;
  /** Of its base, which batches say and no base does. */
  generation: number;
  /** Of the last event. */
  sequence: number;
  receivedTimeUs: number;
  /** Of the last event that had one. */
  venueTimeUs: number;
  /** Received time of that event. */
  venueReceivedTimeUs: number;
  /** 0 if no event has a venue time. */
  venueTimeUnitUs: number;
  priceScale: number;
  sizeScale: number;
  /** Of the last trade, or of the last bid level. */
  price: Mantissa;
  askPrice: Mantissa;
  tradeIdForm: number;
  tradeId: Mantissa;
  tradeIdPrefix: string;
  tradeIdDigits: number;
  /** Of the fields of channels with records. */
  values: Mantissa[];
  scales: number[];
  /** How many fields the writer knows, which may be more or fewer than this code does. */
  fieldCount: number;
  /** Bit i: the venue does not say field i. */
  absent: number;
};

/** The state before the first event of an epoch; nothing in it means anything yet. */
export function emptyChainState(kind: BatchKind, epoch: number, sequence: number): ChainState {
  const fields = recordFieldsOf(kind)?.length ?? 0;
  return {
    channel: channelNumberOf(kind),
    epoch,
    generation: 0,
    sequence,
    receivedTimeUs: 0,
    venueTimeUs: 0,
    venueReceivedTimeUs: 0,
    venueTimeUnitUs: 0,
    priceScale: 0,
    sizeScale: 0,
    price: 0,
    askPrice: 0,
    tradeIdForm: TradeIdForm.None,
    tradeId: 0,
    tradeIdPrefix: "",
    tradeIdDigits: 0,
    values: Array.from({ length: fields }, () => 0),
    scales: Array.from({ length: fields }, () => 0),
    fieldCount: fields,
    absent: 0,
  };
}
