import { randomUUID } from "node:crypto";
import { connect, type Client } from "@tickwire/client";
import { visibleText } from "#core/visible-text.ts";
import { splitTopic } from "#core/topic.ts";
import type { Compression } from "#recording/format/compression.ts";
import { RecordingWriter, type RecordingProgress } from "#recording/writing/recording-writer.ts";
import { openRecordingFolder } from "#recording/writing/recording-folder.ts";
import { RecordingError, writeError } from "#recording/recording-error.ts";
import { ExitCode } from "#runtime/shutdown.ts";
import { ADMIN_PORTS, adminFlags, runAdminServer } from "../process/admin-process.ts";
import type { AdminOptions } from "../process/admin-process.ts";
import { loadCommandConfig, type ConfigOptions } from "../process/config-options.ts";
import { CommandError, describeError } from "../process/errors.ts";
import { webSocketAddress } from "../process/gateway-address.ts";
import { gatewaySecret } from "../process/gateway-secret.ts";
import { openBus } from "../process/open-bus.ts";
import { programVersion } from "../process/program-version.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { bytesText } from "../output/bytes-text.ts";
import { ProgressLine } from "../output/progress-line.ts";
import { complain, printLine, remark } from "../output/terminal.ts";
import { registerRecordingMetrics } from "./recording-metrics.ts";
import { runOwnGateway } from "./own-gateway.ts";
import { RecordedTopics } from "./recorded-topics.ts";

/** What is recorded, from where, and how it is kept. */
export type TopicRecordOptions = ConfigOptions &
  AdminOptions & {
    readonly out: string;
    readonly duration?: number;
    readonly url: string;
    readonly tokenFile?: string;
    readonly bus?: boolean;
    readonly compress: Compression;
    readonly fileSize: number;
    readonly fileTime: number;
    readonly keepSize?: number;
    readonly keepTime?: number;
    readonly flush: number;
    readonly json?: boolean;
  };

/** Beyond so much that the disk has not taken, events are left out. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const PROGRESS_MS = 1_000;

/** Records topics into a folder of files until it is told to end. */
export async function recordTopics(
  topics: readonly string[],
  options: TopicRecordOptions,
): Promise<void> {
  const config = loadCommandConfig(options, {
    defaults: { log: { level: "warn" }, admin: { port: ADMIN_PORTS.record } },
    flags: adminFlags(options),
  });
  const service = createServiceProcess("record", config);
  const { shutdown, clock } = service;
  let writing: RecordingWriter | undefined;
  await runAdminServer({
    config,
    service,
    notReadyReasons: () => notReadyReasons(writing),
    services: () => [],
  });
  let url = options.url;
  if (options.bus === true) {
    const bus = await openBus({ ...service, config: config.bus, name: "tickwire-record" });
    shutdown.add("bus", () => bus.drain());
    url = await runOwnGateway(bus, service);
  }
  const client = await connectTo(url, options);
  shutdown.add("client", () => client.close());
  const writer = await openWriter(options, service, url);
  writing = writer;
  registerRecordingMetrics(service.metrics, () => writer.progress);
  const recorded = new RecordedTopics(client, writer);
  const line = new ProgressLine(process.stderr, () => clock.monotonicUs() / 1_000);
  const end = (code: ExitCode): void => {
    // Failures of steps are logged and become the exit code.
    void shutdown.run(code);
  };
  await learn(topics, recorded);
  const subscription = client.subscribe(topics, (event) => recorded.take(event), {
    onError: (error) => {
      complain(`${error.code}: ${error.message}`);
      end(ExitCode.Failure);
    },
    onRefused: ({ topic, code, message }) => complain(`${topic} ${code}: ${message}`),
  });
  shutdown.add("recording", async () => {
    subscription.close();
    recorded.close();
    await writer.close();
    line.end();
    remark(`recorded ${summaryOf(writer.progress)}`);
  });
  client.onState((state, { error }) => {
    if (error === undefined || shutdown.started) return;
    complain(`${state}: ${describeError(error)}`);
    if (state === "closed") end(ExitCode.Failure);
  });
  remark(`recording into ${visibleText(options.out)}; Ctrl-C ends it`);
  if (options.json !== true) showProgress(writer, line, service);
  if (options.duration !== undefined) {
    clock.after(options.duration * 1_000, () => end(exitCodeOf(writer.progress)));
  }
}

/** Why nothing is recorded now. */
function notReadyReasons(writer: RecordingWriter | undefined): string[] {
  if (writer === undefined) return ["starting"];
  const { failure } = writer.progress;
  return failure === undefined ? [] : [failure.code];
}

async function connectTo(url: string, { tokenFile }: TopicRecordOptions): Promise<Client> {
  const secret = (): string => gatewaySecret(tokenFile, process.env) ?? "";
  const token = secret() === "" ? undefined : secret;
  try {
    return await connect(webSocketAddress(url), { clientName: "tickwire-record", token });
  } catch (error) {
    throw new CommandError(`no gateway at ${url}: ${describeError(error)}`, { cause: error });
  }
}

async function openWriter(
  options: TopicRecordOptions,
  { clock }: ServiceProcess,
  url: string,
): Promise<RecordingWriter> {
  const { out, compress, fileSize, fileTime, keepSize, keepTime, flush, json } = options;
  const program = `tickwire ${programVersion()}`;
  const source = options.bus === true ? "bus" : webSocketAddress(url);
  try {
    return await RecordingWriter.open({
      run: { id: randomUUID(), startedTimeUs: clock.nowUs(), program, source },
      folder: await openRecordingFolder(out),
      clock,
      schedule: (callback) => setImmediate(callback),
      limits: {
        compression: compress,
        fileBytesMax: fileSize,
        fileMsMax: fileTime * 1_000,
        keptBytesMax: keepSize ?? Infinity,
        keptMsMax: keepTime === undefined ? Infinity : keepTime * 1_000,
        flushIntervalMs: flush * 1_000,
        waitingBytesMax: WAITING_BYTES_MAX,
      },
      onFailure: (failure) => {
        if (failure === undefined) complain("the recording goes on in a new file");
        else complain(`${failure.code}: ${failure.message}; trying again`);
      },
      ...(json === true ? { onFlushed: printFlush } : {}),
    });
  } catch (error) {
    const failure = error instanceof RecordingError ? error : writeError(error);
    throw new CommandError(`${failure.code}: ${failure.message}`, { cause: error });
  }
}

function printFlush(progress: RecordingProgress): void {
  const { failure, ...numbers } = progress;
  printLine(JSON.stringify({ flushed: true, ...numbers, failure: failure?.code }));
}

/** What is known of a venue's instruments is better known before their events come. */
async function learn(topics: readonly string[], recorded: RecordedTopics): Promise<void> {
  const venues = new Set(topics.map((topic) => splitTopic(topic)?.venue ?? "*"));
  for (const venue of venues.has("*") ? ["*"] : venues) {
    // Without the list, each instrument is asked for when it comes.
    await recorded.learn(venue).catch(() => undefined);
  }
}

function showProgress(writer: RecordingWriter, line: ProgressLine, service: ServiceProcess): void {
  const { clock, shutdown } = service;
  const show = (): void => {
    if (shutdown.started) return;
    line.show(`recorded ${summaryOf(writer.progress)}`);
    clock.after(PROGRESS_MS, show);
  };
  show();
}

function countOf(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

function summaryOf(progress: RecordingProgress): string {
  const { events, topics, storedEvents, storedBytes, lostEvents, gaps, removedFiles } = progress;
  const parts = [
    `${countOf(events, "event")} of ${countOf(topics, "topic")}`,
    `${bytesText(storedBytes)} in ${countOf(progress.files, "file")}`,
    ...(storedEvents < events - lostEvents
      ? [`${events - lostEvents - storedEvents} waiting`]
      : []),
    ...(gaps > 0 ? [`${gaps} gaps`] : []),
    ...(lostEvents > 0 ? [`${lostEvents} events lost`] : []),
    ...(removedFiles > 0 ? [`${removedFiles} old files removed`] : []),
  ];
  return parts.join(", ");
}

/** A recording that lacks events that came exits with an error. */
function exitCodeOf({ lostEvents }: RecordingProgress): ExitCode {
  return lostEvents > 0 ? ExitCode.Failure : ExitCode.Ok;
}
