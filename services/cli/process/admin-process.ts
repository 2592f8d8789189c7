import type { Command } from "commander";
import type { TickwireConfig } from "#config/config.ts";
import type { ConfigFlag } from "#config/load-config.ts";
import type { ServiceState } from "#core/state-page.ts";
import { startAdminServer, type AdminCommand, type AdminServer } from "#runtime/admin-server.ts";
import { CommandError, describeError } from "./errors.ts";
import type { ServiceProcess } from "./service-process.ts";

/**
 * Where each process serves health, readiness and metrics unless told otherwise. They differ, so
 * that an ingestor and a gateway run on one machine as they are; `dev` and `record` take a free
 * port, so that several run side by side.
 */
export const ADMIN_PORTS = {
  ingest: 9090,
  gateway: 9091,
  dev: 0,
  replay: 9092,
  derive: 9093,
  record: 0,
} as const;

/** The option that every process with an admin server has. */
export type AdminOptions = { readonly adminPort?: string };

/** Adds `--admin-port`. */
export function addAdminOption(command: Command, service: keyof typeof ADMIN_PORTS): Command {
  return command.option(
    "--admin-port <number>",
    `port of health and metrics; 0 picks a free one (default ${ADMIN_PORTS[service]})`,
  );
}

/** The setting that the option stands for. */
export function adminFlags({ adminPort }: AdminOptions): ConfigFlag[] {
  if (adminPort === undefined) return [];
  return [{ flag: "--admin-port", key: "admin.port", value: adminPort }];
}

/** Starts the admin server of a process, to be closed by the shutdown. Throws CommandError. */
export async function runAdminServer(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly notReadyReasons: () => readonly string[];
  /** What the services that have started show of themselves. */
  readonly services: () => readonly ServiceState[];
  /** Of a gateway: what its threads have counted, behind the metrics of the process. */
  readonly metricsOfThreads?: () => Promise<string>;
  /** What operators may have the process do. */
  readonly commands?: ReadonlyMap<string, AdminCommand>;
  /** Of a gateway: whether a key or token of its clients' may see the state. */
  readonly mayAdminister?: (secret: string, remoteAddress: string) => Promise<boolean>;
}): Promise<AdminServer> {
  const { config, service, notReadyReasons, services } = parts;
  const { host } = config.admin;
  let admin: AdminServer;
  try {
    admin = await startAdminServer({
      ...config.admin,
      secret: config.admin.secret,
      mayAdminister: parts.mayAdminister,
      commands: parts.commands,
      metrics: service.metrics,
      moreMetrics: parts.metricsOfThreads,
      notReadyReasons,
      services,
      describeProcess: service.describe,
      onError: (error) => service.logger.error({ error }, "the state could not be read"),
    });
  } catch (error) {
    const setting = "set --admin-port, or admin.host and admin.port";
    const message = `health and metrics cannot be served: ${describeError(error)} (${setting})`;
    throw new CommandError(message, { cause: error });
  }
  service.shutdown.add("admin server", () => admin.close());
  service.logger.info({ host, port: admin.port }, "admin server listens");
  return admin;
}
