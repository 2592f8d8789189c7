import type { ServiceState } from "#core/state-page.ts";
import { formatTime } from "../output/event-text.ts";
import { progressBar, ProgressLine } from "../output/progress-line.ts";
import { complain, printLine, remark } from "../output/terminal.ts";
import type { AdminOptions } from "../process/admin-process.ts";
import { ADMIN_PORTS, adminFlags, runAdminServer } from "../process/admin-process.ts";
import { loadCommandConfig, type ConfigOptions } from "../process/config-options.ts";
import { openBus } from "../process/open-bus.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import type { AdminCommand } from "#runtime/admin-server.ts";
import type { ReplayPlayer } from "#recording/replay/replay-player.ts";
import { prepareRecording, type PlayedRecording, type PlayOptions } from "./play-recording.ts";
import { damageOf } from "./recording-files.ts";
import { registerReplayMetrics } from "./recording-metrics.ts";
import { replayCommand } from "./replay-control.ts";
import { pressKey, REPLAY_KEYS } from "./replay-keys.ts";

/** What `tickwire replay` takes for a recording. */
type ReplayRecordingOptions = ConfigOptions &
  AdminOptions &
  PlayOptions & {
    readonly bus: "nats" | "memory";
    readonly stay?: boolean;
    readonly json?: boolean;
  };

const PROGRESS_MS = 200;

/** Plays a recording onto a bus, where gateways serve it as venues, until it ends. */
export async function replayRecording(
  path: string,
  options: ReplayRecordingOptions,
): Promise<void> {
  const config = loadCommandConfig(options, {
    defaults: { admin: { port: ADMIN_PORTS.replay } },
    flags: [{ flag: "--bus", key: "bus.kind", value: options.bus }, ...adminFlags(options)],
  });
  const service = createServiceProcess("replay", config);
  const commands = new Map<string, AdminCommand>();
  const notReadyReasons = () => (commands.size === 0 ? ["starting"] : []);
  const services = (): readonly ServiceState[] => [];
  await runAdminServer({ config, service, notReadyReasons, services, commands });
  const bus = await openBus({ ...service, config: config.bus, name: "tickwire-replay" });
  service.shutdown.add("bus", () => bus.drain());
  const played = await prepareRecording(path, bus, service, options);
  const { player, venues } = played.replay;
  commands.set("replay", replayCommand(player));
  registerReplayMetrics(service.metrics, () => player.status);
  remark(`replaying ${venues.map(({ venue }) => venue).join(", ")}`);
  const line = new ProgressLine(process.stderr, () => service.clock.monotonicUs() / 1_000);
  takeKeys(player, service);
  showProgress(player, line, service);
  await played.replay.run({ stay: options.stay === true });
  line.end();
  if (options.json === true) printLine(JSON.stringify(summaryOf(played)));
  await service.shutdown.run(tellEnd(played));
}

/** What was played, for programs. */
function summaryOf({ replay, recording }: PlayedRecording): object {
  const { played, rounds } = replay.player.status;
  return {
    venues: replay.venues.map(({ venue, events, unreadableBatches }) => ({
      venue,
      events,
      unreadableBatches,
    })),
    batches: played,
    rounds: rounds + 1,
    ...recording.damage,
  };
}

/** Says what was played; a recording that is damaged in the middle is a failure. */
export function tellEnd({ replay, recording }: PlayedRecording): ExitCode {
  const { played, rounds } = replay.player.status;
  const events = replay.venues.reduce((sum, venue) => sum + venue.events, 0);
  const unreadable = replay.venues.reduce((sum, venue) => sum + venue.unreadableBatches, 0);
  const times = rounds > 0 ? `, ${rounds + 1} rounds` : "";
  remark(`replay finished: ${events} events in ${played} batches${times}`);
  const damage = damageOf(recording);
  if (damage !== undefined) complain(damage);
  if (unreadable > 0) complain(`${unreadable} batches could not be read`);
  const isWhole = recording.damage.damagedBytes === 0 && unreadable === 0;
  return isWhole ? ExitCode.Ok : ExitCode.Failure;
}

function takeKeys(player: ReplayPlayer, { shutdown }: ServiceProcess): void {
  const { stdin } = process;
  if (!stdin.isTTY) return;
  remark(REPLAY_KEYS);
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on("data", (data: Buffer) => {
    // Failures of steps are logged and become the exit code.
    if (pressKey(player, data.toString("latin1"))) void shutdown.run();
  });
  shutdown.add("keys", () => {
    stdin.setRawMode(false);
    stdin.pause();
  });
}

function showProgress(player: ReplayPlayer, line: ProgressLine, service: ServiceProcess): void {
  const { clock, shutdown } = service;
  const show = (): void => {
    if (shutdown.started || player.status.state === "closed") return;
    line.show(describe(player));
    clock.after(PROGRESS_MS, show);
  };
  show();
}

function describe(player: ReplayPlayer): string {
  const { state, positionTimeUs, fromTimeUs, toTimeUs, speed, loop } = player.status;
  const share = (positionTimeUs - fromTimeUs) / Math.max(1, toTimeUs - fromTimeUs);
  const pace = speed === "max" ? "max" : `${speed}x`;
  const time = formatTime(positionTimeUs).slice(0, 23);
  return `${progressBar(share)} ${time} ${state} ${pace}${loop ? " loop" : ""}`;
}
