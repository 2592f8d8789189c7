import { connect, isoOfUs } from "@tickwire/client";
import { elementOf, rowOf, showState } from "./rows.js";

const DEPTH = 10;
const TRADES_MAX = 20;

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://127.0.0.1:8080";
const topic = query.get("topic") ?? "simulated:BTC-USD";
elementOf("topic").textContent = topic;

showState(`connecting to ${gateway}`, false);
// It goes on dialling, so the page may be opened before the gateway is started.
const client = await connect(gateway, { clientName: "plain-page", waitForFirstConnect: true });
client.onState((state, { reason }) => showState(`${state}: ${reason}`, state === "connected"));
showState(client.state, client.state === "connected");

/** @param {unknown} error */
const showError = (error) => showState(String(error), false);

// Once a frame, whatever comes: `latest` has the newest of each topic, `events` all of them.
client
  .book(topic, { depth: DEPTH, conflationIntervalMs: 100 })
  .onFrame(({ latest }) => {
    for (const book of latest.values()) showBook(book);
  })
  .catch(showError);
client
  .trades(topic)
  .onFrame(({ events }) => showTrades(events))
  .catch(showError);

/** @param {import("@tickwire/client").LiveBook} book */
function showBook(book) {
  const bids = book.topBids(DEPTH);
  const asks = book.topAsks(DEPTH);
  const rows = Array.from({ length: Math.max(bids.length, asks.length) }, (_, index) => {
    const bid = bids[index];
    const ask = asks[index];
    const ofBid = [bid?.sizeText ?? "", bid?.priceText ?? ""];
    return rowOf([...ofBid, ask?.priceText ?? "", ask?.sizeText ?? ""]);
  });
  elementOf("book").replaceChildren(...rows);
}

/** @param {readonly import("@tickwire/client").Trade[]} trades */
function showTrades(trades) {
  const table = elementOf("trades");
  for (const { receivedTimeUs, priceText, sizeText, aggressorSide } of trades.slice(-TRADES_MAX)) {
    const time = isoOfUs(receivedTimeUs).slice(11, 23);
    table.prepend(rowOf([time, priceText, sizeText], aggressorSide));
  }
  while (table.children.length > TRADES_MAX) table.lastElementChild?.remove();
}
