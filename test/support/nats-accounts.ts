import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNatsServer } from "./nats-server.ts";
import type { NatsServer } from "./nats-server.ts";

/** A real nats-server with JetStream and the users of infra/nats/accounts.conf. */
export type AccountsServer = Pick<NatsServer, "url" | "stop">;

/** Passwords of the users in a test. */
export const NATS_PASSWORDS = {
  gateway: "of-the-gateway",
  ingest: "of-the-ingestor",
  derive: "of-the-deriver",
  operator: "of-the-operator",
} as const;

const ACCOUNTS = join(import.meta.dirname, "..", "..", "infra", "nats", "accounts.conf");

/** Starts one, whose files are gone when it has stopped. */
export async function startAccountsServer(): Promise<AccountsServer> {
  const folder = mkdtempSync(join(tmpdir(), "tickwire-accounts-"));
  copyFileSync(ACCOUNTS, join(folder, "accounts.conf"));
  writeFileSync(join(folder, "server.conf"), 'include "accounts.conf"\n');
  const before = { ...process.env };
  for (const [user, password] of Object.entries(NATS_PASSWORDS)) {
    process.env[`TICKWIRE_NATS_${user.toUpperCase()}_PASSWORD`] = password;
  }
  try {
    const store = ["-js", "-sd", join(folder, "jetstream")];
    const server = await startNatsServer({ args: ["-c", join(folder, "server.conf"), ...store] });
    const stop = async (): Promise<void> => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { url: server.url, stop };
  } finally {
    for (const user of Object.keys(NATS_PASSWORDS)) {
      const name = `TICKWIRE_NATS_${user.toUpperCase()}_PASSWORD`;
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
