import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import { type Channel, DERIVATIVE_CHANNELS, type Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { IngestConfig, VenueConfig } from "#ingest/config.ts";
import type { FeedAdapter, FeedEndpoints, RestRequest } from "#ingest/feed/feed-adapter.ts";
import { resolveEndpoints } from "#ingest/feed/rest/resolve-endpoints.ts";
import type { RestAnswer, RestClient } from "#ingest/feed/rest/rest-client.ts";
import { fenceAdapter } from "#ingest/feed/venue-fence.ts";
import { type RunningIngest, startIngest } from "#ingest/main.ts";
import type { VenueNetwork } from "#ingest/venue/venue-ingest.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { startProgress } from "../output/progress-bar.ts";
import { statusLine } from "../output/terminal.ts";
import { CommandError } from "../process/errors.ts";
import { type Check, checkClock, checkStream, chooseInstruments } from "./doctor-checks.ts";
import { DoctorWatch } from "./doctor-watch.ts";

/** How many pages of one list of instruments are read at most. */
const PAGES_MAX = 64;

/** How long books may take to come into sync, and how often this is checked. */
const SYNC_MS_MAX = 30_000;
const SYNC_CHECK_MS = 50;

/** How often it is shown for how long the streams have been followed. */
const FOLLOW_LOOK_MS = 250;

/** Somebody waits for the answer: what an ingestor finds out in minutes is found out in seconds. */
const IMPATIENT = {
  subscriptionAnswerMsMax: 5_000,
  refusalBackoffBaseMs: 2_000,
  // What is refused for the moment is told to be so, however often.
  refusalsMax: 1_000,
  firstDataMsMax: 10_000,
  doubtMs: 5_000,
  probeIntervalMs: 500,
  probeAgainMs: 4_000,
  probeGraceMs: 2_000,
};

type ExamineOptions = {
  readonly config: IngestConfig;
  readonly venue: VenueConfig;
  readonly network: VenueNetwork;
  /** That nobody else uses. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** How long the streams are followed once the books are in sync. */
  readonly seconds: number;
  /** Called with each result, as soon as it is known. */
  readonly add: (check: Check) => void;
  /** Whoever calls ends it. */
  readonly onStarted: (ingest: RunningIngest) => void;
  /** Nobody waits for the result any more. */
  readonly isEnding: () => boolean;
};

/** The same with the venue's adapter, behind its fence, and its addresses. */
type Examined = ExamineOptions & {
  readonly adapter: FeedAdapter;
  readonly endpoints: FeedEndpoints;
  readonly rest: AskedRest;
};

/** Tries a venue out: its clock, its lists, its streams and books. Resolves when all is told. */
export async function examineVenue(options: ExamineOptions): Promise<void> {
  const { venue, network, clock, add } = options;
  const adapter = fenceAdapter(VENUES[venue.id], (where, error) => {
    const text = `what the venue answered broke ${where} of ours (${(error as Error).message})`;
    add({ verdict: "fail", name: "our reader", text: `${text}; please report it` });
  });
  const endpoints = resolveEndpoints(adapter, venue.endpoints);
  const rest = new AskedRest(network.restClient, clock);
  const examined = { ...options, adapter, endpoints, rest };
  await readClock(examined);
  const instruments = choose(await listInstruments(examined), venue);
  if (instruments.length > 0) await followStreams(examined, instruments);
  else add({ verdict: "fail", name: "instruments", text: "none of those that are wanted" });
}

async function readClock({ adapter, endpoints, rest, add }: Examined): Promise<void> {
  const request = adapter.serverTimeRequest?.(endpoints);
  if (request === undefined) {
    add({ verdict: "ok", name: "clock", text: "the venue does not tell its own" });
    return;
  }
  try {
    const { answer, sentUs, receivedUs } = await rest.ask(request);
    const venueUs = adapter.parseServerTimeUs?.(answer.body);
    if (venueUs === undefined) throw new CommandError("the answer holds no time");
    const skewMs = ((sentUs + receivedUs) / 2 - venueUs) / 1000;
    add(checkClock({ skewMs, roundTripMs: (receivedUs - sentUs) / 1000 }));
  } catch (error) {
    add({ verdict: "warn", name: "clock", text: (error as Error).message });
  }
}

async function listInstruments({
  adapter,
  endpoints,
  rest,
  add,
}: Examined): Promise<readonly Instrument[]> {
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
        add({ verdict: list.instruments.length > 0 ? "ok" : "warn", name, text });
        next = adapter.nextInstrumentsRequest?.(request, answer.body);
      } catch (error) {
        add({ verdict: "fail", name, text: (error as Error).message });
        next = undefined;
      }
    }
  }
  // Two lists of a venue may name the same instrument; an ingestor takes the first.
  const bySymbol = new Map(instruments.toReversed().map((each) => [each.symbol, each]));
  return instruments.filter((each) => bySymbol.get(each.symbol) === each);
}

function choose(listed: readonly Instrument[], venue: VenueConfig): readonly Instrument[] {
  if (venue.instruments.length === 0) return chooseInstruments(listed);
  const wanted = new Set(venue.instruments);
  return listed.filter(({ symbol, venueSymbol }) => wanted.has(symbol) || wanted.has(venueSymbol));
}

async function followStreams(
  examined: Examined,
  instruments: readonly Instrument[],
): Promise<void> {
  const { config, network, bus, clock, logger, registry, seconds, add } = examined;
  const watch = new DoctorWatch(bus);
  const startedUs = clock.nowUs();
  const venue = { ...examined.venue, instruments: instruments.map(({ symbol }) => symbol) };
  const { dialer, restClient } = network;
  const ingest = await startIngest({
    config: { ...config, venues: [venue] },
    bus,
    clock,
    logger,
    registry,
    dialer,
    restClient,
    policy: IMPATIENT,
  });
  examined.onStarted(ingest);
  const channels = channelsOf(examined, instruments);
  const isSettled = (): boolean =>
    channels.includes("book")
      ? instruments.every(({ symbol }) => watch.isSettled(symbol))
      : Object.keys(watch.events).length > 0;
  await waitUntil(isSettled, clock);
  await follow(examined);
  const measured = ingest.stats().venues[0];
  if (measured === undefined || examined.isEnding()) return;
  const followed = { venue: measured, watch, channels, instruments, startedUs, seconds };
  for (const check of checkStream(followed)) add(check);
}

/** Lets the streams run for as long as they are to be followed, and shows that it goes on. */
async function follow({ venue, seconds, clock, isEnding }: Examined): Promise<void> {
  const label = `following ${venue.id}`;
  const options = { label, unit: "seconds", total: seconds, line: statusLine(), clock } as const;
  const progress = startProgress(options);
  const startedUs = clock.monotonicUs();
  const elapsedSeconds = (): number => (clock.monotonicUs() - startedUs) / 1e6;
  while (elapsedSeconds() < seconds && !isEnding()) {
    progress.update(elapsedSeconds());
    const leftMs = (seconds - elapsedSeconds()) * 1000;
    await sleep(Math.min(FOLLOW_LOOK_MS, Math.max(0, leftMs)), clock);
  }
  progress.end();
}

function channelsOf(
  { venue, adapter }: Examined,
  instruments: readonly Instrument[],
): readonly Channel[] {
  const isSpotAlone = instruments.every(({ kind }) => kind === "spot");
  return (venue.channels ?? adapter.channels).filter(
    (channel) => !isSpotAlone || !DERIVATIVE_CHANNELS.has(channel),
  );
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
