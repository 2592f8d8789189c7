import { connect, type Client, type ReplayEvent, type StreamEvent } from "@tickwire/client";
import { Bot } from "./bot.ts";
import { EventOrder, type Arrival } from "./event-order.ts";
import { readSettings, USAGE, type Settings } from "./settings.ts";
import { tickOf, type Tick } from "./tick.ts";
import { formatTime, scaleOfStep, type Scales } from "./units.ts";

/** A topic on which nothing happens holds the other one up for so long. */
const HOLD_US = 1_000_000;
/** A live run begins at the full second after so long: then all topics have begun. */
const START_DELAY_US = 1_000_000;
/** The log is read from so long before, because it is asked for by the time of publishing. */
const PAST_MARGIN_US = 2_000_000;

const SECOND_US = 1_000_000;

/** Runs the bot to its end. Rejects if the gateway cannot be reached or refuses. */
async function run(settings: Settings): Promise<void> {
  const client = await connect(settings.url, { clientName: "market-maker" });
  try {
    const scales = await scalesOf(client, settings.instrument);
    const trader = new Trader(settings, scales);
    const topics = ["quotes", "trades"].map((channel) => `${settings.instrument}/${channel}`);
    if (settings.past) await tradePast(client, topics, trader, settings.startUs ?? 0);
    else await tradeLive(client, topics, trader);
    trader.finish();
  } finally {
    client.close();
  }
}

async function scalesOf(client: Client, name: string): Promise<Scales> {
  const [venue = "", symbol = ""] = name.split(/:(.*)/s);
  const { instrument } = await client.rpc.getInstrument({ venue, symbol });
  return {
    price: scaleOfStep(instrument?.priceIncrementText),
    size: scaleOfStep(instrument?.sizeIncrementText),
  };
}

function tradeLive(client: Client, topics: readonly string[], trader: Trader): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = client.subscribe(
      topics,
      (event) => {
        trader.onEvent(topics, event);
        if (!trader.isOver) return;
        subscription.close();
        resolve();
      },
      { onError: reject },
    );
  });
}

async function tradePast(
  client: Client,
  topics: readonly string[],
  trader: Trader,
  startUs: number,
): Promise<void> {
  for await (const event of client.replay(topics, { fromTimeUs: startUs - PAST_MARGIN_US })) {
    trader.onEvent(topics, event);
    if (trader.isOver) return;
  }
}

/** What happens on one of the topics: a tick, or a break with its reason. */
type Happening = Tick | string;

/** Brings what comes into one order, and makes a bot when it is known when to begin. */
class Trader {
  readonly #settings: Settings;
  readonly #scales: Scales;
  readonly #order: EventOrder<Happening>;
  #bot: Bot | undefined;
  #lastTimeUs = 0;

  constructor(settings: Settings, scales: Scales) {
    this.#settings = settings;
    this.#scales = scales;
    const take = (arrival: Arrival<Happening>): void => this.#onHappening(arrival);
    this.#order = new EventOrder({ topics: 2, holdUs: HOLD_US, take });
  }

  get isOver(): boolean {
    return this.#bot?.isOver === true;
  }

  onEvent(topics: readonly string[], event: StreamEvent | ReplayEvent): void {
    if (!("topic" in event)) return;
    const topic = topics.indexOf(event.topic);
    const happening = breakOf(event) ?? tickOf(event, this.#scales);
    if (topic === -1 || happening === undefined) return;
    const timeUs = typeof happening === "string" ? this.#lastTimeUs : happening.timeUs;
    this.#lastTimeUs = Math.max(this.#lastTimeUs, timeUs);
    this.#order.add({ topic, timeUs, value: happening });
  }

  /** Nothing more comes. */
  finish(): void {
    this.#order.end();
    this.#bot?.finish();
    const { late } = this.#order;
    if (late > 0) remark(`${late} events came too late to be put in order`);
  }

  #onHappening({ value, timeUs }: Arrival<Happening>): void {
    this.#bot ??= this.#createBot(timeUs);
    if (typeof value === "string") this.#bot.onBreak(value);
    else this.#bot.onTick(value);
  }

  #createBot(firstUs: number): Bot {
    const { startUs, durationUs, orderSize, positionMax } = this.#settings;
    const delayedUs = Math.ceil((firstUs + START_DELAY_US) / SECOND_US) * SECOND_US;
    const start = startUs ?? delayedUs;
    remark(`trading from ${formatTime(start)}`);
    const sizeUnits = (size: number): number => Math.round(size * 10 ** this.#scales.size);
    return new Bot({
      ...this.#settings,
      scales: this.#scales,
      startUs: start,
      stopUs: start + durationUs,
      orderSize: sizeUnits(orderSize),
      strategy: {
        halfSpreadMin: 2,
        volatilityFactor: 1.5,
        positionMax: sizeUnits(positionMax),
        requoteMin: 2,
        averageUs: 2 * SECOND_US,
      },
      pauseUsMax: 5 * SECOND_US,
      log: (line) => process.stdout.write(`${line}\n`),
    });
  }
}

/** Why what comes does not go on from what came; undefined if it does. */
function breakOf(event: StreamEvent | ReplayEvent): string | undefined {
  if (event.type === "gap") return `missing events (${event.reason})`;
  if (event.type !== "continuity" || event.outcome !== "replaced") return undefined;
  return `stream replaced (${event.reason})`;
}

/** What is about the run and no decision of it. */
function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  await run(readSettings(process.argv.slice(2)));
} catch (error) {
  remark(error instanceof Error ? error.message : String(error));
  remark(USAGE);
  process.exitCode = 1;
}
