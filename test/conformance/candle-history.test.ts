import { describe, expect, test } from "vitest";
import type { Candle } from "#core/market-event.ts";
import type { CandleHistory, FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { resolveEndpoints } from "#ingest/feed/rest/resolve-endpoints.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { VenueId } from "#ingest/venues/venue-ids.ts";

// What each venue is asked for, and the example of an answer that its documentation gives.

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** 2026-11-02 09:15:00 UTC. */
const FROM_MS = 1_793_610_900_000;

type Case = {
  readonly venue: VenueId;
  readonly symbol: string;
  readonly market?: string;
  readonly intervalMs?: number;
  /** The address, or the body of a POST, that asks for three candles. */
  readonly asks: string;
  readonly answer: unknown;
  /** Time in seconds, open, high, low, close, volume, and what else a row says. */
  readonly candles: readonly (readonly unknown[])[];
};

const CASES: readonly Case[] = [
  {
    venue: "simulated",
    symbol: "BTC-USD",
    asks: "simulated://market/candles?symbol=BTC-USD&interval=60000&from=1793610900000&to=1793611020001",
    answer:
      '{"candles":[[1700000040000,"94991.10","95010.00","94990.07","95003.42","1.70312","161788.2",41]]}',
    candles: [[1700000040, "94991.1", "95010", "94990.07", "95003.42", "1.70312", "161788.2", 41]],
  },
  {
    venue: "binance",
    symbol: "BTCUSDT",
    asks: "https://api.binance.com/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1793610900000&endTime=1793611020000&limit=3",
    answer:
      '[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,"2434.19055334",308,"1756.87402397","28.46694368","0"]]',
    candles: [
      [
        1499040000,
        "0.0163479",
        "0.8",
        "0.015758",
        "0.015771",
        "148976.11427815",
        "2434.19055334",
        308,
      ],
    ],
  },
  {
    venue: "binance-usdm",
    symbol: "BTCUSDT",
    intervalMs: HOUR_MS,
    asks: "https://fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1h&startTime=1793610900000&endTime=1793618100000&limit=3",
    answer:
      '[[1591478520000,"9653.2","9653.6","9651","9652.1","22.19",1591482119999,"214183.5",40,"10.9","1","0"]]',
    candles: [[1591478520, "9653.2", "9653.6", "9651", "9652.1", "22.19", "214183.5", 40]],
  },
  {
    venue: "binance-coinm",
    symbol: "BTCUSD_PERP",
    asks: "https://dapi.binance.com/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1m&startTime=1793610900000&endTime=1793611020000&limit=3",
    answer:
      '[[1591258320000,"9640.7","9642.4","9640.6","9642.0","206",1591258379999,"2.13660389",48,"119","1.23424865","0"]]',
    candles: [[1591258320, "9640.7", "9642.4", "9640.6", "9642", "206", undefined, 48]],
  },
  {
    venue: "coinbase",
    symbol: "BTC-USD",
    asks: "https://api.exchange.coinbase.com/products/BTC-USD/candles?granularity=60&start=2026-11-02T09:15:00.000Z&end=2026-11-02T09:17:00.000Z",
    answer: "[[1415398768,0.32,4.2,0.35,4.2,12.3],[1415398708,0.31,0.4,0.33,0.35,1e-8]]",
    candles: [
      [1415398708, "0.33", "0.4", "0.31", "0.35", "0.00000001"],
      [1415398768, "0.35", "4.2", "0.32", "4.2", "12.3"],
    ],
  },
  {
    venue: "coinbase-advanced",
    symbol: "BTC-USD",
    asks: "https://api.coinbase.com/api/v3/brokerage/market/products/BTC-USD/candles?start=1793610900&end=1793611020&granularity=ONE_MINUTE",
    answer: {
      candles: [
        {
          start: "1639508050",
          low: "140.21",
          high: "140.21",
          open: "140.21",
          close: "140.21",
          volume: "56437345",
        },
      ],
    },
    candles: [[1639508050, "140.21", "140.21", "140.21", "140.21", "56437345"]],
  },
  {
    venue: "kraken",
    symbol: "AAPLx/USD",
    asks: "https://api.kraken.com/0/public/OHLC?pair=AAPLx%2FUSD&interval=1&since=1793610899&asset_class=tokenized_asset",
    answer:
      '{"error":[],"result":{"XXBTZUSD":[[1688671200,"30306.1","30306.2","30305.7","30305.7","30306.1","3.39243896",23]],"last":1688672160}}',
    candles: [
      [1688671200, "30306.1", "30306.2", "30305.7", "30305.7", "3.39243896", undefined, 23],
    ],
  },
  {
    venue: "kraken-v1",
    symbol: "XBT/USD",
    asks: "https://api.kraken.com/0/public/OHLC?pair=XBT%2FUSD&interval=1&since=1793610899",
    answer: '{"error":["EQuery:Unknown asset pair"]}',
    candles: [],
  },
  {
    venue: "kraken-futures",
    symbol: "PF_XBTUSD",
    asks: "https://futures.kraken.com/api/charts/v1/trade/PF_XBTUSD/1m?from=1793610900&to=1793611020",
    answer:
      '{"candles":[{"time":1645198500000,"open":"309.15000000000","high":"309.15000000000","low":"308.70000000000","close":"308.85000000000","volume":0}],"more_candles":true}',
    candles: [[1645198500, "309.15", "309.15", "308.7", "308.85", "0"]],
  },
  {
    venue: "kraken-futures-v2",
    symbol: "PF_XBTUSD",
    asks: "https://futures.kraken.com/api/charts/v1/trade/PF_XBTUSD/1m?from=1793610900&to=1793611020",
    answer: '{"candles":[],"more_candles":false}',
    candles: [],
  },
  {
    venue: "okx",
    symbol: "BTC-USDT-SWAP",
    intervalMs: 24 * HOUR_MS,
    asks: "https://www.okx.com/api/v5/market/history-candles?instId=BTC-USDT-SWAP&bar=1Dutc&after=1793783700001&before=1793610899999&limit=3",
    answer:
      '{"code":"0","msg":"","data":[["1678928760000","24341.4","24344","24313.2","24323","628","2.5819","62800","0"],["1678842360000","24300","24350","24290.1","24341.4","701","2.9","70100","1"]]}',
    candles: [
      [1678842360, "24300", "24350", "24290.1", "24341.4", "701", "70100"],
      [1678928760, "24341.4", "24344", "24313.2", "24323", "628", "62800", undefined, "open"],
    ],
  },
  {
    venue: "bybit",
    symbol: "BTCUSD",
    market: "inverse",
    asks: "https://api.bybit.com/v5/market/kline?category=inverse&symbol=BTCUSD&interval=1&start=1793610900000&end=1793611020000&limit=3",
    answer:
      '{"retCode":0,"result":{"symbol":"BTCUSD","category":"inverse","list":[["1670608800000","17071","17073","17027","17055.5","268611","15.74462667"],["1670605200000","17071.5","17071.5","17061","17071","4177","0.24469757"]]}}',
    candles: [
      [1670605200, "17071.5", "17071.5", "17061", "17071", "4177"],
      [1670608800, "17071", "17073", "17027", "17055.5", "268611"],
    ],
  },
  {
    venue: "deribit",
    symbol: "BTC-PERPETUAL",
    asks: "https://www.deribit.com/api/v2/public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&start_timestamp=1793610900000&end_timestamp=1793611020000&resolution=1",
    answer:
      '{"jsonrpc":"2.0","result":{"volume":[19.007942601,20.095877981],"ticks":[1554373800000,1554375600000],"status":"ok","open":[4963.42,4986.29],"low":[4728.94,4726.6],"high":[5185.45,5250.87],"cost":[19000,23400],"close":[5052.95,5013.59]}}',
    candles: [
      [1554373800, "4963.42", "5185.45", "4728.94", "5052.95", "19.007942601", "19000"],
      [1554375600, "4986.29", "5250.87", "4726.6", "5013.59", "20.095877981", "23400"],
    ],
  },
  {
    venue: "bitget",
    symbol: "BTCUSDT",
    market: "usdt-futures",
    asks: "https://api.bitget.com/api/v3/market/history-candles?category=USDT-FUTURES&symbol=BTCUSDT&interval=1m&type=MARKET&startTime=1793610900000&endTime=1793611020000&limit=3",
    answer:
      '{"code":"00000","data":[["1687708800000","27176.93","27177.43","27166.93","27177.43","2990.08","81246917.3294"]]}',
    candles: [
      [1687708800, "27176.93", "27177.43", "27166.93", "27177.43", "2990.08", "81246917.3294"],
    ],
  },
  {
    venue: "gateio",
    symbol: "BTC_USDT",
    asks: "https://api.gateio.ws/api/v4/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&from=1793610900&to=1793611020",
    answer:
      '[["1539852480","971519.677","0.0021724","0.0021922","0.0021724","0.0021737","445968012.1","true"],["1539852540","0.5","0.0021724","0.0021724","0.0021724","0.0021724","230.1","false"]]',
    candles: [
      [1539852480, "0.0021737", "0.0021922", "0.0021724", "0.0021724", "445968012.1", "971519.677"],
      [
        1539852540,
        "0.0021724",
        "0.0021724",
        "0.0021724",
        "0.0021724",
        "230.1",
        "0.5",
        undefined,
        "open",
      ],
    ],
  },
  {
    venue: "gateio-futures",
    symbol: "BTC_USDT",
    asks: "https://api.gateio.ws/api/v4/futures/usdt/candlesticks?contract=BTC_USDT&interval=1m&from=1793610900&to=1793611020",
    answer:
      '[{"t":1539852480,"v":97151,"c":"1.032","h":"1.032","l":"1.032","o":"1.032","sum":"3580"}]',
    candles: [[1539852480, "1.032", "1.032", "1.032", "1.032", "97151"]],
  },
  {
    venue: "htx",
    symbol: "btcusdt",
    asks: "https://api.huobi.pro/market/history/kline?symbol=btcusdt&period=1min&size=2000",
    answer:
      '{"ch":"market.btcusdt.kline.1min","status":"ok","ts":1629769247172,"data":[{"id":1629769200,"open":49056.37,"close":49025.51,"low":49022.86,"high":49056.38,"amount":3.946281917950917,"vol":193489.67275732,"count":196}]}',
    candles: [
      [
        1629769200,
        "49056.37",
        "49056.38",
        "49022.86",
        "49025.51",
        "3.946281917950917",
        "193489.67275732",
        196,
      ],
    ],
  },
  {
    venue: "htx",
    symbol: "BTC-USDT",
    asks: "https://api.hbdm.com/linear-swap-ex/market/history/kline?contract_code=BTC-USDT&period=1min&from=1793610900&to=1793611020",
    answer:
      '{"ch":"market.BTC-USDT.kline.1min","data":[{"amount":0.004,"close":13076.8,"count":1,"high":13076.8,"id":1603695060,"low":13076.8,"open":13076.8,"trade_turnover":52.3072,"vol":4}],"status":"ok","ts":1603695099234}',
    candles: [[1603695060, "13076.8", "13076.8", "13076.8", "13076.8", "4", "52.3072", 1]],
  },
  {
    venue: "htx-coinm",
    symbol: "BTC-USD",
    asks: "https://api.hbdm.com/swap-ex/market/history/kline?contract_code=BTC-USD&period=1min&from=1793610900&to=1793611020",
    answer:
      '{"ch":"market.BTC-USD.kline.1min","data":[{"amount":0.33,"close":9075.4,"count":12,"high":9075.5,"id":1585814100,"low":9074.3,"open":9074.3,"vol":30}],"status":"ok","ts":1585814108023}',
    candles: [[1585814100, "9074.3", "9075.5", "9074.3", "9075.4", "30", undefined, 12]],
  },
  {
    venue: "htx-coinm",
    symbol: "BTC261225",
    asks: "https://api.hbdm.com/market/history/kline?symbol=BTC261225&period=1min&from=1793610900&to=1793611020",
    answer: '{"data":[],"status":"ok"}',
    candles: [],
  },
  {
    venue: "kucoin-futures",
    symbol: "XBTUSDTM",
    asks: "https://api-futures.kucoin.com/api/v1/kline/query?symbol=XBTUSDTM&granularity=1&from=1793610900000&to=1793611079999",
    answer:
      '{"code":"200000","data":[[1575331200000,7495.01,8309.67,7250,7463.55,200],[1575374400000,7464.37,8297.85,7273.02,7491.44,200]]}',
    candles: [
      [1575331200, "7495.01", "8309.67", "7250", "7463.55", "200"],
      [1575374400, "7464.37", "8297.85", "7273.02", "7491.44", "200"],
    ],
  },
  {
    venue: "okx-spreads",
    symbol: "BTC-USDT_BTC-USDT-SWAP",
    asks: "https://www.okx.com/api/v5/market/sprd-history-candles?sprdId=BTC-USDT_BTC-USDT-SWAP&bar=1m&after=1793611020001&before=1793610899999&limit=3",
    answer:
      '{"code":"0","msg":"","data":[["1597026420000","-0.2","0","-3.1","-1.5","24912403","0"],["1597026360000","3.721","3.743","3.677","3.708","8422410","1"]]}',
    candles: [
      [1597026360, "3.721", "3.743", "3.677", "3.708", "8422410"],
      [1597026420, "-0.2", "0", "-3.1", "-1.5", "24912403", undefined, undefined, "open"],
    ],
  },
  {
    venue: "kucoin",
    symbol: "BTC-USDT",
    asks: "https://api.kucoin.com/api/v1/market/candles?symbol=BTC-USDT&type=1min&startAt=1793610900&endAt=1793611080",
    answer:
      '{"code":"200000","data":[["1566789720","10411.5","10401.9","10411.5","10396.3","29.11357276","302889.301529914"]]}',
    candles: [
      [1566789720, "10411.5", "10411.5", "10396.3", "10401.9", "29.11357276", "302889.301529914"],
    ],
  },
  {
    venue: "kucoin-uta",
    symbol: "BTC-USDT",
    asks: "https://api.kucoin.com/api/v1/market/candles?symbol=BTC-USDT&type=1min&startAt=1793610900&endAt=1793611080",
    answer: '{"code":"400100","msg":"Bad Request"}',
    candles: [],
  },
  {
    venue: "bitfinex",
    symbol: "tBTCUSD",
    asks: "https://api-pub.bitfinex.com/v2/candles/trade%3A1m%3AtBTCUSD/hist?start=1793610900000&end=1793611020000&limit=3&sort=1",
    answer:
      "[[1678465320000,20097,20094,20097,20094,0.07870586],[1678465380000,20100,20107,20107,20100,1e-5]]",
    candles: [
      [1678465320, "20097", "20097", "20094", "20094", "0.07870586"],
      [1678465380, "20100", "20107", "20100", "20107", "0.00001"],
    ],
  },
  {
    venue: "bitstamp",
    symbol: "btcusd",
    asks: "https://www.bitstamp.net/api/v2/ohlc/btcusd/?step=60&limit=3&start=1793610900&end=1793611020",
    answer: {
      data: {
        pair: "BTC/USD",
        ohlc: [
          {
            high: "9064.77",
            timestamp: "1593961440",
            volume: "18.49436608",
            low: "9040.87",
            close: "9064.77",
            open: "9040.87",
          },
        ],
      },
    },
    candles: [[1593961440, "9040.87", "9064.77", "9040.87", "9064.77", "18.49436608"]],
  },
  {
    venue: "gemini",
    symbol: "btcusd",
    asks: "https://api.gemini.com/v2/candles/BTCUSD/1m",
    answer:
      "[[1559755800000,7781.6,7820.23,7776.56,7819.39,34.7624802159],[1559755740000,7781.6,7829.46,7776.56,7817.28,43.4228281059]]",
    candles: [
      [1559755740, "7781.6", "7829.46", "7776.56", "7817.28", "43.4228281059"],
      [1559755800, "7781.6", "7820.23", "7776.56", "7819.39", "34.7624802159"],
    ],
  },
  {
    venue: "gemini-v2",
    symbol: "BTCGUSDPERP",
    asks: "https://api.gemini.com/v2/derivatives/candles/BTCGUSDPERP/1m",
    answer: "[[1714126740000,68038,68038,68038,68038,0]]",
    candles: [[1714126740, "68038", "68038", "68038", "68038", "0"]],
  },
  {
    venue: "bitmex",
    symbol: "XBTUSD",
    intervalMs: HOUR_MS,
    asks: "https://www.bitmex.com/api/v1/trade/bucketed?binSize=1h&partial=false&symbol=XBTUSD&count=3&startTime=2026-11-02T10:15:00.000Z&endTime=2026-11-02T12:15:00.000Z",
    answer:
      '[{"timestamp":"2020-01-06T01:00:00.000Z","symbol":"XBTUSD","open":7342,"high":7399,"low":7340.5,"close":7391.5,"trades":7721,"volume":54021200,"vwap":7369.1966,"lastSize":100,"turnover":733071450000,"homeNotional":7330.71,"foreignNotional":54021200}]',
    candles: [[1578268800, "7342", "7399", "7340.5", "7391.5", "54021200", "54021200", 7721]],
  },
  {
    venue: "hyperliquid",
    symbol: "kPEPE",
    asks: '{"type":"candleSnapshot","req":{"coin":"kPEPE","interval":"1m","startTime":1793610900000,"endTime":1793611020000}}',
    answer:
      '[{"T":1681924499999,"c":"29258.0","h":"29309.0","i":"15m","l":"29250.0","n":189,"o":"29295.0","s":"BTC","t":1681923600000,"v":"0.98639"}]',
    candles: [[1681923600, "29295", "29309", "29250", "29258", "0.98639", undefined, 189]],
  },
];

function historyOf(venue: VenueId): CandleHistory {
  const adapter: FeedAdapter = VENUES[venue];
  if (adapter.candleHistory === undefined) throw new Error(`${venue} has no candles of the past`);
  return adapter.candleHistory;
}

function summary({ openTimeUs, closed, ...candle }: Candle): unknown[] {
  const { open, high, low, close, volume, quoteVolume, tradeCount } = candle;
  const numbers = [open, high, low, close, volume, quoteVolume, tradeCount];
  const row = [openTimeUs / 1_000_000, ...numbers, closed ? undefined : "open"];
  while (row.at(-1) === undefined) row.pop();
  return row;
}

describe.each(CASES)("candles of $symbol at $venue", (each) => {
  const { venue, symbol, market, intervalMs = MINUTE_MS, asks, answer, candles } = each;
  const adapter: FeedAdapter = VENUES[venue];
  const instrument = adapter.deriveInstrument(symbol, market);
  if (instrument === undefined) throw new Error(`${symbol} is no instrument`);

  test("are asked for by range, as far as the venue takes one", () => {
    const endpoints = resolveEndpoints(adapter, {});
    const range = { intervalMs, fromMs: FROM_MS, toMs: FROM_MS + 3 * intervalMs };
    const request = historyOf(venue).request(instrument, range, endpoints);
    expect(request?.body ?? request?.url).toBe(asks);
  });

  test("are read as the venue's pages write them, oldest first", () => {
    const body = typeof answer === "string" ? answer : JSON.stringify(answer);
    const receivedTimeUs = FROM_MS * 1000;
    const parsed = historyOf(venue).parse(body, { instrument, intervalMs, receivedTimeUs });
    if (candles.length === 0 && parsed === undefined) return;
    expect(parsed?.skipped).toBe(0);
    expect(parsed?.candles.map(summary)).toEqual(candles);
  });
});

describe("candles of the past", () => {
  test("are tested at every venue that declares them", () => {
    const adapters: readonly FeedAdapter[] = Object.values(VENUES);
    const declared = adapters.filter((adapter) => adapter.candleHistory !== undefined);
    const tested = new Set<string>(CASES.map(({ venue }) => venue));
    expect(declared.map(({ venue }) => venue).filter((venue) => !tested.has(venue))).toEqual([]);
  });

  test("have lengths that rise, and none but those is asked for", () => {
    for (const { venue, symbol, market } of CASES) {
      const adapter: FeedAdapter = VENUES[venue];
      const history = historyOf(venue);
      const { intervalsMs } = history;
      expect(intervalsMs).toEqual([...new Set(intervalsMs)].toSorted((a, b) => a - b));
      const instrument = adapter.deriveInstrument(symbol, market);
      if (instrument === undefined) throw new Error(`${symbol} is no instrument`);
      const ask = (intervalMs: number) =>
        history.request(instrument, { intervalMs, fromMs: 0, toMs: intervalMs }, adapter.endpoints);
      expect(ask(MINUTE_MS)).toBeDefined();
      expect(ask(7 * MINUTE_MS)).toBeUndefined();
    }
  });

  test("of a long range are asked for in as many pages as the venue's answers need", () => {
    const range = { intervalMs: MINUTE_MS, fromMs: FROM_MS, toMs: FROM_MS + 2500 * MINUTE_MS };
    const pages = (venue: VenueId) =>
      historyOf(venue)
        .pages(range, 100)
        .map(({ fromMs, toMs }) => (toMs - fromMs) / MINUTE_MS);
    expect(pages("binance")).toEqual([1000, 1000, 500]);
    expect(pages("bitget")).toHaveLength(25);
    expect(pages("kraken")).toEqual([2500]);
    expect(() => historyOf("bitget").pages(range, 24)).toThrow(RangeError);
  });

  test("that are still under way are not closed, and damaged ones cost themselves only", () => {
    const instrument = VENUES.binance.deriveInstrument("BTCUSDT");
    if (instrument === undefined) throw new Error("no instrument");
    const row = (openMs: number, close: unknown) => [openMs, "1", "1", "1", close, "1", 0, "1", 1];
    const rows = [
      row(FROM_MS, "2"),
      row(FROM_MS + MINUTE_MS, "3"),
      row(FROM_MS, "x"),
      7,
      row(5, "1"),
    ];
    const parse = (afterMs: number) =>
      historyOf("binance").parse(JSON.stringify(rows), {
        instrument,
        intervalMs: MINUTE_MS,
        receivedTimeUs: (FROM_MS + afterMs) * 1000,
      });
    const closed = (afterMs: number) => parse(afterMs)?.candles.map((candle) => candle.closed);
    expect(parse(0)?.skipped).toBe(3);
    expect(closed(MINUTE_MS - 1)).toEqual([false, false]);
    expect(closed(MINUTE_MS)).toEqual([true, false]);
    expect(closed(2 * MINUTE_MS)).toEqual([true, true]);
  });

  test.each(["", "{", "null", "7", '"x"', "{}", '{"data":5}', '{"result":{"list":{}}}'])(
    "an answer of %j holds none",
    (body) => {
      for (const { venue, symbol, market } of CASES) {
        const adapter: FeedAdapter = VENUES[venue];
        const instrument = adapter.deriveInstrument(symbol, market);
        if (instrument === undefined) throw new Error(`${symbol} is no instrument`);
        const subject = { instrument, intervalMs: MINUTE_MS, receivedTimeUs: 1 };
        expect(historyOf(venue).parse(body, subject)?.candles ?? []).toEqual([]);
      }
    },
  );
});
