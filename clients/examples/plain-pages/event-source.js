import { elementOf, rowOf, showState } from "./rows.js";

/** @typedef {Record<"symbol" | "bidPrice" | "bidSize" | "askPrice" | "askSize", string>} Quote */

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway") ?? "http://127.0.0.1:8080";
const topics = query.get("topics") ?? "simulated:BTC-USD/quotes,simulated:ETH-USD/quotes";

/** @type {Map<string, HTMLTableRowElement>} */
const rows = new Map();

const parameters = new URLSearchParams({ topics, conflationIntervalMs: "250" });
const stream = new EventSource(`${gateway}/v1/sse?${parameters}`);

stream.addEventListener("open", () => showState("connected", true));
// The browser dials again by itself, and says which event was the last one: nothing is missed.
stream.addEventListener("error", () => {
  const isOver = stream.readyState === EventSource.CLOSED;
  showState(isOver ? "the gateway refused the stream" : "connection lost, dialling again", false);
});
// The state of now is a snapshot, and what follows has the name of its channel.
for (const name of ["snapshot", "quotes"]) {
  stream.addEventListener(name, ({ data }) => {
    const { topic, events } = JSON.parse(data);
    for (const quote of events) showQuote(topic, quote);
  });
}
stream.addEventListener("refused", ({ data }) => showState(`refused: ${data}`, false));
stream.addEventListener("close", ({ data }) => {
  const { reconnect, reason } = JSON.parse(data);
  if (reconnect === false) stream.close();
  showState(`closed: ${reason}`, false);
});

/**
 * @param {string} topic
 * @param {Quote} quote
 */
function showQuote(topic, { symbol, bidSize, bidPrice, askPrice, askSize }) {
  const row = rowOf([symbol, bidSize, bidPrice, askPrice, askSize]);
  const old = rows.get(topic);
  if (old === undefined) elementOf("quotes").append(row);
  else old.replaceWith(row);
  rows.set(topic, row);
}
