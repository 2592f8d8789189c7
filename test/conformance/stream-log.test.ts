import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JetStreamLog } from "#bus/jetstream-log.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { MemoryLog } from "#bus/memory-log.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { describeStreamLog } from "./stream-log-suite.ts";

const encoder = new TextEncoder();
const TRADES = "md.v2.binance.trades.BTC-USDT";
const SETTINGS = { storage: "file", replicas: 1, bytesMax: 1e8, ageMsMax: 3_600_000 } as const;

describeStreamLog("memory", async () => {
  const clock = new SystemClock();
  const bus = new MemoryBus({ clock });
  const limits = { bytesMax: 1e6, subjectBytesMax: 1e6, ageMsMax: 1e6 };
  const log = new MemoryLog({ bus, clock, limits });
  return {
    log,
    publish: async (subject, payloads) => {
      for (const payload of payloads) bus.publish(subject, encoder.encode(payload));
      await bus.flush();
    },
    truncate: async (entries) => {
      // An entry that is nearly all that may be kept leaves room for so many of the small ones.
      const rest = entries * (128 + 2);
      bus.publish("md.v2.binance.quotes.LARGE", new Uint8Array(1e6 - 128 - rest));
      await bus.flush();
    },
    close: async () => {
      await log.close();
      await bus.close();
    },
  };
});

describe.skipIf(requireNatsServer() === undefined)("on a real nats-server", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tickwire-jetstream-"));
  let server: NatsServer;

  beforeAll(async () => {
    server = await startNatsServer({ args: ["-js", "-sd", folder] });
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function manage<Answer>(
    work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<Answer>,
  ): Promise<Answer> {
    const connection = await connect({ servers: server.url });
    try {
      return await work(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  }

  const openLog = () => new JetStreamLog({ servers: server.url, timeoutMs: 2_000 });

  describeStreamLog("jetstream", async () => {
    const log = openLog();
    await manage(({ streams }) => streams.delete("TICKWIRE_binance").catch(() => false));
    await log.ensure("binance", SETTINGS);
    const bus = await connectNatsBus({ servers: server.url });
    let published = 0;
    return {
      log,
      publish: async (subject, payloads) => {
        for (const payload of payloads) bus.publish(subject, encoder.encode(payload));
        published += payloads.length;
        await bus.flush();
        await manage(async ({ streams }) => {
          for (;;) {
            const { state } = await streams.info("TICKWIRE_binance");
            if (state.last_seq >= published) return;
          }
        });
      },
      truncate: async (entries) => {
        await manage(({ streams }) => streams.purge("TICKWIRE_binance", { keep: entries }));
      },
      close: async () => {
        await log.close();
        await bus.close();
      },
    };
  });

  test("a stream is made once, and changed to what is wanted of it", async () => {
    const log = openLog();
    try {
      expect(await log.standingOf("kraken")).toBeUndefined();
      const made = await log.ensure("kraken", SETTINGS);
      expect(made).toMatchObject({ ...SETTINGS, name: "TICKWIRE_kraken", entries: 0 });
      expect(await log.ensure("kraken", { ...SETTINGS, bytesMax: 2e8 })).toMatchObject({
        bytesMax: 2e8,
      });
      // The storage of a stream stays what it was.
      expect(await log.ensure("kraken", { ...SETTINGS, storage: "memory" })).toMatchObject({
        storage: "file",
        bytesMax: 1e8,
      });
      expect(await log.standingOf("kraken")).toMatchObject({ bytesMax: 1e8 });
    } finally {
      await log.close();
    }
  });

  test("what is stored is there again after the server was stopped and started", async () => {
    const log = openLog();
    const bus = await connectNatsBus({ servers: server.url });
    try {
      await log.ensure("binance", SETTINGS);
      bus.publish(TRADES, encoder.encode("kept"));
      await bus.flush();
      const stored = await log.last(TRADES);
      await server.restart();
      await expect
        .poll(async () => (await log.last(TRADES).catch(() => undefined))?.place)
        .toBe(stored?.place);
    } finally {
      await bus.close();
      await log.close();
    }
  });

  test("a server that is away costs an error in bounded time, and nothing else", async () => {
    const log = new JetStreamLog({ servers: server.url, timeoutMs: 300 });
    try {
      await log.ensure("binance", SETTINGS);
      server.pause();
      let before = 0;
      // It is stopped a moment later, and may answer until then.
      const askUntilRefused = async (): Promise<never> => {
        for (;;) {
          before = performance.now();
          await log.last(TRADES);
        }
      };
      await expect(askUntilRefused()).rejects.toMatchObject({ code: "log-unavailable" });
      expect(performance.now() - before).toBeLessThan(3_000);
    } finally {
      server.resume();
      await log.close();
    }
  });

  test("a venue without a stream has no log", async () => {
    const log = new JetStreamLog({ servers: server.url, timeoutMs: 300 });
    try {
      const asked = log.last("md.v2.unknown.trades.BTC-USDT");
      await expect(asked).rejects.toMatchObject({ code: "log-unavailable" });
    } finally {
      await log.close();
    }
  });
});
