import { connect, type Client, type ClientState } from "@tickwire/client";
import type { AlertReading } from "./market/alerts.ts";
import { VenueMeter } from "./market/feed-health.ts";
import { changeOf, marketOf, spreadOf, turnoverOf, type Market } from "./market/market-rows.ts";
import {
  compactText,
  decimalsOf,
  durationText,
  groupDigits,
  padDecimal,
  percentText,
} from "./market/number-text.ts";
import { followedTickers } from "./market/ticker-budget.ts";
import { STAGES, type ViewState } from "./market/view-state.ts";
import {
  afterMs,
  everyMs,
  frameDrawer,
  gatewayAddress,
  loadFavourites,
  loadView,
  nowMs,
  openWindow,
  pixelRatio,
  saveFavourites,
  saveView,
} from "./page/browser.ts";
import { setText } from "./page/dom.ts";
import { Shell } from "./page/shell.ts";
import { AlertsDialog } from "./panels/alerts-dialog.ts";
import { BookPanel } from "./panels/book-panel.ts";
import { ChartPanel } from "./panels/chart-panel.ts";
import type { Context, Panel } from "./panels/context.ts";
import { DepthPanel } from "./panels/depth-panel.ts";
import { DetailsPanel } from "./panels/details-panel.ts";
import { HealthPanel } from "./panels/health-panel.ts";
import { MarketsPanel } from "./panels/markets-panel.ts";
import { TradesPanel } from "./panels/trades-panel.ts";
import "./style/theme.css";
import "./style/layout.css";
import "./style/panels.css";

const TICKER_INTERVAL_MS = 500;
const HEALTH_INTERVAL_MS = 5_000;
const LIST_INTERVAL_MS = 60_000;
const LIST_RETRY_MS = 1_000;
const LIST_PAGES_MAX = 1_000;

/** What the connection's states are called for people. */
const STATE_WORDS: Readonly<Record<ClientState, string>> = {
  connecting: "Connecting …",
  connected: "Live",
  reconnecting: "Connection lost. Trying again …",
  closed: "Disconnected for good. Reload the page to try again.",
};

let view: ViewState = loadView();
// What was saved here stands in the address as well, so that what is shown can be shared.
if (view.topic !== "") saveView(view);
const favourites = loadFavourites();
const markets = new Map<string, Market>();
const meters = new Map<string, VenueMeter>();
const shell = new Shell(changeView, { openAlerts: () => alerts.open(), openWindow });
const { url, webSocketPath } = gatewayAddress();
const client: Client = await startClient();
const redraw = frameDrawer(draw);
const context: Context = {
  client,
  view: () => view,
  change: changeView,
  markets,
  redraw,
  nowMs,
  everyMs,
  afterMs,
  pixelRatio,
  meterOf,
};
const health = new HealthPanel(context);
const list = new MarketsPanel(context, {
  favourites,
  onFavourites: () => saveFavourites(favourites),
  stateOf: (venue) => health.stateOf(venue),
});
const chart = new ChartPanel(context);
const book = new BookPanel(context);
const depth = new DepthPanel(context, () => book.book);
const trades = new TradesPanel(context, (trade) => depth.onTrade(trade));
const details = new DetailsPanel(context, (venue) => health.stateOf(venue));
const alerts = new AlertsDialog(context, readingOf);
const panels: readonly Panel[] = [list, chart, depth, book, trades, health, details];
let shownKey = "";

/** Nothing can be drawn before; the shell says meanwhile that it is being connected. */
async function startClient(): Promise<Client> {
  showState("connecting", nowMs());
  const options = { webSocketPath, clientName: "tickwire-dashboard", waitForFirstConnect: true };
  const connected = await connect(url, options);
  let sinceMs = nowMs();
  showState(connected.state, sinceMs);
  connected.onState((state, { reason }) => {
    sinceMs = nowMs();
    showState(state, sinceMs, reason);
    if (state === "connected") void loadMarkets();
  });
  everyMs(1_000, () => showState(connected.state, sinceMs));
  return connected;
}

function showState(state: ClientState, sinceMs: number, reason = ""): void {
  shell.state.dataset["state"] = state;
  document.documentElement.dataset["connection"] = state;
  const since =
    state === "connected" || nowMs() - sinceMs < 2_000
      ? ""
      : ` (${durationText(nowMs() - sinceMs)})`;
  setText(shell.state, STATE_WORDS[state] + since);
  if (reason !== "") shell.state.title = reason;
}

function meterOf(venue: string): VenueMeter {
  let meter = meters.get(venue);
  if (meter === undefined) {
    meter = new VenueMeter();
    meters.set(venue, meter);
  }
  return meter;
}

/** What alerts are judged by; the ticker has it of every market that is followed. */
function readingOf(topic: string): AlertReading {
  const market = markets.get(topic);
  const venue = topic.slice(0, topic.indexOf(":"));
  const spread = spreadOf(market?.ticker);
  return {
    price: market?.ticker?.lastPrice,
    spreadBps: spread === undefined ? undefined : spread * 10_000,
    feed: health.stateOf(venue),
    gaps: meters.get(venue)?.gaps ?? 0,
  };
}

function changeView(change: Partial<ViewState>): void {
  view = { ...view, ...change };
  saveView(view);
  shell.apply(view);
  if ("theme" in change || "palette" in change) chart.recolour();
  if ("sort" in change || "topic" in change) list.changed();
  showMarket();
  redraw();
}

/** Shows what the view names, or the first market if there is no such one. */
function showMarket(): void {
  const market = markets.get(view.topic);
  const key = `${view.topic} ${view.intervalMs}`;
  if (market === undefined || key === shownKey) return;
  const isOther = !shownKey.startsWith(`${view.topic} `);
  shownKey = key;
  if (isOther) for (const panel of panels) panel.show?.(market);
  else chart.show(market);
}

let isLoading = false;
let tickers: { readonly key: string; close(): void } | undefined;

/** Every instrument of every venue, page by page. A failure is tried again with the next round. */
async function loadMarkets(): Promise<void> {
  if (isLoading) return;
  isLoading = true;
  try {
    let pageToken = "";
    for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
      const answer = await client.rpc.listInstruments({ pageToken });
      for (const instrument of answer.instruments) addMarket(marketOf(instrument));
      if (view.topic === "" || !markets.has(view.topic))
        chooseFirst(answer.nextPageToken === undefined);
      showMarket();
      list.changed();
      if (answer.nextPageToken === undefined) break;
      pageToken = answer.nextPageToken;
    }
    followTickers();
    await health.refresh();
  } catch (error) {
    shell.state.title = (error as Error).message;
  } finally {
    isLoading = false;
  }
}

function addMarket(market: Market): void {
  const known = markets.get(market.topic);
  markets.set(market.topic, known === undefined ? market : { ...market, ticker: known.ticker });
}

/** A market that the address names may be on a page of the list that has not come yet. */
function chooseFirst(isWholeList: boolean): void {
  if (view.topic !== "" && !isWholeList) return;
  const preferred = [...markets.values()].find(({ instrument }) => instrument.base === "BTC");
  const topic = (preferred ?? [...markets.values()][0])?.topic;
  if (topic !== undefined) changeView({ topic });
}

function followTickers(): void {
  const having = [...markets.values()].filter(({ instrument }) =>
    instrument.channels.includes("ticker"),
  );
  const topics = followedTickers(
    having.map(({ topic }) => topic),
    favourites,
  );
  const key = topics.join(" ");
  if (topics.length === 0 || tickers?.key === key) return;
  tickers?.close();
  const subscription = client.onTicker(
    topics,
    (ticker) => {
      const market = markets.get(`${ticker.venue}:${ticker.symbol}`);
      if (market === undefined) return;
      market.ticker = ticker;
      redraw();
    },
    {
      conflationIntervalMs: TICKER_INTERVAL_MS,
      onError: ({ message }) => {
        shell.state.title = message;
      },
    },
  );
  tickers = { key, close: () => subscription.close() };
}

function draw(): void {
  for (const panel of panels) panel.draw();
  drawHeading();
}

function drawHeading(): void {
  const market = markets.get(view.topic);
  if (market === undefined) return;
  const { instrument, ticker, topic } = market;
  const last = ticker?.lastPriceText;
  const decimals = decimalsOf(instrument.priceIncrementText);
  const price = (text: string | undefined): string =>
    text === undefined ? "–" : groupDigits(padDecimal(text, decimals));
  const change = changeOf(ticker);
  const turnover = turnoverOf(ticker);
  shell.heading(
    { symbol: instrument.symbol, venue: instrument.venue, last: price(last) },
    [
      ["24 h change", change === undefined ? "–" : percentText(change)],
      ["High", price(ticker?.highPriceText)],
      ["Low", price(ticker?.lowPriceText)],
      ["Volume", turnover === undefined ? "–" : `${compactText(turnover)} ${instrument.quote}`],
    ],
    change ?? 0,
  );
  document.title =
    last === undefined ? `${topic} · Tickwire` : `${price(last)} ${instrument.symbol} · Tickwire`;
}

shell.place({
  markets: list.element,
  chart: chart.element,
  depth: depth.element,
  book: book.element,
  trades: trades.element,
  health: health.element,
  details: details.element,
});
document.body.append(alerts.element, alerts.toasts);
shell.apply(view);
chart.recolour();
window.addEventListener("hashchange", () => changeView(loadView()));
window.addEventListener("resize", redraw);
window.addEventListener("keydown", (event) => {
  const isTyping =
    event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "Escape" && isTyping) (event.target as HTMLElement).blur();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    shell.showTab("markets");
    list.focusSearch();
  }
  if (event.key === "t") changeView({ theme: shell.isDark ? "light" : "dark" });
  if (event.key === "f") shell.fullScreen();
  if (event.key === "a") {
    event.preventDefault();
    alerts.open();
  }
  const stage = STAGES[Number(event.key) - 1];
  if (stage !== undefined) changeView({ stage });
});
everyMs(1_000, () => {
  for (const meter of meters.values()) meter.mark(nowMs());
  redraw();
});
everyMs(HEALTH_INTERVAL_MS, () => void health.refresh());
everyMs(LIST_INTERVAL_MS, () => void loadMarkets());
// A gateway that has just started may not know yet what its venues list.
everyMs(LIST_RETRY_MS, () => {
  if (markets.size === 0) void loadMarkets();
});
void loadMarkets();
