import { describe, expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import { DOCUMENTED_FRAMES } from "#test/support/documented-frames.ts";
import { ScanOracle } from "#test/support/scan-oracle.ts";

/** Of each venue whose events stay numbers, its messages in the forms that captures have. */
const FRAMES = {
  ...DOCUMENTED_FRAMES,
  "binance-usdm": [
    '{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":5123107848883,"s":"BTCUSDT","b":"61800.20","B":"2.726","a":"61800.30","A":"0.535","T":1723161256435,"E":1723161256435}}',
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256477,"T":1723161256477,"s":"BTCUSDT","t":5266583938,"p":"61800.30","q":"0.011","X":"MARKET","m":false}}',
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161256456,"T":1723161256455,"s":"BTCUSDT","U":5123107846704,"u":5123107850146,"pu":5123107846634,"b":[["61800.20","0.000"],["61799.10","1.5"]],"a":[["61800.40","3"]]}}',
  ],
  binance: [
    '{"stream":"btcusdt@bookTicker","data":{"u":50233512104,"s":"BTCUSDT","b":"61832.98000000","B":"4.16434000","a":"61832.99000000","A":"0.15283000"}}',
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161256529,"s":"BTCUSDT","t":3719446521,"p":"61832.98000000","q":"0.00810000","T":1723161256528,"m":true,"M":true}}',
  ],
  coinbase: [
    '{"type":"snapshot","product_id":"BAND-GBP","asks":[["14.8024","12.77"]],"bids":[["14.7693","27.51"]]}',
    '{"type":"l2update","product_id":"BAND-GBP","changes":[["buy","14.7","0.001"],["sell","14.8024","0.0"]],"time":"2021-04-17T16:43:37.283499Z"}',
    '{"type":"match","trade_id":881614,"maker_order_id":"27fff20b","taker_order_id":"1da6ce16","side":"sell","size":"0.04","price":"14.7775","product_id":"BAND-GBP","sequence":333938798,"time":"2021-04-17T16:43:30.244075Z"}',
    '{"type":"ticker","product_id":"BAND-GBP","price":"14.77","best_bid":"14.7693","best_bid_size":"27.5","best_ask":"14.8024","best_ask_size":"1","time":"2021-04-17T16:44:06.49Z"}',
  ],
  kraken: [
    '{"channel":"book","type":"snapshot","data":[{"symbol":"MATIC/USD","bids":[{"price":0.5666,"qty":4831.75496356}],"asks":[{"price":0.5668,"qty":4410.79769741}],"checksum":2439117997}]}',
    '{"channel":"trade","type":"snapshot","data":[{"symbol":"MATIC/USD","side":"buy","price":0.5147,"qty":6423.46326,"ord_type":"limit","trade_id":4665844,"timestamp":"2023-09-25T07:48:34.925533Z"}]}',
    '{"channel":"book","type":"update","data":[{"symbol":"MATIC/USD","bids":[{"price":0.5657,"qty":1098.39472550}],"asks":[],"checksum":2114181697,"timestamp":"2023-10-06T17:35:55.440295Z"}]}',
    '{"channel":"trade","type":"update","data":[{"symbol":"MATIC/USD","side":"sell","price":0.5117,"qty":40.0,"ord_type":"market","trade_id":4665846,"timestamp":"2023-09-25T07:48:36.925533Z"}]}',
  ],
  bitmex: [
    '{"table":"trade","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","side":"Sell","size":100,"price":98570.9,"tickDirection":"ZeroPlusTick","trdMatchID":"00000000-006d-1000-0000-000e8737d536","grossValue":101450}]}',
    '{"table":"orderBookL2","action":"insert","data":[{"symbol":"XBTUSD","id":62400580003,"side":"Buy","size":7.5,"price":98459.25,"timestamp":"2025-10-09T08:53:21.123Z"}]}',
    '{"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":62400580002,"side":"Buy","size":500,"price":98459.5,"timestamp":"2025-10-09T08:53:20.124Z"},{"symbol":"XBTUSD","id":62400580001,"side":"Sell","size":1200,"price":98459.9,"timestamp":"2025-10-09T08:53:20.125Z","transactTime":"2025-10-09T08:53:20.125Z"}]}',
    '{"table":"orderBookL2_25","action":"delete","data":[{"symbol":"XBTUSD","id":62400580003,"side":"Buy","price":98459,"timestamp":"2025-10-09T08:53:22.123Z"}]}',
    '{"table":"quote","action":"insert","data":[{"timestamp":"2025-10-09T08:53:20.123Z","symbol":"XBTUSD","bidSize":103000,"bidPrice":98487.5,"askPrice":98488.5,"askSize":50000}]}',
  ],
} as const;

const TAILS = ["", "}", "}}", "]}"];

/** The frame without one of its bytes, and cut at each of them, with the brackets that end one. */
function* mutantsOf(frame: string): Iterable<string> {
  for (let at = 0; at < frame.length; at += 1) {
    yield frame.slice(0, at) + frame.slice(at + 1);
    for (const tail of TAILS) yield frame.slice(0, at) + tail;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe.each(Object.entries(FRAMES))("frames of %s", (venue, frames) => {
  const adapter = VENUES[venue as keyof typeof FRAMES];

  test.each(frames)("%s says the same without any of its bytes, and cut at each", (frame) => {
    const wrong: object[] = [];
    let oracle = new ScanOracle(adapter);
    let left = 0;
    for (const mutant of mutantsOf(frame)) {
      // A number that lost its point leaves its instrument with scales that few others have.
      if (left === 0) {
        oracle = new ScanOracle(adapter);
        for (const each of [...frames, ...frames]) oracle.take(each);
        left = 20;
      }
      left -= 1;
      const { isScanned, scanned, decoded } = oracle.take(mutant);
      if (scanned.join() !== decoded.join() || (isScanned && !isJson(mutant))) {
        wrong.push({ mutant, isScanned, scanned, decoded });
      }
    }
    expect(wrong).toEqual([]);
  });
});
