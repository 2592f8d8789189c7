import type { Client, ClientState } from "@tickwire/client";
import { readLayout, writeLayout, PRESETS } from "./layout/layout-text.ts";
import type { LayoutNode, PanelId } from "./layout/layout-tree.ts";
import { link } from "./link.ts";
import { accessTrouble } from "./market/access-words.ts";
import type { AlertReading } from "./market/alerts.ts";
import { VenueMeter } from "./market/feed-health.ts";
import { GatewayClock } from "./market/gateway-clock.ts";
import { MarketStates } from "./market/market-states.ts";
import { MarketDirectory } from "./market/market-directory.ts";
import { firstMarket, spreadOf } from "./market/market-rows.ts";
import { durationText } from "./market/number-text.ts";
import type { ViewState } from "./market/view-state.ts";
import {
  afterMs,
  copyAddress,
  everyMs,
  loadFavourites,
  loadView,
  browserMs,
  onFrame,
  onNarrow,
  onStored,
  openWindow,
  pixelRatio,
  reload,
  saveFavourites,
  saveToken,
  saveView,
  steadyMs,
} from "./page/browser.ts";
import { setText } from "./page/dom.ts";
import { Shell } from "./page/shell.ts";
import { AccessDialog } from "./panels/access-dialog.ts";
import { AlertsDialog } from "./panels/alerts-dialog.ts";
import { BookPanel } from "./panels/book-panel.ts";
import { ChartPanel } from "./panels/chart-panel.ts";
import type { Context, Panel } from "./panels/context.ts";
import { DepthPanel } from "./panels/depth-panel.ts";
import { DrawLoop } from "./panels/draw-loop.ts";
import { HealthPanel } from "./panels/health-panel.ts";
import { headingOf } from "./panels/heading.ts";
import { HeatmapPanel } from "./panels/heatmap-panel.ts";
import { MarketsPanel } from "./panels/markets-panel.ts";
import { TradesPanel } from "./panels/trades-panel.ts";
import { VenuesPanel } from "./panels/venues-panel.ts";

const HEALTH_INTERVAL_MS = 5_000;
const LIST_INTERVAL_MS = 60_000;
const LIST_RETRY_MS = 1_000;
/** The list of markets waits for the first book, and no longer than this. */
const FIRST_BOOK_MS_MAX = 1_000;
/** Ends of tokens after it are of no interest to a page that connects. */
const FIRST_CONNECT_MS_MAX = 600_000;
/** The first ones come quickly after each other, so that one of them is a quick one. */
const FIRST_CLOCK_QUESTIONS = 5;
const CLOCK_INTERVAL_S = 30;
const KEYED_PANELS: readonly PanelId[] = ["chart", "depth", "heatmap"];

/** What the connection's states are called for people. */
const STATE_WORDS: Readonly<Record<ClientState, string>> = {
  connecting: "Connecting …",
  connected: "Live",
  reconnecting: "Connection lost. Trying again …",
  closed: "Disconnected for good. Reload the page to try again.",
};

let view: ViewState = loadView();
let layout: LayoutNode = readLayout(view.layout) ?? PRESETS.trading;
// What was saved here stands in the address as well, so that what is shown can be shared.
if (view.topic !== "") saveView(view);
const favourites = loadFavourites();
const clock = new GatewayClock({ steadyMs, browserMs });
const nowMs = (): number => clock.nowMs();
/** Questions for the gateway's time since the connection began. */
let clockQuestions = 0;
const meters = new Map<string, VenueMeter>();
const directory = new MarketDirectory(favourites, {
  onList,
  onTicker: () => context.redraw(),
  isKept: (topic) => topic === view.topic,
  onRelisted: (topic) => {
    if (topic === view.topic) shownKey = "";
  },
  onProblem: (error) => showTrouble((error as { code?: string } | undefined)?.code),
});
const { markets } = directory;
let connected: Client | undefined;
let connection: { readonly state: ClientState; readonly sinceMs: number } = {
  state: "connecting",
  sinceMs: steadyMs(),
};
const { access } = link;
const context: Context = {
  get client() {
    if (connected === undefined) throw new Error("nothing is shown before there is a client");
    return connected;
  },
  view: () => view,
  change: changeView,
  markets,
  redraw: (isUrgent) => drawing.redraw(isUrgent),
  nowMs,
  steadyMs,
  ageMs: ({ venueTimeUs }) =>
    venueTimeUs === undefined || !clock.isKnown ? undefined : nowMs() - venueTimeUs / 1_000,
  everyMs,
  afterMs,
  pixelRatio,
  meterOf,
};
const health = new HealthPanel(context, () => directory.venues);
const list = new MarketsPanel(context, {
  favourites,
  onFavourites: () => saveFavourites(favourites),
  venues: () => directory.venues,
  stateOf: (instrument) => health.stateOf(instrument),
});
/** Of the market that is shown. */
const states = new MarketStates(() => context.redraw());
const chart = new ChartPanel(context);
const book = new BookPanel(context);
const depth = new DepthPanel(context, () => book.book);
const heatmap = new HeatmapPanel(context, () => book.book);
const trades = new TradesPanel(context, (trade) => heatmap.onTrade(trade));
const venues = new VenuesPanel(context);
const alerts = new AlertsDialog(context, readingOf);
const accessDialog = new AccessDialog(enterToken);
const panels: Readonly<Record<PanelId, Panel>> = {
  markets: list,
  chart,
  depth,
  heatmap,
  book,
  trades,
  venues,
  health,
};
const all = Object.values(panels);
const elements = Object.fromEntries(
  Object.entries(panels).map(([id, { element }]) => [id, element]),
) as Record<PanelId, HTMLElement>;
const shell = new Shell(elements, layout, {
  change: changeView,
  onLayout: (next) => changeView({ layout: writeLayout(next) }),
  onPlaced: () => context.redraw(true),
  openAlerts: () => alerts.open(),
  openWindow,
  openAccess: () => accessDialog.open(undefined, access.hasToken),
  copyAddress,
});
const drawing = new DrawLoop(all, drawHeading, { steadyMs, afterMs, onFrame });
let shownKey = "";
let onFirstBook: () => void = () => undefined;
const firstBook = new Promise<void>((resolve) => {
  onFirstBook = resolve;
});
let deniedCode = "";

/** Keeps trying; what it cannot get over, such as access, is told with what to do. */
async function start(): Promise<void> {
  // A client whose token has ended before it was let in goes on trying, and says nothing.
  const waitMs = Math.max(0, (access.endsAtMs ?? Infinity) - nowMs());
  if (waitMs < FIRST_CONNECT_MS_MAX) {
    afterMs(waitMs, () => {
      if (connected === undefined) showTrouble("access-expired");
    });
  }
  try {
    const client = await link.connecting;
    connected = client;
    showTrouble(undefined);
    client.stats();
    client.onState((state, reason) => {
      setState(state);
      shell.state.title = reason.reason;
      if (state === "connected") void directory.load(client);
      showTrouble(state === "connected" ? undefined : reason.code);
    });
    setState(client.state);
    // What is shown comes before what may be chosen.
    afterMs(FIRST_BOOK_MS_MAX, onFirstBook);
    if (await directory.loadFirst(client, view.topic)) await firstBook;
    await directory.load(client);
  } catch (error) {
    setState("closed");
    showTrouble((error as { code?: string }).code);
    shell.state.title = (error as Error).message;
  }
}

function setState(state: ClientState): void {
  connection = { state, sinceMs: steadyMs() };
  clockQuestions = 0;
  void askTime();
  showState();
  context.redraw(true);
}

/** Asks the gateway what time it is: a few times at first, and then now and then. */
async function askTime(): Promise<void> {
  if (connected === undefined || connection.state !== "connected") return;
  clockQuestions += 1;
  if (clockQuestions > FIRST_CLOCK_QUESTIONS && clockQuestions % CLOCK_INTERVAL_S !== 0) return;
  const askedMs = steadyMs();
  try {
    const { serverTimeUs } = await connected.rpc.getServerTime({});
    clock.observe({ askedMs, gatewayMs: serverTimeUs / 1_000 });
  } catch {
    // The next question comes soon; until then the time is as it was known.
  }
}

function showState(): void {
  const { state, sinceMs } = connection;
  shell.state.dataset["state"] = state;
  document.documentElement.dataset["connection"] = state;
  const isFresh = state === "connected" || steadyMs() - sinceMs < 2_000;
  const since = isFresh ? "" : ` (${durationText(steadyMs() - sinceMs)})`;
  setText(shell.state, STATE_WORDS[state] + since);
}

/** What the connection carries, once a second; of a shared one, what this window gets of it. */
function showTraffic(): void {
  if (connected === undefined || connection.state !== "connected") {
    setText(shell.traffic, "");
    return;
  }
  const { events, bytes, roundTripMs } = connected.stats();
  const trip = roundTripMs === undefined ? "" : ` · ${roundTripMs.toFixed(1)} ms round trip`;
  shell.traffic.dataset["events"] = String(events.total);
  const size = bytes.total === 0 ? "" : ` · ${(bytes.perSecond / 1_000).toFixed(1)} kB/s`;
  setText(shell.traffic, `${events.perSecond.toFixed(0)} events/s${size}${trip}`);
}

/** Tells what is wrong with the reader's access, once for each kind; `undefined` takes it back. */
function showTrouble(code: string | undefined): void {
  const trouble = accessTrouble(code);
  if (trouble === undefined) {
    if (code === undefined && deniedCode !== "") shell.banner.hidden = true;
    if (code === undefined) deniedCode = "";
    return;
  }
  if (code === deniedCode) return;
  deniedCode = code ?? "";
  showBanner(`${trouble.title} ${trouble.text}`, trouble.wantsToken);
  if (connection.state === "closed" && trouble.wantsToken)
    accessDialog.open(trouble, access.hasToken);
}

function showBanner(text: string, wantsToken: boolean): void {
  shell.showBanner(
    text,
    wantsToken ? () => accessDialog.open(undefined, access.hasToken) : undefined,
  );
}

/** A connection that goes on shows the new token by itself; otherwise the page begins anew. */
function enterToken(token: string): void {
  saveToken(token);
  if (access.enter(token)) shell.banner.hidden = true;
  else reload();
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
    feed: market && health.stateOf(market.instrument),
    gaps: meters.get(venue)?.gaps ?? 0,
  };
}

function changeView(change: Partial<ViewState>): void {
  view = { ...view, ...change };
  layout = readLayout(view.layout) ?? layout;
  saveView(view);
  shell.apply(view, layout);
  if ("theme" in change || "palette" in change) recolour();
  if ("sort" in change || "topic" in change) list.changed();
  showMarket();
  context.redraw(true);
}

function recolour(): void {
  chart.recolour();
  heatmap.recolour();
}

/** Shows what the view names, or the first market if there is no such one. */
function showMarket(): void {
  const market = markets.get(view.topic);
  const key = `${view.topic} ${view.intervalMs}`;
  if (market === undefined || key === shownKey) return;
  const isOther = !shownKey.startsWith(`${view.topic} `);
  shownKey = key;
  directory.followShown(context.client, market);
  states.follow(context.client, [market.topic]);
  if (isOther) for (const panel of all) panel.show?.(market);
  else chart.show(market);
}

function onList(isWhole: boolean): void {
  if (view.topic === "" || !markets.has(view.topic)) chooseFirst(isWhole);
  showMarket();
  chart.listChanged();
  list.changed();
  if (isWhole) void health.refresh();
}

/** A market that the address names may be on a page of the list that has not come yet. */
function chooseFirst(isWholeList: boolean): void {
  if (view.topic !== "" && !isWholeList) return;
  const topic = firstMarket(markets.values())?.topic;
  if (topic !== undefined) changeView({ topic });
}

function drawHeading(): void {
  if (book.book !== undefined) onFirstBook();
  const market = markets.get(view.topic);
  if (market === undefined) return;
  const { name, facts, change, title } = headingOf(
    market,
    trades.lastTrade,
    states.instrumentStateOf(market.topic),
  );
  shell.heading(name, facts, change);
  if (document.title !== title) document.title = title;
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.key === "Escape") {
    if (isTyping) target.blur();
    else shell.grid.restore();
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    shell.showTab("markets");
    list.focusSearch();
  }
  if (event.key === "t") changeView({ theme: shell.isDark ? "light" : "dark" });
  if (event.key === "f") shell.fullScreen();
  if (event.key === "s") list.toggleFavourite(view.topic);
  if (event.key === "p") trades.toggleHold();
  if (event.key === "a") {
    event.preventDefault();
    alerts.open();
  }
  const panel = KEYED_PANELS[Number(event.key) - 1];
  if (panel !== undefined) shell.showTab(panel);
}

link.onRenewal((endsAtMs) => {
  const left = durationText(endsAtMs - nowMs());
  showBanner(`Your access ends in ${left}. Enter a new token to go on without a break.`, true);
});
document.body.append(alerts.element, alerts.toasts, accessDialog.element);
shell.apply(view, layout);
onNarrow((isNarrow) => {
  shell.setNarrow(isNarrow);
});
onStored((what) => {
  if (what === "alerts") alerts.reload();
  else list.takeFavourites(loadFavourites());
});
chart.recolour();
showState();
window.addEventListener("hashchange", () => changeView(loadView()));
window.addEventListener("resize", () => shell.grid.place());
window.addEventListener("keydown", onKey);
everyMs(1_000, () => {
  for (const meter of meters.values()) meter.mark(steadyMs());
  showState();
  showTraffic();
  void askTime();
  context.redraw();
});
everyMs(HEALTH_INTERVAL_MS, () => void health.refresh());
everyMs(LIST_INTERVAL_MS, () => loadList());
// A gateway that has just started may not know yet what its venues list.
everyMs(LIST_RETRY_MS, () => {
  if (markets.size === 0) loadList();
});
void start();

function loadList(): void {
  if (connected?.state === "connected") void directory.load(connected);
}
