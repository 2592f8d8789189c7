// Frames as Coinbase sends them, of instruments that are made up.

const TIME = "2026-01-01T00:00:00.000000Z";

const price = (mantissa) => (mantissa / 100).toFixed(2);

function levels(count, step) {
  return Array.from({ length: count }, (_, index) => [
    price(100_000 + step * (index + 1)),
    `${1 + (index % 7)}.25`,
  ]);
}

/** A book with so many levels on each side. */
export function snapshotOf(id, count) {
  const message = { type: "snapshot", product_id: id, asks: levels(count, 1) };
  return JSON.stringify({ ...message, bids: levels(count, -1) });
}

/** A change of one level among so many, another one for each index. */
export function changeOf(id, index, count) {
  const side = index % 2 === 0 ? "buy" : "sell";
  const at = price(100_000 + (1 + (index % count)) * (side === "buy" ? -1 : 1));
  return `{"type":"l2update","product_id":"${id}","changes":[["${side}","${at}","${1 + (index % 9)}.5"]],"time":"${TIME}"}`;
}

/** A trade with this number. */
export function tradeOf(id, number) {
  const maker = "27fff20b-af29-4f45-8744-56dd1ef57dc0";
  const about = `"maker_order_id":"${maker}","taker_order_id":"${maker}","side":"sell"`;
  return `{"type":"match","trade_id":${number},${about},"size":"0.04","price":"${price(100_000 + (number % 50))}","product_id":"${id}","sequence":${number},"time":"${TIME}"}`;
}
