import { printLine } from "../output/terminal.ts";
import { Command } from "commander";
import type { Clock } from "#core/clock.ts";
import { DERIVATIVE_CHANNELS, type Instrument } from "#core/instrument.ts";
import { ingestConfig, type VenueConfig } from "#ingest/config.ts";
import type { FeedAdapter, FeedEndpoints, RestRequest } from "#ingest/feed/feed-adapter.ts";
import { resolveEndpoints } from "#ingest/feed/rest/resolve-endpoints.ts";
import type { RestAnswer, RestClient } from "#ingest/feed/rest/rest-client.ts";
import { startIngest } from "#ingest/main.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { TickwireConfig } from "#config/config.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { checkClock, checkStream, chooseInstruments, type Check } from "./doctor-checks.ts";
import { DoctorWatch } from "./doctor-watch.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { openBus } from "../process/open-bus.ts";
import { parseSeconds } from "../process/parse-option.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { openVenueNetwork } from "#ingest/venue-network.ts";
import { parseVenueId } from "../process/venue-id.ts";
import { parseVenue } from "../process/venue-options.ts";

type DoctorOptions = ConfigOptions & { readonly duration: number; readonly json?: boolean };

/** How many pages of one list of instruments are read at most. */
const PAGES_MAX = 64;

/** How long books may take to come into sync, and how often this is checked. */
const SYNC_MS_MAX = 30_000;
const SYNC_CHECK_MS = 50;

/** `tickwire doctor VENUE`: whether a venue can be followed from here. */
export function createDoctorCommand(): Command {
  const command = new Command("doctor")
    .summary("try a venue out: clock, instruments, streams, books")
    .description(
      "Connects to a venue as ingest does, follows it for some seconds, and says what is right and what is " +
        "not. Books get 30 s to come into sync. Exit code 0 if nothing failed, 1 otherwise; warnings do not count.",
    )
    .argument("<venue>", "ID or ID:SYMBOL,SYMBOL; two instruments that are surely traded if none")
    .option(
      "--duration <seconds>",
      "follow the streams for this long once the books are in sync",
      parseSeconds,
      15,
    )
    .option("--json", "one JSON object a line");
  return addConfigOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  tickwire doctor kraken
  tickwire doctor okx:BTC-USDT-PERP --duration 60`,
    )
    .action(async (venue: string, options: DoctorOptions) => {
      const config = loadCommandConfig(options, {
        defaults: { bus: { kind: "memory" }, log: { level: "error" } },
        flags: [],
      });
      if (config.bus.kind !== "memory") {
        throw new UsageError("doctor publishes nothing; leave bus.kind");
      }
      await examine(config, venueOf(config, venue), options);
    });
}

/** The venue as the configuration has it, with the symbols of the argument in place of its own. */
function venueOf(config: TickwireConfig, text: string): VenueConfig {
  const { id, instruments } = parseVenue(text);
  const known = parseVenueId(id) as VenueConfig["id"];
  const configured = config.ingest.venues.find((venue) => venue.id === known);
  const venue = configured ?? ingestConfig({ venues: [{ id: known }] }).venues[0];
  if (venue === undefined) throw new UsageError(`no venue ${known} is configured`);
  return instruments === undefined ? venue : { ...venue, instruments };
}

async function examine(
  config: TickwireConfig,
  venue: VenueConfig,
  options: DoctorOptions,
): Promise<void> {
  const service = createServiceProcess("doctor", config);
  const { clock, shutdown } = service;
  const report = new Report(options.json ?? false);
  const network = openVenueNetwork(venue, clock);
  shutdown.add("network", () => network.close());
  const adapter: FeedAdapter = VENUES[venue.id];
  const endpoints = resolveEndpoints(adapter, venue.endpoints);
  const rest = new AskedRest(network.restClient, clock);
  await readClock(adapter, endpoints, rest, report);
  const listed = await listInstruments(adapter, endpoints, rest, report);
  const instruments = choose(listed, venue);
  if (instruments.length > 0) {
    const symbols = instruments.map(({ symbol }) => symbol);
    const wanted = { ...venue, instruments: symbols };
    await followStreams({ config, service, venue: wanted, network, instruments, options, report });
  } else {
    report.add({ verdict: "fail", name: "instruments", text: "none of those that are wanted" });
  }
  report.end();
  await shutdown.run(report.failed ? ExitCode.Failure : ExitCode.Ok);
}

async function readClock(
  adapter: FeedAdapter,
  endpoints: FeedEndpoints,
  rest: AskedRest,
  report: Report,
): Promise<void> {
  const request = adapter.serverTimeRequest?.(endpoints);
  if (request === undefined) {
    report.add({ verdict: "ok", name: "clock", text: "the venue does not tell its own" });
    return;
  }
  try {
    const { answer, sentUs, receivedUs } = await rest.ask(request);
    const venueUs = adapter.parseServerTimeUs?.(answer.body);
    if (venueUs === undefined) throw new CommandError("the answer holds no time");
    const skewMs = ((sentUs + receivedUs) / 2 - venueUs) / 1000;
    report.add(checkClock({ skewMs, roundTripMs: (receivedUs - sentUs) / 1000 }));
  } catch (error) {
    report.add({ verdict: "warn", name: "clock", text: (error as Error).message });
  }
}

async function listInstruments(
  adapter: FeedAdapter,
  endpoints: FeedEndpoints,
  rest: AskedRest,
  report: Report,
): Promise<readonly Instrument[]> {
  const instruments: Instrument[] = [];
  for (const first of adapter.instrumentsRequests(endpoints)) {
    let next: RestRequest | undefined = first;
    for (let page = 0; next !== undefined && page < PAGES_MAX; page++) {
      const request: RestRequest = next;
      const { pathname, search } = new URL(request.url);
      const name = `list ${pathname}${search}`;
      try {
        const { answer, sentUs, receivedUs } = await rest.ask(request);
        const list = adapter.parseInstruments(answer.body, request.url);
        if (list === undefined) throw new CommandError("the answer is no list of instruments");
        instruments.push(...list.instruments);
        const tookMs = ((receivedUs - sentUs) / 1000).toFixed(0);
        const text = `${list.instruments.length} instruments, ${list.skipped} left out (${tookMs} ms)`;
        report.add({ verdict: list.instruments.length > 0 ? "ok" : "warn", name, text });
        next = adapter.nextInstrumentsRequest?.(request, answer.body);
      } catch (error) {
        report.add({ verdict: "fail", name, text: (error as Error).message });
        next = undefined;
      }
    }
  }
  return instruments;
}

function choose(listed: readonly Instrument[], venue: VenueConfig): readonly Instrument[] {
  if (venue.instruments.length === 0) return chooseInstruments(listed);
  const wanted = new Set(venue.instruments);
  return listed.filter(({ symbol, venueSymbol }) => wanted.has(symbol) || wanted.has(venueSymbol));
}

async function followStreams(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly venue: VenueConfig;
  readonly network: ReturnType<typeof openVenueNetwork>;
  readonly instruments: readonly Instrument[];
  readonly options: DoctorOptions;
  readonly report: Report;
}): Promise<void> {
  const { config, service, venue, network, instruments, options, report } = parts;
  const { clock, logger, metrics: registry, shutdown } = service;
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-doctor" });
  shutdown.add("bus", () => bus.drain());
  const watch = new DoctorWatch(bus);
  const startedUs = clock.nowUs();
  const ingest = await startIngest({
    config: { ...config.ingest, venues: [venue] },
    bus,
    clock,
    logger,
    registry,
    dialer: network.dialer,
    restClient: network.restClient,
  });
  shutdown.add("ingest", () => ingest.close());
  const adapter: FeedAdapter = VENUES[venue.id];
  const isSpotAlone = instruments.every(({ kind }) => kind === "spot");
  const channels = (venue.channels ?? adapter.channels).filter(
    (channel) => !isSpotAlone || !DERIVATIVE_CHANNELS.has(channel),
  );
  const isSettled = (): boolean =>
    channels.includes("book")
      ? instruments.every(({ symbol }) => watch.isSettled(symbol))
      : Object.keys(watch.events).length > 0;
  await waitUntil(isSettled, clock);
  await sleep(options.duration * 1000, clock);
  const measured = ingest.stats().venues[0];
  if (measured === undefined || shutdown.started) return;
  const seconds = options.duration;
  const followed = { venue: measured, watch, channels, instruments, startedUs, seconds };
  for (const check of checkStream(followed)) report.add(check);
}

/** Resolves when the condition holds, or after SYNC_MS_MAX. */
async function waitUntil(holds: () => boolean, clock: Clock): Promise<void> {
  for (let waitedMs = 0; waitedMs < SYNC_MS_MAX && !holds(); waitedMs += SYNC_CHECK_MS) {
    await sleep(SYNC_CHECK_MS, clock);
  }
}

async function sleep(milliseconds: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => clock.after(milliseconds, resolve));
}

/** REST as promises, with the times between which an answer came. */
class AskedRest {
  readonly #rest: RestClient;
  readonly #clock: Clock;

  constructor(rest: RestClient, clock: Clock) {
    this.#rest = rest;
    this.#clock = clock;
  }

  /** Rejects with CommandError for an answer that is not a 200. */
  async ask(request: RestRequest): Promise<{
    readonly answer: RestAnswer;
    readonly sentUs: number;
    readonly receivedUs: number;
  }> {
    const sentUs = this.#clock.nowUs();
    const answer = await new Promise<RestAnswer>((resolve, reject) => {
      this.#rest.get(request, resolve, (reason) => reject(new CommandError(reason)));
    });
    if (answer.status !== 200) throw new CommandError(`status ${answer.status}`);
    return { answer, sentUs, receivedUs: this.#clock.nowUs() };
  }
}

/** Prints each check when it is done, and the total at the end. */
class Report {
  readonly #json: boolean;
  readonly #counts = { ok: 0, warn: 0, fail: 0 };

  constructor(json: boolean) {
    this.#json = json;
  }

  get failed(): boolean {
    return this.#counts.fail > 0;
  }

  add(check: Check): void {
    this.#counts[check.verdict] += 1;
    const { verdict, name, text } = check;
    const line = this.#json
      ? JSON.stringify(check)
      : `${verdict.padEnd(6)}${name.padEnd(22)}${name.length > 21 ? " " : ""}${text}`;
    printLine(line);
  }

  end(): void {
    if (this.#json) return;
    const { ok, warn, fail } = this.#counts;
    printLine(`${ok} ok, ${warn} to look at, ${fail} failed`);
  }
}
