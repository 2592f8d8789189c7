import protobuf from "protobufjs";

/**
 * The message that every data frame of MEXC spot is, as far as it is public, by the numbers and
 * types of its fields: https://github.com/mexcdevelop/websocket-proto
 */
const SCHEMA = `
  syntax = "proto3";
  message Wrapper {
    string channel = 1;
    optional string symbol = 3;
    optional string symbolId = 4;
    optional int64 createTime = 5;
    optional int64 sendTime = 6;
    oneof body {
      Deals publicDeals = 301;
      LimitDepths publicLimitDepths = 303;
      Kline publicSpotKline = 308;
      AggreDepths publicAggreDepths = 313;
      Deals publicAggreDeals = 314;
      BookTicker publicAggreBookTicker = 315;
    }
  }
  message Level { string price = 1; string quantity = 2; }
  message AggreDepths {
    repeated Level asks = 1;
    repeated Level bids = 2;
    string eventType = 3;
    string fromVersion = 4;
    string toVersion = 5;
    int64 lastOrderCreateTime = 6;
  }
  message LimitDepths {
    repeated Level asks = 1;
    repeated Level bids = 2;
    string eventType = 3;
    string version = 4;
  }
  message Deals { repeated Deal deals = 1; string eventType = 2; }
  message Deal {
    string price = 1;
    string quantity = 2;
    int32 tradeType = 3;
    int64 time = 4;
    string tradeId = 5;
  }
  message BookTicker {
    string bidPrice = 1;
    string bidQuantity = 2;
    string askPrice = 3;
    string askQuantity = 4;
  }
  message Kline {
    string interval = 1;
    int64 windowStart = 2;
    string openingPrice = 3;
    string closingPrice = 4;
    string highestPrice = 5;
    string lowestPrice = 6;
    string volume = 7;
    string amount = 8;
    int64 windowEnd = 9;
  }
`;

const wrapper = protobuf.parse(SCHEMA).root.lookupType("Wrapper");

/** A message as the venue sends it. Throws for one that the schema has no place for. */
export function mexcFrame(message: Readonly<Record<string, unknown>>): Uint8Array {
  return Uint8Array.from(wrapper.encode(wrapper.fromObject(message)).finish());
}

/** The same for a message that may be damaged: what cannot be written so is sent as text. */
export function mexcFrameOf(text: string): Uint8Array {
  try {
    return mexcFrame(JSON.parse(text) as Record<string, unknown>);
  } catch {
    // A damaged message, which is what the tests that send it are about.
    return new TextEncoder().encode(text);
  }
}
