import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import { DOCUMENTED_FRAMES } from "#test/support/documented-frames.ts";
import {
  type Outcome,
  ScanOracle,
  alteredFrames,
  recordedTexts,
} from "#test/support/scan-oracle.ts";
import { VENUES } from "#ingest/venues/registry.ts";

/**
 * Captures of the venues that scan, and which part of their frames is scanned at least. What is
 * not comes too seldom to matter, or teaches the scanner: names and scales.
 */
const CAPTURES = [
  { capture: "binance-usdm-btcusdt-345s", venue: "binance-usdm", share: 0.99 },
  { capture: "binance-usdm-4-pairs", venue: "binance-usdm", share: 0.8 },
  { capture: "binance-btcusdt-345s", venue: "binance", share: 0.98 },
  { capture: "coinbase-10-pairs", venue: "coinbase", share: 0.98 },
  { capture: "kraken-v2-ethusd", venue: "kraken", share: 0.9 },
  { capture: "kraken-v2-btcusd-depth10-resubscribes", venue: "kraken", share: 0.75 },
  { capture: "kraken-v1-10-pairs", venue: "kraken-v1", share: 0.9 },
  { capture: "okx-3-instruments", venue: "okx", share: 0.9 },
  { capture: "kucoin-10-pairs", venue: "kucoin", share: 0.9 },
  { capture: "bitget-v1-10-pairs", venue: "bitget-v1", share: 0.8 },
  { capture: "bitfinex-7-pairs", venue: "bitfinex", share: 0.85 },
  { capture: "bitstamp-10-pairs", venue: "bitstamp", share: 0.85 },
  { capture: "deribit-10-options", venue: "deribit", share: 0.7 },
  { capture: "gateio-10-pairs", venue: "gateio", share: 0.85 },
  { capture: "htx-10-pairs", venue: "htx", share: 0.75 },
] as const;

const FRAMES_MAX = 5_000;
/** Altered frames a capture, and characters of them: some frames are long. */
const ALTERED_MAX = 4_000;
const ALTERED_CHARACTERS_MAX = 2_000_000;
const ALTERED_AT_ONCE = 100;
const LEARNT = 200;
const ALTERED_LENGTH_MAX = 8_000;

/** What scanning and decoding a frame say differently, if they do. */
function differenceOf({ frame, scanned, decoded }: Outcome): object | undefined {
  return scanned.join() === decoded.join() ? undefined : { frame, scanned, decoded };
}

describe.each(CAPTURES)("the frames of $capture", ({ capture, venue, share }) => {
  const path = capturePath(capture);
  const adapter = VENUES[venue];

  test.skipIf(path === undefined)("say the same scanned as decoded", async () => {
    const oracle = new ScanOracle(adapter);
    const frames = await recordedTexts(adapter, path!, { oracle, framesMax: FRAMES_MAX });
    const outcomes = frames.map((frame) => oracle.take(frame));
    expect(outcomes.flatMap((outcome) => differenceOf(outcome) ?? [])).toEqual([]);
    const scanned = outcomes.filter(({ isScanned }) => isScanned).length;
    expect(scanned / frames.length).toBeGreaterThan(share);
  });

  test.skipIf(path === undefined)("say the same also if they are damaged", async () => {
    let oracle = new ScanOracle(adapter);
    const all = await recordedTexts(adapter, path!, { oracle, framesMax: FRAMES_MAX });
    const frames = all.filter(({ length }) => length < ALTERED_LENGTH_MAX);
    const characters = frames.reduce((sum, { length }) => sum + length, 0) / frames.length;
    const count = Math.min(ALTERED_MAX, Math.round(ALTERED_CHARACTERS_MAX / characters));
    const differences: object[] = [];
    let taken = 0;
    let scanned = 0;
    for (const frame of alteredFrames(frames, { count, seed: 13 })) {
      // A number that was made very fine leaves its instrument with a scale that few others fit.
      if (taken % ALTERED_AT_ONCE === 0) {
        oracle = new ScanOracle(adapter);
        for (const each of frames.slice(0, LEARNT)) oracle.take(each);
      }
      taken += 1;
      const outcome = oracle.take(frame);
      if (outcome.isScanned) scanned += 1;
      const difference = differenceOf(outcome);
      if (difference !== undefined) differences.push(difference);
    }
    expect(differences.slice(0, 3)).toEqual([]);
    // Else nothing was compared: some changes leave a frame as usual as it was.
    expect(scanned).toBeGreaterThan(count / 50);
  });
});

/**
 * Forms that the venues send today and no capture has, and short ones of those that are long in
 * captures. The first of a kind teaches the scanner.
 */
const FORMS = {
  ...DOCUMENTED_FRAMES,
  coinbase: [
    '{"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"],["14.80695","12.490"]],"bids":[["14.7693","27.51"]]}',
    '{"type":"snapshot","product_id":"BAND-GBP","asks":[],"bids":[]}',
    '{"type":"l2update","product_id":"BAND-GBP","changes":[["buy","14.7","0.001"],["sell","14.8024","0.0"],["buy","14.69","1"]],"time":"2021-04-17T16:43:37.283499Z"}',
    '{"type":"l2update","product_id":"BAND-GBP","changes":[["sell","14.80241","2"]],"time":"2021-04-18T00:00:00Z"}',
    '{"type":"match","trade_id":881614,"maker_order_id":"27fff20b-af29-4f45-8744-56dd1ef57dc0","taker_order_id":"1da6ce16-c8da-4732-9f71-6049f4c6aaf8","side":"sell","size":"0.04","price":"14.7775","product_id":"BAND-GBP","sequence":333938798,"time":"2021-04-17T16:43:30.244075Z"}',
    '{"type":"match","trade_id":881616,"maker_order_id":"27fff20b-af29-4f45-8744-56dd1ef57dc0","taker_order_id":"1da6ce16-c8da-4732-9f71-6049f4c6aaf8","side":"buy","size":"12.5","price":"14.78","product_id":"BAND-GBP","sequence":333938801,"time":"2021-04-17T16:43:31.1Z"}',
    '{"type":"ticker","sequence":2040407747,"product_id":"BAND-GBP","price":"14.7775","open_24h":"14.1","volume_24h":"10375.70017066","low_24h":"13.8755","high_24h":"15","volume_30d":"117711.89465811","best_bid":"14.7693","best_bid_size":"27.51","best_ask":"14.8024","best_ask_size":"12.770","side":"buy","time":"2021-04-17T16:44:06.494392Z","trade_id":881616,"last_size":"0.017"}',
    '{"type":"ticker","sequence":2040407747,"product_id":"BAND-GBP","price":"14.7775","best_bid":"14.7693","best_ask":"14.8024","time":"2021-04-17T16:44:06.494392Z"}',
  ],
  "coinbase-advanced": [
    '{"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"21921.73","new_quantity":"0.06317902"},{"side":"offer","event_time":"1970-01-01T00:00:00Z","price_level":"21922.5","new_quantity":"1"}]}]}',
    '{"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.814964855Z","sequence_num":1,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2023-02-09T20:32:50.714964Z","price_level":"21921.3","new_quantity":"0.024"}]}]}',
    '{"channel":"l2_data","client_id":"","timestamp":"2023-02-09T20:32:50.914964855Z","sequence_num":2,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2023-02-09T20:32:50.714964Z","price_level":"21921.73","new_quantity":"0"},{"side":"offer","event_time":"2023-02-09T20:32:51.714964855Z","price_level":"21922.511","new_quantity":"0.000000001"}]}]}',
  ],
  kraken: [
    '{"channel":"trade","type":"snapshot","data":[{"symbol":"MATIC/USD","side":"buy","price":0.5147,"qty":6423.46326,"ord_type":"limit","trade_id":4665844,"timestamp":"2023-09-25T07:48:34.925533Z"}]}',
    '{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,"qty":40.0,"ord_type":"market","trade_id":4665846,"timestamp":"2023-09-25T07:48:36.925533Z"}]}',
    '{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"buy","price":0.51171,"qty":1136.19677815,"ord_type":"limit","trade_id":4665847,"timestamp":"2023-09-25T07:49:36.925603Z"},{"symbol":"MATIC/USD","side":"sell","price":0.5118,"qty":0.5,"ord_type":"market","trade_id":4665848,"timestamp":"2023-09-25T07:49:36.925603Z"}]}',
  ],
  "kraken-v1": [
    '[1360,{"as":[["0.000022900","13355.87450757","1618678123.481570"],["0.000022910","15283.79025460","1618678132.136369"]],"bs":[["0.000022890","31.75709827","1618678097.841234"]]},"book-1000","ADA/XBT"]',
    '[1360,{"b":[["0.000022840","29027.46641260","1618678134.545345"]],"c":"1486119701"},"book-1000","ADA/XBT"]',
    '[1360,{"a":[["0.000022910","0.00000000","1618678134.545346"],["0.000022920","1.00000000","1618678100.000001","r"]]},{"b":[["0.000022840","0.00000000","1618678134.545345"]],"c":"2816119701"},"book-1000","ADA/XBT"]',
  ],
  "kraken-futures": [
    '{"feed":"book_snapshot","product_id":"PI_XBTUSD","timestamp":1612269825817,"seq":326072249,"tickSize":null,"bids":[{"price":34892.5,"qty":6385},{"price":34892,"qty":10924}],"asks":[{"price":34911.5,"qty":20598},{"price":34912,"qty":2300}]}',
    '{"feed":"book","product_id":"PI_XBTUSD","side":"sell","seq":326094134,"price":34981,"qty":0,"timestamp":1612269953629}',
    '{"feed":"book","product_id":"PI_XBTUSD","side":"buy","seq":326094135,"price":34891.5,"qty":100.25,"timestamp":1612269953630}',
    '{"feed":"book","product_id":"PI_XBTUSD","side":"buy","seq":326094136,"price":34890.0,"qty":1.5E-4,"timestamp":1612269953631}',
  ],
  "binance-usdm": [
    '{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107848883,"s":"BTCUSDT","ps":"BTCUSDT","b":"61800.20","B":"2.726","a":"61800.30","A":"0.535","T":1723161256435,"E":1723161256435,"st":1}}',
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256477,"T":1723161256477,"s":"BTCUSDT","t":5266583938,"p":"61800.30","q":"0.011","X":"MARKET","m":false,"st":1}}',
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256477,"T":1723161256477,"s":"BTCUSDT","t":5266583939,"p":"61800.30","q":"0.011","X":"ADL","m":true,"nq":"0.011"}}',
    '{"stream":"btcusdt@depth@100ms","data":{"st":1,"e":"depthUpdate","E":1723161256456,"T":1723161256455,"s":"BTCUSDT","ps":"BTCUSDT","U":5123107846704,"u":5123107850146,"pu":5123107846634,"b":[["61800.20","0.000"]],"a":[]}}',
  ],
  okx: [
    '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"9999.99","lastSz":"0.1","askPx":"9999.99","askSz":"11","bidPx":"8888.88","bidSz":"5","open24h":"9000","high24h":"10000","low24h":"8888.88","volCcy24h":"2222","vol24h":"2222","sodUtc0":"2222","sodUtc8":"2222","ts":"1597026383085"}]}',
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256.5","0","12"]],"ts":"1597026383085","checksum":0,"seqId":100,"prevSeqId":-1}]}',
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["8476.98","0","0","0"]],"bids":[],"ts":"1597026383185","checksum":0,"seqId":101,"prevSeqId":100}]}',
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["8476.99","1.5","0","1"]],"bids":[],"ts":"1597026383185","checksum":-855196043,"seqId":102,"prevSeqId":101}]}',
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"8476.98","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3","source":"0","seqId":1234}]}',
    '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639475","px":"8476.9","sz":"2","side":"sell","ts":"1630048897898"}]}',
    '{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256.5","0","12"]],"ts":"1597026383085","seqId":103}]}',
  ],
  bybit: [
    '{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1699999000007,"data":{"s":"BTCUSDT","b":[["43000.50","0.250"],["43000.00","1.500"]],"a":[["43000.60","2.000"]],"u":18522000,"seq":7961638001},"cts":1699999000000}',
    '{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1699999000020,"data":{"s":"BTCUSDT","b":[["43000.50","0"]],"a":[["43000.55","0.75"],["43000.60","1.2345"]],"u":18522001,"seq":7961638001},"cts":1699999000019}',
    '{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1699999000040,"data":{"s":"BTCUSDT","b":[],"a":[["43000.56","0.001"]],"u":18522002,"seq":7961638002}}',
    '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1699999000002,"data":[{"T":1699999000000,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"43000.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false,"seq":7961638005,"RPI":false}]}',
    '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1699999000012,"data":[{"T":1699999000010,"s":"BTCUSDT","S":"Sell","v":"0.25","p":"43000.51","i":"2290000000068683542","BT":false,"seq":7961638006},{"T":1699999000011,"s":"BTCUSDT","S":"Buy","v":"7.250","p":"43000.4","i":"3f2c1f8e-0000-5b31-9112-a178eb6023b0","BT":true,"L":"ZeroMinusTick"}]}',
  ],
  bitmex: [
    '{"table":"orderBookL2","action":"partial","data":[{"symbol":"XBTUSD","id":62400580001,"side":"Sell","size":33000,"price":98459.9,"timestamp":"2025-10-09T08:53:20.123Z"},{"symbol":"XBTUSD","id":62400580002,"side":"Buy","size":100,"price":98459.5,"timestamp":"2025-10-09T08:53:20.123Z"}],"keys":["symbol","id","side"],"filter":{"symbol":"XBTUSD"}}',
    '{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":62400580002,"side":"Buy","size":500,"price":98459.5,"timestamp":"2025-10-09T08:53:20.124Z","transactTime":"2025-10-09T08:53:20.124Z"},{"symbol":"XBTUSD","id":62400580001,"side":"Sell","size":1200,"price":98459.9,"timestamp":"2025-10-09T08:53:20.125Z","transactTime":"2025-10-09T08:53:20.125Z"}]}',
    '{"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":62400580003,"side":"Buy","size":7,"price":98459,"timestamp":"2025-10-09T08:53:21.123Z"}]}',
    '{"table":"orderBookL2_25","action":"delete","data":[{"symbol":"XBTUSD","id":62400580003,"side":"Buy","price":98459,"timestamp":"2025-10-09T08:53:22.123Z","transactTime":"2025-10-09T08:53:22.123Z"},{"symbol":"XBTUSD","id":62400580001,"side":"Sell","size":1200,"price":98459.9,"timestamp":"2025-10-09T08:53:22.123Z"}]}',
    '{"table":"trade","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","side":"Sell","size":100,"price":98570.9,"tickDirection":"ZeroPlusTick","trdMatchID":"00000000-006d-1000-0000-000e8737d536","grossValue":101450,"homeNotional":0.0010145,"foreignNotional":100,"trdType":"Regular"}]}',
    '{"table":"trade","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","side":"Buy","size":200,"price":98571,"tickDirection":"ZeroPlusTick","trdMatchID":"00000000-006d-1000-0000-000e8737d537","grossValue":101450,"homeNotional":0.0010145,"foreignNotional":100,"trdType":"Regular"},{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","side":"Sell","size":300,"price":98570.5,"trdMatchID":"00000000-006d-1000-0000-000e8737d538"}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","bidSize":103000,"bidPrice":98487.5,"askPrice":98488.5,"askSize":50000}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.124Z","symbol":"XBTUSD","bidSize":103000,"bidPrice":98487.25,"askPrice":98488.5,"askSize":5}]}',
  ],
  bitget: [
    '{"action":"snapshot","arg":{"instType":"usdt-futures","topic":"books","symbol":"BTCUSDT"},"data":[{"a":[["50001","2"]],"b":[["50000.5","1.2"]],"seq":1483653649371725838,"pseq":0,"ts":"1767225600000","maxdepth":"1000"}],"ts":1767225600000}',
    '{"action":"update","arg":{"instType":"usdt-futures","topic":"books","symbol":"BTCUSDT"},"data":[{"a":[],"b":[["50000","0.7"],["50000.5","0"]],"seq":1483653649371725839,"pseq":1483653649371725838,"ts":"1767225600010","maxdepth":"1000"}],"ts":1767225600010}',
    '{"action":"update","arg":{"instType":"usdt-futures","topic":"books","symbol":"BTCUSDT"},"data":[{"a":[["50001.25","3"]],"b":[],"seq":1483653649371725841,"pseq":1483653649371725840,"ts":"1767225600050"}],"ts":1767225600051}',
    '{"action":"update","arg":{"instType":"usdt-futures","topic":"ticker","symbol":"BTCUSDT"},"data":[{"highPrice24h":"51000.0","lowPrice24h":"49000","openPrice24h":"49500","lastPrice":"50000.50","turnover24h":"1000000.5","volume24h":"20","bid1Price":"50000.4","ask1Price":"50000.6","bid1Size":"1","ask1Size":"2","openInterest":"12.5","deliveryTime":"","indexPrice":"50000.1","markPrice":"50000.2","fundingRate":"0.0001","nextFundingTime":"1767254400000"}],"ts":1767225600001}',
    '{"action":"snapshot","arg":{"instType":"spot","topic":"books","symbol":"BTCUSDT"},"data":[{"a":[["50001","2"]],"b":[["50000.5","1.2"]],"seq":451027330100,"pseq":0,"ts":"1767225600000"}],"ts":1767225600000}',
    '{"action":"update","arg":{"instType":"spot","topic":"books","symbol":"BTCUSDT"},"data":[{"a":[["50001","0"]],"b":[],"seq":451027330105,"pseq":451027330100,"ts":"1767225600050"}],"ts":1767225600051}',
  ],
  gateio: [
    '{"channel":"spot.obu","result":{"t":1743673027017,"s":"ob.BTC_USDT.400","U":27943661010,"u":27943661020,"b":[["83705.9","30.166"],["83705","0"]],"a":[["83706","4.208"]]},"time_ms":1743673027020}',
    '{"channel":"spot.obu","result":{"t":1743673027117,"s":"ob.BTC_USDT.400","u":27943661022,"U":27943661021,"a":[["83706.25","0"]]},"time_ms":1743673027120,"event":"update"}',
    '{"time":1743673027,"time_ms":1743673027220,"channel":"spot.obu","event":"update","result":{"t":1743673027217,"s":"ob.BTC_USDT.400","U":27943661023,"u":27943661023}}',
    '{"time":1669107766,"time_ms":1669107766406,"channel":"spot.tickers","event":"update","result":{"currency_pair":"BTC_USDT","last":"15743.4","lowest_ask":"15744.4","highest_bid":"15743.5","change_percentage":"-1.8254","base_volume":"9110.473081735","quote_volume":"145082083.2535","high_24h":"16280.9","low_24h":"15468.5"}}',
    '{"time":1606292218,"time_ms":1606292218231,"channel":"spot.trades","event":"update","result":{"id":309143071,"create_time":1606292218,"create_time_ms":"1606292218213.4578","side":"sell","currency_pair":"BTC_USDT","amount":"16.4700000000","price":"0.4705000000","range":"2390902-2390902"}}',
    '{"time":1606292600,"time_ms":1606292600376,"channel":"spot.candlesticks","event":"update","result":{"t":"1606292580","v":"2362.32035","c":"19128.1","h":"19128.1","l":"19128.1","o":"19128.1","n":"1m_BTC_USDT","a":"3.8283","w":true}}',
    '{"time":1606293275,"time_ms":1606293275723,"channel":"spot.book_ticker","event":"update","result":{"t":1606293275123,"u":48733182,"s":"BTC_USDT","b":"19177.79","B":"0.0003341504","a":"19179.38","A":"0.09"}}',
    '{"time":1606294781,"time_ms":1606294781236,"channel":"spot.order_book_update","event":"update","result":{"t":1606294781123,"e":"depthUpdate","E":1606294781,"s":"BTC_USDT","U":48776301,"u":48776306,"b":[["19137.74","0.0001"],["19088.37","0"]],"a":[["19137.75","0.6135"]]}}',
    '{"time":1606294782,"time_ms":1606294782236,"channel":"spot.order_book_update","event":"update","result":{"t":1606294782123,"e":"depthUpdate","E":1606294782,"s":"BTC_USDT","U":48776307,"u":48776307,"b":[],"a":[["19137.751","0.61355"]]}}',
  ],
  dydx: [
    '{"type":"subscribed","connection_id":"8b0e39d7-2b7c-4d0d-a8fe-6d4fbd3c8e5c","message_id":1,"channel":"v4_orderbook","id":"BTC-USD","contents":{"bids":[{"price":"65000","size":"1.5"}],"asks":[{"price":"65001","size":"0.25"}]}}',
    '{"type":"channel_batch_data","connection_id":"8b0e39d7-2b7c-4d0d-a8fe-6d4fbd3c8e5c","message_id":2,"id":"BTC-USD","channel":"v4_orderbook","version":"1.0.0","contents":[{"bids":[["64999.5","0.1"],["65000","0"]]},{"asks":[["65001","0.125"]]},{"bids":[["64998","7"]],"asks":[["65002","0"]]}]}',
    '{"type":"channel_data","connection_id":"8b0e39d7-2b7c-4d0d-a8fe-6d4fbd3c8e5c","message_id":3,"id":"BTC-USD","channel":"v4_orderbook","version":"1.0.0","contents":{"asks":[["65003","0.0025"]],"bids":[["64990","1"]]}}',
  ],
  gemini: [
    '{"e":"depthUpdate","E":1790000000088426630,"s":"gusdgbp","U":1700000000767893,"u":1700000000767893,"b":[["0.7501","100.5"]],"a":[["0.7522","1300.49900000"]]}',
    '{"e":"depthUpdate","E":1790000000122227005,"s":"gusdgbp","U":1700000000767893,"u":1700000000813829,"b":[["0.7502","5200.10000000"],["0.7501","0"]],"a":[["0.7520","5100.20000000"]]}',
    '{"e":"depthUpdate","E":1790000000222227005,"s":"gusdgbp","U":81382900001,"u":81382900002,"b":[],"a":[["0.75205","1"]]}',
  ],
  "mexc-futures": [
    '{"channel":"push.depth","data":{"asks":[[6859.5,3251,1]],"bids":[],"version":96801927},"symbol":"BTC_USDT","ts":1587442022003}',
    '{"symbol":"BTC_USDT","data":{"asks":[],"bids":[[6858.5,0,0],[6858,120,3]],"version":96801928},"channel":"push.depth","ts":1587442022103}',
    '{"symbol":"BTC_USDT","data":{"asks":[[6859.25,1.5,1]],"bids":[[6857,1E3,2]],"begin":96801929,"end":96801932,"version":96801932,"cts":1587442022201},"channel":"push.depth","ts":1587442022203}',
  ],
  "gateio-futures": [
    '{"channel":"futures.obu","result":{"t":1743673027017,"s":"ob.BTC_USDT.400","U":27943661010,"u":27943661020,"b":[["83705.9","30166"],["83705","0"]],"a":[["83706","4208"]]},"time_ms":1743673027020}',
    '{"channel":"futures.obu","result":{"t":1743673027117,"s":"ob.BTC_USDT.400","u":27943661022,"U":27943661021,"a":[["83706.25","0"]]},"time_ms":1743673027120,"event":"update"}',
    '{"time":1743673027,"time_ms":1743673027220,"channel":"futures.obu","event":"update","result":{"t":1743673027217,"s":"ob.BTC_USDT.400","U":27943661023,"u":27943661023}}',
    '{"time":1615366379,"time_ms":1615366379123,"channel":"futures.book_ticker","event":"update","result":{"t":1615366379123,"u":2517661076,"s":"BTC_USD","b":"54696.6","B":37000,"a":"54696.7","A":47061}}',
    '{"time":1615366379,"time_ms":1615366379124,"channel":"futures.book_ticker","event":"update","result":{"t":1615366379124,"u":2517661077,"s":"BTC_USD","b":"54696.6","B":"0.5","a":"","A":0}}',
  ],
  htx: [
    '{"ch":"market.btcusdt.mbp.400","ts":1760000000123,"tick":{"seqNum":3,"prevSeqNum":2,"bids":[[62000.5,0.25]],"asks":[]}}',
    '{"ch":"market.btcusdt.mbp.400","ts":1760000000223,"tick":{"seqNum":5,"prevSeqNum":3,"bids":[[62000.25,1.5E-4],[62000.0,0.0]],"asks":[[62001.5,12.0]]}}',
    '{"ch":"market.btcusdt.mbp.20","ts":1760000000323,"tick":{"seqNum":6,"prevSeqNum":5,"bids":[],"asks":[[6.20015E4,1.0E7]]}}',
    '{"ch":"market.btcusdt.depth.step0","ts":1760000000423,"tick":{"bids":[[62000.5,0.25],[62000.0,1.0]],"asks":[[62000.75,2.5E-5]],"version":326374057,"ts":1760000000420}}',
    '{"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[[62001.5,12]],"bids":[[62000.5,250],[62000,1]],"ch":"market.BTC-USDT.depth.size_150.high_freq","event":"snapshot","id":99893955238,"mrid":99893955238,"ts":1760000000520,"version":1000},"ts":1760000000523}',
    '{"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"asks":[[62001.5,0]],"bids":[[62000.5,1.5E2]],"ch":"market.BTC-USDT.depth.size_150.high_freq","event":"update","id":99893955239,"mrid":99893955239,"ts":1760000000620,"version":1001},"ts":1760000000623}',
    '{"ch":"market.BTC-USDT.depth.size_150.high_freq","tick":{"mrid":99893955240,"id":99893955240,"bids":[],"asks":[[62001.75,3]],"ts":1760000000720,"version":1002,"ch":"market.BTC-USDT.depth.size_150.high_freq","event":"update"},"ts":1760000000723}',
  ],
  "kucoin-futures": [
    '{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","sn":1709400450243,"data":{"sequence":1709400450243,"change":"90631.2,sell,2","timestamp":1731897467182}}',
    '{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","sn":1709400450244,"data":{"sequence":1709400450244,"change":"90631,buy,0","timestamp":1731897467183}}',
    '{"topic":"/contractMarket/level2:XBTUSDTM","type":"message","subject":"level2","data":{"sequence":1709400450245,"change":"90630.75,buy,1500","timestamp":1731897467184}}',
  ],
  kucoin: [
    '{"topic":"/market/level2:BTC-USDT","type":"message","subject":"trade.l2update","data":{"changes":{"asks":[["18906","0.00331","14103845"],["0","0","14103846"],["18907.3","0.58751503","14103846"]],"bids":[["18891.9","0.15688","14103847"]]},"sequenceEnd":14103847,"sequenceStart":14103844,"symbol":"BTC-USDT","time":1663747970273}}',
    '{"topic":"/market/ticker:BTC-USDT","type":"message","subject":"trade.ticker","data":{"bestAsk":"67232.9","bestAskSize":"0.39861855","bestBid":"67232.8","bestBidSize":"0.81280847","price":"67232.9","sequence":"14691455768","size":"0.00004","time":1729757723612}}',
  ],
};

/** Of venues whose connections are each for a part of their symbols. */
const URLS: ReadonlyMap<string, string> = new Map([
  ["bybit", "wss://stream.bybit.com/v5/public/linear"],
]);

/** Gives numbers that go on to frames of venues that number all messages of a connection. */
function numbering(): (frame: string) => string {
  let last = 0;
  return (frame) =>
    frame.replace(/"(message_id|sequence_num)":\d{1,4}(?=[,}])/, (_, name: string) => {
      last += 1;
      return `"${name}":${last}`;
    });
}

describe.each(Object.entries(FORMS))("what %s sends today", (venue, frames) => {
  const adapter = VENUES[venue as keyof typeof FORMS];

  test("is scanned, and says the same scanned as decoded", () => {
    const oracle = new ScanOracle(adapter, URLS.get(venue));
    const numbered = numbering();
    for (const frame of frames) oracle.take(numbered(frame));
    // What some venues send once with a subscription, and shortly, is decoded.
    const outcomes = frames
      .filter(
        (frame) =>
          !/"action":"(snapshot|partial)"|"channel":"book"|"type":"snapshot","product_id":"BTC-USD"|"feed":"book_snapshot"|"event":"snapshot"|"type":"subscribed"|"(orderbook\.|trade").*"type":"snapshot"/.test(
            frame,
          ),
      )
      .map((frame) => oracle.take(numbered(frame)));
    expect(outcomes.flatMap((outcome) => differenceOf(outcome) ?? [])).toEqual([]);
    expect(outcomes.filter(({ isScanned }) => !isScanned)).toEqual([]);
  });

  test("says the same also if it is damaged", () => {
    let oracle = new ScanOracle(adapter, URLS.get(venue));
    let numbered = numbering();
    const differences: object[] = [];
    for (const [index, frame] of [...alteredFrames(frames, { count: 3_000, seed: 7 })].entries()) {
      if (index % ALTERED_AT_ONCE === 0) {
        oracle = new ScanOracle(adapter, URLS.get(venue));
        numbered = numbering();
        for (const each of frames) oracle.take(numbered(each));
      }
      const difference = differenceOf(oracle.take(numbered(frame)));
      if (difference !== undefined) differences.push(difference);
    }
    expect(differences.slice(0, 3)).toEqual([]);
  });
});
