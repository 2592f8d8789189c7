import { complain, remark } from "../output/terminal.ts";
import { visibleText } from "#core/visible-text.ts";
import type { Bus } from "#bus/bus.ts";
import type { VenueConfig } from "#ingest/config.ts";
import { createCaptureFile, type CaptureFile } from "#ingest/capture/capture-file.ts";
import { CaptureRecorder } from "#ingest/capture/capture-recorder.ts";
import { startIngest } from "#ingest/main.ts";
import type { TickwireConfig } from "#config/config.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { loadCommandConfig, type ConfigOptions } from "../process/config-options.ts";
import { CommandError, describeError, UsageError } from "../process/errors.ts";
import { openBus } from "../process/open-bus.ts";
import { programVersion } from "../process/program-version.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { openVenueNetwork } from "#ingest/venue-network.ts";
import { venueFlags } from "../process/venue-options.ts";

/** How often the recording is checked for a disk that failed. */
const FILE_CHECK_MS = 500;
/** What a kill can cost. */
const FLUSH_MS = 1_000;

/** What is recorded, and where to. */
type RawRecordOptions = ConfigOptions & { readonly out: string; readonly duration?: number };

/** Writes what passes between a venue (`ID` or `ID:SYMBOL,SYMBOL`) and us into a capture. */
export async function recordRaw(venue: string, options: RawRecordOptions): Promise<void> {
  const config = loadCommandConfig(options, {
    defaults: { bus: { kind: "memory" }, log: { level: "warn" } },
    flags: venueFlags([venue]),
  });
  if (config.bus.kind !== "memory") {
    throw new UsageError("record --raw publishes nothing; leave bus.kind");
  }
  await record(config, options);
}

async function record(config: TickwireConfig, options: RawRecordOptions): Promise<void> {
  const service = createServiceProcess("record", config);
  const { clock, shutdown } = service;
  const venue = config.ingest.venues[0];
  if (venue === undefined) throw new UsageError("no venue is configured");
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-record" });
  shutdown.add("bus", () => bus.drain());
  const file = createCaptureFile(options.out);
  await file.opened.catch((error: unknown) => {
    throw new CommandError(`cannot write: ${describeError(error)}`);
  });
  // Added before the ingestor, so that it is closed after the last line.
  shutdown.add("capture file", () => file.close());
  const recorder = await startRecording({ config, service, bus, venue, file });
  watchFile(file, service);
  flushRegularly(file, service);
  if (options.duration !== undefined) {
    clock.after(options.duration * 1000, () => void shutdown.run(exitCodeOf(recorder)));
  }
  remark(`recording ${venue.id} into ${visibleText(options.out)}; Ctrl-C ends it`);
}

async function startRecording(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
  readonly venue: VenueConfig;
  readonly file: CaptureFile;
}): Promise<CaptureRecorder> {
  const { config, service, bus, venue, file } = parts;
  const { clock, logger, metrics: registry, shutdown } = service;
  const network = openVenueNetwork(venue, clock);
  const recorder = new CaptureRecorder({
    venue: venue.id,
    source: `tickwire ${programVersion()}`,
    dialer: network.dialer,
    restClient: network.restClient,
    clock,
    writer: file,
  });
  shutdown.add("network", () => network.close());
  const ingest = await startIngest({
    config: config.ingest,
    bus,
    clock,
    logger,
    registry,
    dialer: recorder,
    restClient: recorder,
  });
  shutdown.add("ingest", async () => {
    await ingest.close();
    if (recorder.linesLost > 0) {
      complain(`${recorder.linesLost} lines were lost: the disk is too slow`);
    }
  });
  return recorder;
}

/** A recording that lost lines exits with an error. */
function exitCodeOf(recorder: CaptureRecorder): ExitCode {
  return recorder.linesLost > 0 ? ExitCode.Failure : ExitCode.Ok;
}

function flushRegularly(file: CaptureFile, service: ServiceProcess): void {
  const { clock, shutdown } = service;
  clock.after(FLUSH_MS, () => {
    if (shutdown.started) return;
    file.flush();
    flushRegularly(file, service);
  });
}

/** Ends the process when the file cannot be written any more. */
function watchFile(file: CaptureFile, { clock, shutdown }: ServiceProcess): void {
  const check = (): void => {
    if (shutdown.started) return;
    if (file.failure === undefined) {
      clock.after(FILE_CHECK_MS, check);
      return;
    }
    complain(`cannot write: ${describeError(file.failure)}`);
    void shutdown.run(ExitCode.Failure);
  };
  clock.after(FILE_CHECK_MS, check);
}
