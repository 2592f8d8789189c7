import { complain, printLine, remark } from "../output/terminal.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { loadCommandConfig, type ConfigOptions } from "../process/config-options.ts";
import { openCaptureWithProgress, scanCapture } from "../process/capture-input.ts";
import { UsageError } from "../process/errors.ts";
import { awaitFirstSubscription } from "../process/first-subscription.ts";
import { openBus } from "../process/open-bus.ts";
import { damageIn, formatSummary } from "../output/replay-summary.ts";
import { createServiceProcess } from "../process/service-process.ts";

type ReplayCaptureOptions = ConfigOptions & {
  readonly bus: "nats" | "memory";
  readonly speed: number | "max";
  readonly venue?: string;
  readonly startOnSubscribe?: boolean;
  readonly json?: boolean;
};

/** Plays a capture onto a bus as if it were live, prints a summary and ends. */
export async function replayCaptureFile(
  path: string,
  options: ReplayCaptureOptions,
): Promise<void> {
  if (path === "-" && options.startOnSubscribe === true) {
    throw new UsageError("--start-on-subscribe takes a file: it is read twice");
  }
  const clock = new SystemClock();
  const source = openCaptureWithProgress(path, { label: `replaying ${path}`, clock });
  const flags = [{ flag: "--bus", key: "bus.kind", value: options.bus }];
  const config = loadCommandConfig(options, { flags });
  const service = createServiceProcess("replay", config);
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-replay" });
  service.shutdown.add("bus", () => bus.drain());
  const first =
    options.startOnSubscribe === true ? awaitFirstSubscription(bus, service.clock) : undefined;
  const summary = await replayCapture({
    ...(options.venue === undefined ? {} : { venue: options.venue }),
    ...(first === undefined
      ? {}
      : {
          startAfter: first.arrived,
          contents: await scanCapture(path, {
            clock: service.clock,
            ...(options.venue === undefined ? {} : { venue: options.venue }),
          }),
        }),
    source,
    speed: options.speed,
    clock: service.clock,
    bus,
    logger: service.logger,
  });
  if (options.json === true) printLine(JSON.stringify(summary));
  else remark(formatSummary(summary));
  const damage = damageIn(summary);
  if (damage !== undefined) complain(damage);
  await service.shutdown.run(damage === undefined ? ExitCode.Ok : ExitCode.Failure);
}
