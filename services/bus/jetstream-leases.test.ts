import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { BusError } from "./bus.ts";
import { JetStreamLeases } from "./jetstream-leases.ts";

const TIMEOUT_MS = 200;
/** Less than what the client's own requests wait by default. */
const LONGER_MS = 3_500;

describe.skipIf(requireNatsServer() === undefined)("leases of a real nats-server", () => {
  const store = mkdtempSync(join(tmpdir(), "leases-"));
  let server: NatsServer;
  let connection: NatsConnection | undefined;

  beforeAll(async () => {
    server = await startNatsServer({ args: ["-js", "-sd", store] });
  });

  afterEach(() => server.resume());

  afterAll(async () => {
    await connection?.close();
    await server.stop();
    rmSync(store, { recursive: true, force: true });
  });

  /** Leases of a connection of their own. */
  async function leases(): Promise<JetStreamLeases> {
    await connection?.close();
    connection = await connect({ servers: server.url });
    return new JetStreamLeases(connection, { replicas: 1, timeoutMs: TIMEOUT_MS });
  }

  const failure = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "answered",
      (error: unknown) => (error instanceof BusError ? error.code : String(error)),
    );

  test("are found by whoever comes next, and written by one of two", async () => {
    const first = await leases();
    const revision = await first.write("a", { holder: "one", token: 7 }, { revision: 0 });
    const next = await leases();
    expect(await next.read("a")).toEqual({ holder: "one", token: 7, revision });
    expect(await next.write("a", { holder: "two", token: 8 }, { revision: 0 })).toBe("conflict");
    expect(await next.read("b")).toBeUndefined();
  });

  test.each([{ isOpen: true }, { isOpen: false }])(
    "that nobody answers for fail in their own time, not in the client's: %j",
    async ({ isOpen }) => {
      const kept = await leases();
      if (isOpen) await kept.read("a");
      server.pause();
      const late = new Promise<string>((resolve) => {
        setTimeout(() => resolve("late"), LONGER_MS);
      });
      let outcome = "answered";
      // It is stopped a moment later.
      while (outcome === "answered") {
        outcome = await Promise.race([failure(kept.read("a")), late]);
      }
      expect(outcome).toBe("lease-unavailable");
      server.resume();
      // What still waits for an answer does not hold up the next attempt.
      while (outcome !== "answered") outcome = await failure(kept.read("a"));
    },
  );
});
