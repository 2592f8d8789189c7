// What the messages of both Gate venues have in common.
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";

const NONE: readonly never[] = [];

/** The stream of a pair in `spot.obu` and `futures.obu`: `ob.BTC_USDT.400`. */
export function streamOf(venueSymbol: string, levels: number): string {
  return `ob.${venueSymbol}.${levels}`;
}

/** The pair in such a name, or undefined. */
export function venueSymbolOfStream(stream: JsonText | undefined): string | undefined {
  return typeof stream === "string" ? /^ob\.(.+)\.\d+$/.exec(stream)?.[1] : undefined;
}

/** The pair in `1m_BTC_USDT` where the interval is a minute, or undefined. */
export function venueSymbolOfCandle(name: JsonText | undefined): string | undefined {
  return typeof name === "string" ? /^1m_(.+)$/.exec(name)?.[1] : undefined;
}

/** The pair that the payload of a request names; each of ours names one. */
export function venueSymbolsOfPayload(
  channel: string,
  payload: JsonText | undefined,
): readonly string[] {
  const texts = (asJsonArray(payload) ?? NONE).map(asText);
  switch (channel.slice(channel.indexOf(".") + 1)) {
    case "obu":
      return texts.map(venueSymbolOfStream).filter((each) => each !== undefined);
    case "candlesticks":
      return texts[1] === undefined ? NONE : [texts[1]];
    case "order_book_update":
    case "contract_stats":
      return texts[0] === undefined ? NONE : [texts[0]];
    default:
      return texts.filter((each) => each !== undefined);
  }
}

/** The digits of a trade's id. */
export function idText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" && /^\d{1,40}$/.test(value) ? value : undefined;
}

/** Levels as arrays of price and size; futures write them as objects with `p` and `s`. */
export function levelsOf(side: JsonText | undefined): readonly unknown[] | undefined {
  if (side === undefined || side === null) return NONE;
  const levels = asJsonArray(side);
  const [first] = levels ?? NONE;
  if (levels === undefined || asJsonObject(first) === undefined) return levels;
  return levels.map((level) => {
    const { p, s } = asJsonObject(level) ?? {};
    return [p, s];
  });
}

/** The parts of a result: futures send lists, spot one at a time. */
export function partsOf(result: JsonText | undefined): readonly JsonText[] {
  return asJsonArray(result) ?? (result === undefined ? NONE : [result]);
}
