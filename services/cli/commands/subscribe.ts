import { complain } from "../output/terminal.ts";
import { quotedText } from "#core/visible-text.ts";
import {
  connect,
  type Client,
  type MarketEvent,
  type NoticeEvent,
  type StreamEvent,
  type TickwireError,
} from "@tickwire/client";
import { Command } from "commander";
import { rowOfClientEvent } from "../output/client-event.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { EventJson, type EventSource } from "#wire/event-json.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import { didYouMean } from "#core/nearest.ts";
import { formatEventText } from "../output/event-text.ts";
import { addUrlOption, webSocketAddress } from "../process/gateway-address.ts";
import { addSecretOption, gatewaySecret } from "../process/gateway-secret.ts";
import { LineOutput } from "../output/line-output.ts";
import { parseCount, parsePastTime, parseSeconds, parseSpeed } from "../process/parse-option.ts";
import type { PastTime } from "../process/parse-option.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { PastAndLive } from "./past-and-live.ts";

type SubscribeOptions = {
  readonly url: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly count?: number;
  readonly duration?: number;
  readonly depth: number;
  readonly interval: number;
  readonly bandwidth: number;
  readonly checksum?: boolean;
  readonly snapshot: boolean;
  readonly from?: PastTime;
  readonly to?: PastTime;
  readonly speed?: number | "max";
};

/** The longest that gateways offer. */
const INTERVAL_MS_MAX = 10_000;
/** A list of instruments, of which one may have been meant, is not waited for longer. */
const LIST_MS_MAX = 2_000;

/** `tickwire subscribe TOPIC...`: the client package on the command line. */
export function createSubscribeCommand(): Command {
  const command = new Command("subscribe")
    .description(
      "Prints the events of topics as they come, one line each. Notices about the stream (resumes, " +
        "gaps, lag) go to standard error.",
    )
    .argument("<topic...>", "VENUE:SYMBOL/channel; each part may be *");
  return addSecretOption(addUrlOption(command))
    .option("--json", "print the objects that normalize prints")
    .option("--count <n>", "end after this many events", parseCount)
    .option("--duration <seconds>", "end after this long", parseSeconds)
    .option(
      "--depth <levels>",
      "levels a side of books, rounded up to 1, 5, 10, 20, 50, 100, 500, 1000; 0 is all",
      parseCount,
      0,
    )
    .option(
      "--interval <ms>",
      "get net changes so often, rounded up to 50, 100, 250 ... 10000; 0 is every event",
      parseCount,
      0,
    )
    .option(
      "--bandwidth <bytes>",
      "get about so many bytes of market data a second at most, by longer intervals; 0 is no bound",
      parseCount,
      0,
    )
    .option("--checksum", "have books compared with the gateway's about once a second")
    .option(
      "--no-snapshot",
      "start with the next event instead of the current state (not for books)",
    )
    .option("--from <time>", "begin with what was published then; or seconds ago", parsePastTime)
    .option("--to <time>", "with --from: end before what was published then", parsePastTime)
    .option("--speed <factor>", "with --from: times the pace of then (default max)", parseSpeed)
    .addHelpText(
      "after",
      `
Examples:
  tickwire subscribe 'simulated:BTC-USD/trades' --count 5
  tickwire subscribe 'simulated:BTC-USD/trades' --from 60
  tickwire subscribe 'simulated:*/quotes' 'simulated:*/trades' --json
  tickwire subscribe 'binance:BTCUSDT/book' --url wss://md.example.com --duration 60
  tickwire subscribe 'simulated:BTC-USD/book' --depth 5 --interval 1000

Ends with 0 at --count, --duration or Ctrl-C, and with 1 if a topic is refused or the gateway is not there.`,
    )
    .action(async (topics: readonly string[], options: SubscribeOptions) => {
      for (const topic of topics) requireTopic(topic);
      await new TopicPrinter(options).run(webSocketAddress(options.url), topics);
    });
}

/** Whoever gives the address first, as in many other programs, is told how it is given here. */
function requireTopic(text: string): void {
  if (!text.includes("://")) return;
  throw new UsageError(
    `${quotedText(text)} is no topic; the address of a gateway goes after --url`,
  );
}

/** Prints the events of one subscription until it has printed enough. */
class TopicPrinter {
  readonly #options: SubscribeOptions;
  readonly #json = new EventJson();
  readonly #sources = new Map<string, EventSource>();
  readonly #output = new LineOutput(process.stdout, { eager: process.stdout.isTTY });
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #left: number;
  #flushing = false;

  constructor(options: SubscribeOptions) {
    this.#options = options;
    this.#left = options.count ?? Infinity;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    if (options.interval > INTERVAL_MS_MAX) {
      throw new UsageError(`--interval ${options.interval} is more than ${INTERVAL_MS_MAX}`);
    }
    if (options.count === 0) throw new UsageError("--count is at least 1");
    const { from, to, speed, interval, depth } = options;
    if (from === undefined && (to !== undefined || speed !== undefined)) {
      throw new UsageError("--to and --speed need --from");
    }
    if (from !== undefined && (interval > 0 || depth > 0)) {
      throw new UsageError("--from gives every event whole: --interval and --depth do not fit");
    }
  }

  async run(url: string, topics: readonly string[]): Promise<void> {
    const stop = () => this.#end();
    const aborted = new AbortController();
    process.once("SIGINT", () => {
      aborted.abort();
      stop();
    });
    process.once("SIGTERM", () => {
      aborted.abort();
      stop();
    });
    const client = await connectTo(url, aborted.signal, this.#options);
    if (client === undefined) return;
    const { duration } = this.#options;
    const timer = duration === undefined ? undefined : setTimeout(stop, duration * 1000);
    try {
      if (this.#options.from === undefined) {
        this.#subscribe(client, topics, (event) => this.#onEvent(event));
      } else {
        this.#startWithPast(client, topics, aborted.signal);
      }
      await this.#ended;
    } finally {
      clearTimeout(timer);
      client.close();
      this.#output.flush();
      await this.#output.drained();
    }
  }

  /** Prints the past, and then what is live unless `to` says where to end. */
  #startWithPast(client: Client, topics: readonly string[], signal: AbortSignal): void {
    const { from, to, speed } = this.#options;
    const past = new PastAndLive((event) => this.#onEvent(event));
    this.#subscribe(client, topics, (event) => {
      try {
        if (to === undefined || event.type === "continuity") past.live(event);
      } catch (error) {
        this.#fail(error);
      }
    });
    const pace = speed === "max" ? undefined : speed;
    const nowUs = new SystemClock().nowUs();
    const options = { fromTimeUs: from?.(nowUs), toTimeUs: to?.(nowUs), speed: pace, signal };
    past.play(client, topics, options).then(
      () => {
        if (to !== undefined) this.#end();
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#fail(new CommandError(`the past cannot be had: ${reason}`, { cause: error }));
      },
    );
  }

  #subscribe(client: Client, topics: readonly string[], take: (event: StreamEvent) => void): void {
    const { depth, interval, snapshot, checksum } = this.#options;
    client.subscribe(topics, take, {
      depth,
      conflationIntervalMs: interval,
      snapshot,
      checksum,
      onError: (error: TickwireError) => {
        void this.#explain(client, topics, error).then((text) => {
          this.#fail(new CommandError(text, { cause: error }));
        });
      },
    });
    client.onState((state, { error }) => {
      if (state === "closed" && error !== undefined) this.#fail(error);
      else if (error !== undefined) complain(`${state}: ${error.message}`);
    });
  }

  /** What is wrong with a topic, and which one may have been meant. Never rejects. */
  async #explain(
    client: Client,
    topics: readonly string[],
    { code, message }: TickwireError,
  ): Promise<string> {
    const text = `${code}: ${message}`;
    if (code !== "topic-unknown-symbol" && code !== "topic-unknown-venue") return text;
    try {
      const { instruments } = await client.rpc.listInstruments({}, { timeoutMs: LIST_MS_MAX });
      const known = instruments.map(({ venue, symbol }) => `${venue}:${symbol}`);
      // The error is about the first of them that the gateway does not have.
      const wanted = topics
        .map((topic) => topic.split("/")[0] ?? "")
        .find((name) => !name.includes("*") && !known.includes(name));
      const meant = wanted === undefined ? "" : didYouMean(wanted, known);
      // The gateway names those that are spelled alike; one list of them is enough.
      return meant === "" ? text : text.replace(/; the nearest (?:is|are) [^;]*$/, "") + meant;
    } catch {
      // Without a list there is nothing to suggest; what was wrong is told all the same.
      return text;
    }
  }

  #onEvent(event: StreamEvent): void {
    if (isNotice(event)) {
      if (event.type !== "continuity" || event.continuity !== "new")
        complain(describeNotice(event));
      return;
    }
    if (this.#left <= 0) return;
    const source = this.#sourceOf(event);
    const row = rowOfClientEvent(event);
    this.#output.write(
      this.#options.json === true
        ? this.#json.format(source, event, row)
        : formatEventText(source, event, row),
    );
    this.#left -= 1;
    if (this.#left <= 0) this.#end();
    else this.#flushSoon();
  }

  /** Writes everything that came in one frame with one write. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#output.flush();
    });
  }

  /** One object a topic, as the JSON writer wants it. */
  #sourceOf(event: MarketEvent): EventSource {
    const { topic, venue, symbol, venueSymbol } = event;
    let source = this.#sources.get(topic);
    if (source === undefined) {
      // The symbol of a listing is that of what is listed, and not of its topic.
      source =
        event.type === "listing"
          ? { venue, symbol: MARKET_SYMBOL, venueSymbol: MARKET_SYMBOL }
          : { venue, symbol, venueSymbol };
      this.#sources.set(topic, source);
    }
    return source;
  }
}

/** Undefined if it was interrupted. */
async function connectTo(
  url: string,
  signal: AbortSignal,
  { bandwidth: bandwidthBytesPerSecondMax, tokenFile }: SubscribeOptions,
): Promise<Client | undefined> {
  const secret = (): string => gatewaySecret(tokenFile, process.env) ?? "";
  // A file may get a newer token while the command runs.
  const token = secret() === "" ? undefined : secret;
  try {
    const clientName = "tickwire-cli";
    return await connect(url, { signal, clientName, token, bandwidthBytesPerSecondMax });
  } catch (error) {
    if (signal.aborted) return undefined;
    const code = error instanceof Error && "code" in error ? String(error.code) : "connect-failed";
    const reason = error instanceof Error ? error.message : String(error);
    const hint = "start one with tickwire dev, or name another with --url";
    throw new CommandError(`${code}: no gateway at ${url}: ${reason}; ${hint}`, { cause: error });
  }
}

const NOTICES: ReadonlySet<string> = new Set<NoticeEvent["type"]>([
  "continuity",
  "gap",
  "lag",
  "conflation",
  "refused",
]);

function isNotice(event: StreamEvent): event is NoticeEvent {
  return NOTICES.has(event.type);
}

function describeNotice(notice: NoticeEvent): string {
  switch (notice.type) {
    case "continuity":
      return `${notice.topic} ${notice.continuity} at ${notice.epoch}/${notice.sequence}${
        notice.reason === "" ? "" : ` (${notice.reason})`
      }`;
    case "gap":
      return `${notice.topic} gap ${notice.missingFirst} to ${
        notice.missingLast ?? "unknown"
      } (${notice.reason})`;
    case "lag":
      return `lag: ${notice.message}`;
    case "conflation":
      return notice.message;
    case "refused":
      return `${notice.topic} ${notice.code}: ${notice.message}`;
  }
}
