import { connect, type Client, type NoticeEvent, type Subscription } from "@tickwire/client";
import { Command } from "commander";
import type { Clock } from "#core/clock.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { hasFullScreen, openFullScreen, type FullScreen } from "../output/full-screen.ts";
import { splitKeys } from "../output/top-keys.ts";
import { pressWatchKey, WATCH_INPUT } from "../output/watch-keys.ts";
import { roomOf, watchScreen, type WatchState } from "../output/watch-screen.ts";
import { CommandError, describeError, UsageError } from "../process/errors.ts";
import { addUrlOption, webSocketAddress } from "../process/gateway-address.ts";
import { addSecretOption, gatewaySecret } from "../process/gateway-secret.ts";
import { didYouMean } from "#core/nearest.ts";
import { parseCount } from "../process/parse-option.ts";
import { WatchMarket } from "../process/watch-market.ts";

type WatchOptions = {
  readonly url: string;
  readonly tokenFile?: string;
  readonly interval: number;
};

/** More instruments than this are not looked at one by one. */
const INSTRUMENTS_MAX = 500;
const PAGE_SIZE = 1_000;
const DRAW_MS = 100;
const INTERVAL_MS = 250;
/** The rate is that of so long at least. */
const RATE_MS = 1_000;

/** `tickwire watch [INSTRUMENT...]`: a market on the whole terminal. */
export function createWatchCommand(): Command {
  const command = new Command("watch")
    .description(
      "Shows instruments of a running gateway with price, change and state, and of the chosen one the " +
        "order book as a ladder and the trades as they come.",
    )
    .argument("[topic...]", "VENUE:SYMBOL, either may be *; all instruments if none is given");
  return addSecretOption(addUrlOption(command))
    .option(
      "--interval <ms>",
      "how often prices and the ladder are brought up to date; trades come one by one",
      parseCount,
      INTERVAL_MS,
    )
    .addHelpText(
      "after",
      `
Keys: up and down (or k and j) choose an instrument, PgUp, PgDn, Home and End go further, Tab puts
the next panel in front where not all have room, + and - change the depth of the ladder, Space
stops the screen, q ends.

Where no terminal is, or a dumb one, use subscribe.

Examples:
  tickwire watch
  tickwire watch 'simulated:*'
  tickwire watch binance:BTC-USDT coinbase:BTC-USD --url http://gateway-1.example:8080`,
    )
    .action(async (topics: readonly string[], options: WatchOptions) => {
      if (!hasFullScreen()) {
        throw new UsageError(
          "watch draws on a whole terminal, and there is none here; tickwire subscribe prints lines",
        );
      }
      const patterns = topics.map(parsePattern);
      const secret = (): string => gatewaySecret(options.tokenFile, process.env) ?? "";
      const token = secret() === "" ? undefined : secret;
      const url = webSocketAddress(options.url);
      const client = await connect(url, { clientName: "tickwire-cli", token }).catch(
        (error: unknown) => {
          const hint = "start one with tickwire dev, or name another with --url";
          throw new CommandError(`no gateway at ${url}: ${describeError(error)}; ${hint}`);
        },
      );
      try {
        const names = await instrumentNames(client, patterns);
        await new WatchView({ client, names, options, clock: new SystemClock() }).run();
      } finally {
        client.close();
      }
    });
}

type Pattern = { readonly venue: string; readonly symbol: string };

/** `VENUE:SYMBOL`; what follows a slash, as in a topic, says nothing here. */
function parsePattern(text: string): Pattern {
  const [, venue = "", symbol = ""] = /^([^:/]+):([^/]+)(\/.*)?$/.exec(text) ?? [];
  if (venue === "") {
    throw new UsageError(
      `${text} is no instrument, which is VENUE:SYMBOL, such as binance:BTC-USDT`,
    );
  }
  return { venue, symbol };
}

/** Those that the gateway has and that are wanted, in its order. Rejects if there is none. */
async function instrumentNames(
  client: Client,
  patterns: readonly Pattern[],
): Promise<readonly string[]> {
  const all: Pattern[] = [];
  let pageToken: string | undefined = "";
  do {
    const page = await client.rpc.listInstruments({ pageSize: PAGE_SIZE, pageToken });
    all.push(...page.instruments);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined && pageToken !== "");
  const isWanted = (each: Pattern): boolean =>
    patterns.length === 0 ||
    patterns.some(
      ({ venue, symbol }) =>
        (venue === "*" || venue === each.venue) && (symbol === "*" || symbol === each.symbol),
    );
  const names = all.filter(isWanted).map(({ venue, symbol }) => `${venue}:${symbol}`);
  if (names.length > 0) return names.slice(0, INSTRUMENTS_MAX);
  const [first] = patterns;
  const wanted = first === undefined ? "an instrument" : `${first.venue}:${first.symbol}`;
  const known = all.map(({ venue, symbol }) => `${venue}:${symbol}`);
  throw new CommandError(`the gateway has no ${wanted}${didYouMean(wanted, known)}`);
}

type WatchParts = {
  readonly client: Client;
  readonly names: readonly string[];
  readonly options: WatchOptions;
  readonly clock: Clock;
};

/** The live view: draws what has come, and does what keys say, until it is quit. */
class WatchView {
  readonly #client: Client;
  readonly #names: readonly string[];
  readonly #options: WatchOptions;
  readonly #clock: Clock;
  readonly #market: WatchMarket;
  #input = WATCH_INPUT;
  #isOver = false;
  #screen: FullScreen | undefined;
  #connection = "open";
  #notice = "";
  #rate = 0;
  #ratedUs: number;
  #looked: readonly Subscription[] = [];
  #end: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  constructor({ client, names, options, clock }: WatchParts) {
    this.#client = client;
    this.#names = names;
    this.#options = options;
    this.#clock = clock;
    this.#market = new WatchMarket(names);
    this.#ratedUs = clock.monotonicUs();
  }

  /** Resolves when the user quits. Rejects if the gateway ends the session for good. */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#screen = openFullScreen({
      onKeys: (sent) => this.#onKeys(sent),
      onResize: () => this.#draw(),
    });
    const onSignal = (): void => this.#end();
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.once(signal, onSignal);
    try {
      this.#follow();
      this.#look();
      this.#drawAgain();
      await ended;
    } finally {
      this.#isOver = true;
      for (const signal of signals) process.off(signal, onSignal);
      this.#screen.close();
    }
  }

  #follow(): void {
    const client = this.#client;
    const topics = (channel: string): string[] => this.#names.map((name) => `${name}/${channel}`);
    const cut = { conflationIntervalMs: this.#options.interval, onNotice: this.#told };
    client.onTicker(topics("ticker"), (event) => this.#market.onTicker(event), cut);
    client.onQuotes(topics("quotes"), (event) => this.#market.onQuote(event), cut);
    client.onStatus(topics("status"), (event) => this.#market.onStatus(event));
    client.onState((state, { error }) => {
      this.#connection = error === undefined ? state : `${state}: ${error.message}`;
      if (state === "closed" && error !== undefined) this.#fail(error);
    });
  }

  /** Gaps, lags and the like, as the last of them. */
  readonly #told = (notice: NoticeEvent): void => {
    if (notice.type === "continuity" && notice.continuity === "new") return;
    const topic = "topic" in notice ? `${notice.topic} ` : "";
    const about = "message" in notice ? `: ${notice.message}` : "";
    this.#notice = `${topic}${notice.type}${about}`;
  };

  /** Book and trades of the instrument that is chosen, in place of those of the one before. */
  #look(): void {
    for (const subscription of this.#looked) subscription.close();
    this.#market.look();
    const name = this.#names[this.#input.selected] ?? "";
    const { interval: conflationIntervalMs } = this.#options;
    const onNotice = this.#told;
    const cut = { depth: this.#input.depth, conflationIntervalMs, onNotice };
    this.#looked = [
      this.#client.onBook(`${name}/book`, (book) => this.#market.onBook(book), cut),
      this.#client.onTrades(`${name}/trades`, (trade) => this.#market.onTrade(trade), { onNotice }),
    ];
  }

  #onKeys(sent: string): void {
    for (const key of splitKeys(sent)) {
      const before = this.#input;
      const next = pressWatchKey(before, key, this.#names.length);
      if (next === undefined) return this.#end();
      this.#input = next;
      if (next.selected !== before.selected || next.depth !== before.depth) this.#look();
    }
    this.#draw();
  }

  #drawAgain(): void {
    if (!this.#input.isPaused) this.#draw();
    this.#clock.after(DRAW_MS, () => {
      if (!this.#isOver) this.#drawAgain();
    });
  }

  #draw(): void {
    if (this.#screen === undefined) return;
    const { columns, lines } = this.#screen;
    this.#screen.draw(watchScreen(this.#state(lines), this.#input.front, { columns, lines }));
  }

  #state(lines: number): WatchState {
    const nowUs = this.#clock.monotonicUs();
    const elapsedUs = nowUs - this.#ratedUs;
    if (elapsedUs >= RATE_MS * 1000) {
      this.#rate = (this.#market.takeEvents() / elapsedUs) * 1e6;
      this.#ratedUs = nowUs;
    }
    const { selected, isPaused, depth } = this.#input;
    return {
      address: this.#options.url,
      connection: this.#connection,
      eventsPerSecond: this.#rate,
      rows: this.#market.rows,
      selected,
      ...this.#market.ladder(Math.min(depth, roomOf(lines).levels)),
      trades: this.#market.trades,
      notice: this.#notice,
      isPaused,
    };
  }
}
