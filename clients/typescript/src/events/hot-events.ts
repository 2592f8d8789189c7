import { idText, type DecodedBatch } from "@tickwire/proto/codec";
import { formatDecimal, toNumber } from "@tickwire/proto/model";
import type { TopicInfo } from "../topics/topic.ts";
import { jsonSafe } from "./json-safe.ts";
import { priceText } from "./price-texts.ts";
import type { Quote, Trade } from "./market-event.ts";

type TradesBatch = Extract<DecodedBatch, { kind: "trades" }>;
type QuotesBatch = Extract<DecodedBatch, { kind: "quotes" }>;

// Each event is one literal, which is several times as fast as putting objects together. A field
// that the schema has and the literal has not does not compile.

/** Trade `index` of a batch. */
export function tradeEvent(info: TopicInfo, batch: TradesBatch, index: number): Trade {
  const { columns } = batch;
  const { priceScale, sizeScale } = columns;
  const priceMantissa = columns.prices[index]!;
  const sizeMantissa = columns.sizes[index]!;
  const id = columns.tradeIds[index]!;
  const event: Trade = {
    type: "trade",
    topic: info.topic,
    venue: info.venue,
    symbol: info.symbol,
    venueSymbol: info.venueSymbol,
    epoch: batch.epoch,
    sequence: batch.snapshot ? batch.firstSequence : batch.firstSequence + index,
    initial: batch.snapshot,
    venueTimeUs: batch.venueTimesUs[index],
    receivedTimeUs: batch.receivedTimesUs[index]!,
    publishedTimeUs: batch.publishedTimeUs,
    price: toNumber(priceMantissa, priceScale),
    priceText: priceText(priceMantissa, priceScale),
    priceMantissa,
    priceScale,
    size: toNumber(sizeMantissa, sizeScale),
    sizeText: formatDecimal(sizeMantissa, sizeScale),
    sizeMantissa,
    sizeScale,
    aggressorSide: columns.aggressorSides[index]!,
    tradeId: id === "" ? undefined : idText(id),
    historical: columns.historical[index]!,
  };
  const isSafe = typeof priceMantissa === "number" && typeof sizeMantissa === "number";
  return isSafe ? event : jsonSafe(event, priceMantissa, sizeMantissa);
}

/** Quote `index` of a batch. */
export function quoteEvent(info: TopicInfo, batch: QuotesBatch, index: number): Quote {
  const { columns } = batch;
  const { priceScale, sizeScale } = columns;
  const bidPrice = columns.bidPrices[index]!;
  const bidSize = columns.bidSizes[index]!;
  const askPrice = columns.askPrices[index]!;
  const askSize = columns.askSizes[index]!;
  const event: Quote = {
    type: "quote",
    topic: info.topic,
    venue: info.venue,
    symbol: info.symbol,
    venueSymbol: info.venueSymbol,
    epoch: batch.epoch,
    sequence: batch.snapshot ? batch.firstSequence : batch.firstSequence + index,
    initial: batch.snapshot,
    venueTimeUs: batch.venueTimesUs[index],
    receivedTimeUs: batch.receivedTimesUs[index]!,
    publishedTimeUs: batch.publishedTimeUs,
    priceScale,
    sizeScale,
    bidPrice: toNumber(bidPrice, priceScale),
    bidPriceText: priceText(bidPrice, priceScale),
    bidPriceMantissa: bidPrice,
    bidSize: toNumber(bidSize, sizeScale),
    bidSizeText: formatDecimal(bidSize, sizeScale),
    bidSizeMantissa: bidSize,
    askPrice: toNumber(askPrice, priceScale),
    askPriceText: priceText(askPrice, priceScale),
    askPriceMantissa: askPrice,
    askSize: toNumber(askSize, sizeScale),
    askSizeText: formatDecimal(askSize, sizeScale),
    askSizeMantissa: askSize,
  };
  const isSafe =
    typeof bidPrice === "number" &&
    typeof bidSize === "number" &&
    typeof askPrice === "number" &&
    typeof askSize === "number";
  return isSafe ? event : jsonSafe(event, bidPrice, bidSize, askPrice, askSize);
}
