// Traffic of venues that no capture is there of, made from the documented format of their
// messages: five instruments whose prices walk at random, in the magnitudes of the largest markets.

const INSTRUMENTS = 5;
const FRAMES = 12_000;
const BEGIN_US = 1_767_225_600_000_000;
const FRAME_US = 2_000;

/** Numbers from 0 to below 1, the same in each run. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A book of 20 levels a side whose prices are in cents; asks are above the middle. */
class Market {
  constructor(base, random) {
    this.base = base;
    this.random = random;
    this.middle = 1_000_000 + Math.floor(random() * 5_000_000);
    this.bids = new Map();
    this.asks = new Map();
    this.fill();
  }

  size() {
    return (1 + Math.floor(this.random() * 90_000)) / 10_000;
  }

  fill() {
    for (let level = 1; level <= 20; level += 1) {
      this.bids.set(this.middle - level, this.size());
      this.asks.set(this.middle + level, this.size());
    }
  }

  /** The levels of a side, best first, as texts. */
  levels(side) {
    const sign = side === "bids" ? -1 : 1;
    const levels = [...this[side]].toSorted(([one], [other]) => sign * (one - other));
    return levels.map(([price, size]) => [priceText(price), sizeText(size)]);
  }

  /** Changes one to three levels, of each side some. */
  change() {
    const changed = { bids: [], asks: [] };
    for (let left = 1 + Math.floor(this.random() * 3); left > 0; left -= 1) {
      const side = this.random() < 0.5 ? "bids" : "asks";
      const away = 1 + Math.floor(this.random() * 20);
      const price = side === "bids" ? this.middle - away : this.middle + away;
      const isNew = !this[side].has(price);
      const size = this[side].size > 1 && !isNew && this.random() < 0.3 ? 0 : this.size();
      if (size === 0) this[side].delete(price);
      else this[side].set(price, size);
      changed[side].push({ price, isNew, texts: [priceText(price), sizeText(size)] });
    }
    return changed;
  }
}

const priceText = (cents) => (cents / 100).toFixed(2);
const sizeText = (size) => size.toFixed(4);
const msAt = (index) => Math.floor((BEGIN_US + index * FRAME_US) / 1000);

const HASH = `0x${"ab".repeat(32)}`;
const USERS = [
  "0x31ca8395cf837de08b24da3f660e77761dfb974b",
  "0x0000000000000000000000000000000000000001",
];

function hyperliquidFrame(market, index, random) {
  const coin = market.base;
  const kind = random();
  const level = ([px, sz]) => ({ px, sz, n: 3 });
  if (kind < 0.3) {
    const [side, px, sz] = [random() < 0.5 ? "A" : "B", priceText(market.middle), "0.5"];
    const trade = {
      coin,
      side,
      px,
      sz,
      time: msAt(index),
      hash: HASH,
      tid: 118_906_512_000_000 + index,
      users: USERS,
    };
    return { channel: "trades", data: [trade] };
  }
  market.change();
  const [bids, asks] = [market.levels("bids"), market.levels("asks")];
  if (kind < 0.6) {
    return {
      channel: "bbo",
      data: { coin, time: msAt(index), bbo: [level(bids[0]), level(asks[0])] },
    };
  }
  const levels = [bids.map(level), asks.map(level)];
  return { channel: "l2Book", data: { coin, time: msAt(index), levels } };
}

function upbitFrame(market, index, random) {
  const code = `KRW-${market.base}`;
  const timestamp = msAt(index);
  if (random() < 0.4) {
    return {
      type: "trade",
      code,
      timestamp,
      trade_date: "2026-01-01",
      trade_time: "07:45:31",
      trade_timestamp: timestamp - 3,
      trade_price: market.middle,
      trade_volume: 0.06499468,
      ask_bid: random() < 0.5 ? "ASK" : "BID",
      prev_closing_price: 90_512_000,
      change: "RISE",
      change_price: 642_000,
      sequential_id: timestamp * 10_000 + (index % 5),
      best_ask_price: market.middle + 1,
      best_ask_size: 0.04414411,
      best_bid_price: market.middle - 1,
      best_bid_size: 0.0120217,
      stream_type: "REALTIME",
    };
  }
  market.change();
  const [bids, asks] = [market.levels("bids"), market.levels("asks")];
  const units = Array.from({ length: Math.min(bids.length, asks.length, 15) }, (_, at) => ({
    ask_price: Number(asks[at][0]),
    bid_price: Number(bids[at][0]),
    ask_size: Number(asks[at][1]),
    bid_size: Number(bids[at][1]),
  }));
  return {
    type: "orderbook",
    code,
    timestamp,
    total_ask_size: 12.5,
    total_bid_size: 8.25,
    orderbook_units: units,
    stream_type: "REALTIME",
    level: 0,
  };
}

function cryptocomFrame(market, index, random) {
  const name = `${market.base}USD-PERP`;
  const t = msAt(index);
  const about = (channel, subscription, rest) => ({
    id: -1,
    method: "subscribe",
    code: 0,
    result: { instrument_name: name, subscription, channel, ...rest },
  });
  if (market.update !== undefined && random() < 0.3) {
    const trade = {
      d: String(4_611_686_018_439_000_000n + BigInt(index)),
      t,
      p: priceText(market.middle),
      q: "0.1000",
      s: random() < 0.5 ? "SELL" : "BUY",
      i: name,
    };
    return about("trade", `trade.${name}`, { data: [trade] });
  }
  const texts = (levels) =>
    levels.map(({ texts: [price, size] }) => [price, size === "0.0000" ? "0" : size, "3"]);
  const subscription = `book.${name}.50`;
  const previous = market.update;
  market.update = 72_560_693_920_512 + index;
  const times = { t, tt: t - 4, u: market.update };
  if (previous === undefined) {
    const [bids, asks] = ["bids", "asks"].map((side) =>
      market.levels(side).map((level) => [...level, "3"]),
    );
    return about("book", subscription, { depth: 50, data: [{ asks, bids, ...times }] });
  }
  const { bids, asks } = market.change();
  return about("book.update", subscription, {
    depth: 50,
    data: [{ update: { asks: texts(asks), bids: texts(bids) }, ...times, pu: previous }],
  });
}

function bitmexFrame(market, index, random) {
  const symbol = `${market.base}USDT`;
  const timestamp = new Date(msAt(index)).toISOString();
  const row = (side, { price, texts }) => ({
    symbol,
    id: price,
    side: side === "bids" ? "Buy" : "Sell",
    size: Math.round(Number(texts[1]) * 10_000),
    price: price / 100,
    timestamp,
  });
  if (market.isBegun !== true) {
    market.isBegun = true;
    const data = ["bids", "asks"].flatMap((side) =>
      [...market[side]].map(([price, size]) => row(side, { price, texts: ["", String(size)] })),
    );
    return {
      table: "orderBookL2",
      action: "partial",
      data,
      keys: ["symbol", "id", "side"],
      filter: { symbol },
    };
  }
  const kind = random();
  if (kind < 0.2) {
    const [size, price] = [200, market.middle / 100];
    const trade = {
      timestamp,
      symbol,
      side: random() < 0.5 ? "Buy" : "Sell",
      size,
      price,
      tickDirection: "ZeroPlusTick",
      trdMatchID: `00000000-006d-1000-0000-${String(index).padStart(12, "0")}`,
      grossValue: 101_450,
      homeNotional: 0.0010145,
      foreignNotional: 100,
      trdType: "Regular",
    };
    return { table: "trade", action: "insert", data: [trade] };
  }
  if (kind < 0.4) {
    const quote = {
      timestamp,
      symbol,
      bidSize: 1000,
      bidPrice: (market.middle - 1) / 100,
      askPrice: (market.middle + 1) / 100,
      askSize: 2000,
    };
    return { table: "quote", action: "insert", data: [quote] };
  }
  return bitmexUpdate(market, row, timestamp);
}

/** Levels that have other sizes. */
function bitmexUpdate(market, row, transactTime) {
  for (;;) {
    const changed = market.change();
    const all = ["bids", "asks"].flatMap((side) =>
      changed[side].map((level) => ({ side, ...level })),
    );
    const updates = all.filter(({ isNew, texts }) => !isNew && texts[1] !== "0.0000");
    // One message does one thing.
    for (const level of all) if (!updates.includes(level)) market[level.side].set(level.price, 1);
    const data = updates.map((level) => ({ ...row(level.side, level), transactTime }));
    if (data.length > 0) return { table: "orderBookL2", action: "update", data };
  }
}

function bybitFrame(market, index, random) {
  const symbol = `${market.base}USDT`;
  const ts = msAt(index);
  if (market.update !== undefined && random() < 0.3) {
    const trade = {
      T: ts - 1,
      s: symbol,
      S: random() < 0.5 ? "Buy" : "Sell",
      v: "0.001",
      p: priceText(market.middle),
      L: "PlusTick",
      i: `20f43950-d8dd-5b31-9112-${String(index).padStart(12, "0")}`,
      BT: false,
      RPI: false,
      seq: 1_783_284_617 + index,
    };
    return { topic: `publicTrade.${symbol}`, type: "snapshot", ts, data: [trade] };
  }
  market.update = (market.update ?? 18_521_287) + 1;
  const isFirst = market.update === 18_521_288;
  const changed = isFirst ? undefined : market.change();
  const sideOf = (side) =>
    isFirst ? market.levels(side) : changed[side].map(({ texts }) => texts);
  const [b, a] = [sideOf("bids"), sideOf("asks")];
  return {
    topic: `orderbook.200.${symbol}`,
    type: isFirst ? "snapshot" : "delta",
    ts,
    data: { s: symbol, b, a, u: market.update, seq: 7_961_638_723 + index },
    cts: ts - 1,
  };
}

/** `frame(market, index, random)` of each venue, and where it is connected to. */
const FORMATS = {
  hyperliquid: { frame: hyperliquidFrame, url: "wss://api.hyperliquid.xyz/ws" },
  upbit: { frame: upbitFrame, url: "wss://api.upbit.com/websocket/v1" },
  cryptocom: { frame: cryptocomFrame, url: "wss://stream.crypto.com/exchange/v1/market" },
  bitmex: { frame: bitmexFrame, url: "wss://ws.bitmex.com/realtime" },
  bybit: { frame: bybitFrame, url: "wss://stream.bybit.com/v5/public/linear" },
};

/** Names of recordings that are made, by their venue. */
export const DOCUMENTED = new Map(
  Object.keys(FORMATS).map((venue) => [`${venue}-documented`, venue]),
);

/** Like `loadCapture`, for one of these names. */
export function makeDocumented(name) {
  const venue = DOCUMENTED.get(name);
  const { frame: frameOf, url } = FORMATS[venue];
  const random = createRandom(7);
  const bases = ["BTC", "ETH", "SOL", "XRP", "DOGE"].slice(0, INSTRUMENTS);
  const markets = bases.map((base) => new Market(base, random));
  const lines = [{ kind: "open", atUs: BEGIN_US, connection: 1, url }];
  let bytes = 0;
  for (let index = 0; index < FRAMES; index += 1) {
    const market = markets[Math.floor(random() * markets.length)];
    const frame = JSON.stringify(frameOf(market, index, random));
    bytes += frame.length;
    lines.push({ kind: "received", atUs: BEGIN_US + index * FRAME_US, connection: 1, frame });
  }
  return { name, venue, lines, frames: FRAMES, bytes };
}
