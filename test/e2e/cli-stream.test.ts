import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { makeCapture, makeSimulatedCapture } from "./cli-capture.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { UWS_IS_EXPECTED } from "#test/support/transports.ts";
import { killAll, runCli, startCli, type CliProcess } from "./cli-process.ts";

type Event = Readonly<Record<string, unknown>>;

let folder = "";
let servers: NatsServer[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-stream-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await killAll();
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

const eventsOf = (stdout: string): Event[] =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);

/** Starts `dev` on a free port and resolves when it has printed all that it prints. */
async function startDev(args: readonly string[] = []): Promise<{ cli: CliProcess; url: string }> {
  const port = await findFreePort();
  const cli = startCli(["dev", "--port", String(port), ...args]);
  await cli.waitFor("stdout", /Ctrl-C ends it\n/);
  return { cli, url: `ws://127.0.0.1:${port}` };
}

/**
 * Events of one kind must be what normalize printed, one for one; only the epoch is the
 * publisher's.
 */
function expectSameStreams(actual: readonly Event[], expected: readonly Event[]): void {
  const streams = (events: readonly Event[]): Map<string, string[]> => {
    const byTopic = new Map<string, string[]>();
    for (const { epoch: _epoch, ...event } of events) {
      const topic = `${String(event["symbol"])}/${String(event["type"])}`;
      const lines = byTopic.get(topic) ?? [];
      if (lines.length === 0) byTopic.set(topic, lines);
      lines.push(JSON.stringify(event));
    }
    return byTopic;
  };
  const [left, right] = [streams(actual), streams(expected)];
  expect([...left.keys()].toSorted()).toEqual([...right.keys()].toSorted());
  for (const [topic, lines] of right) {
    const got = left.get(topic) ?? [];
    const different = lines.findIndex((line, index) => line !== got[index]);
    // One event is shown where they differ, not a hundred thousand.
    expect({ topic, count: got.length, first: got[different] }).toEqual({
      topic,
      count: lines.length,
      first: lines[different],
    });
  }
}

/** A capture to replay, and how fast: the real one if it is there, else one of the same shape. */
function chooseCapture(): { path: string; speed: string } {
  const real = capturePath("binance-usdm-btcusdt-345s");
  if (real !== undefined) return { path: real, speed: "60" };
  const path = join(folder, "made.ndjson");
  writeFileSync(path, makeCapture({ frames: 8000, intervalUs: 1000 }));
  return { path, speed: "4" };
}

describe("dev on the simulated venue", () => {
  test("says what to try next, and what it says works", async () => {
    const { cli, url } = await startDev();
    const lines = cli.stdout();
    for (const word of ["npx tickwire subscribe", "npx tickwire call", "curl ", "/metrics"]) {
      expect(lines).toContain(word);
    }
    const topic = /subscribe '(simulated:\S+\/trades)' /.exec(lines)?.[1] ?? "";
    const [text, json] = await Promise.all([
      runCli(["subscribe", topic, "--url", url, "--count", "5"]),
      runCli(["subscribe", "simulated:*/quotes", "--url", url, "--json", "--count", "5"]),
    ]);
    expect(text.status).toBe(0);
    expect(text.stdout.trimEnd().split("\n")).toHaveLength(5);
    expect(text.stdout).toMatch(/^\d{4}-.*Z simulated:\S+ trade (buyer|seller) \S+ @ \S+/);
    expect(json.status).toBe(0);
    expect(eventsOf(json.stdout).map(({ type }) => type)).toEqual(Array(5).fill("quote"));
    const admin = /curl -s (http:\S+)\/metrics/.exec(lines)?.[1] ?? "";
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toContain("tickwire_build_info");
    expect(metrics).toContain("tickwire_gateway_connections");
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    expect((await fetch(`${url.replace("ws:", "http:")}/metrics`)).status).toBe(404);
  });

  test("calls answer as JSON, and refusals are one line with their code", async () => {
    const { url } = await startDev();
    const http = url.replace("ws:", "http:");
    const call = (method: string, request: string) =>
      runCli(["call", method, request, "--url", http]);
    const [good, bad, refused] = await Promise.all([
      call("ListInstruments", '{"venue":"simulated"}'),
      call("GetInstrument", '{"venue":"simulated","symbol":"NONE"}'),
      runCli(["subscribe", "simulated:NONE/trades", "--url", url]),
    ]);
    expect(good.status).toBe(0);
    const answer = JSON.parse(good.stdout) as { instruments: { venue: string }[] };
    expect(answer.instruments.length).toBeGreaterThan(0);
    const socket = await runCli(["call", "ListInstruments", '{"venue":"simulated"}', "--url", url]);
    expect(JSON.parse(socket.stdout)).toEqual(answer);
    expect({ status: bad.status, stdout: bad.stdout }).toEqual({ status: 1, stdout: "" });
    expect(bad.stderr).toMatch(/^tickwire: not-found: .+\n$/);
    expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 1, stdout: "" });
    const notThere = [
      "call",
      "GetInstrument",
      '{"venue":"simulated","symbol":"NONE"}',
      "--url",
      url,
    ];
    expect(await runCli(notThere)).toEqual({ status: 1, stdout: "", stderr: bad.stderr });
    // Its answers stream, so it goes over the socket from either address.
    for (const address of [url, http]) {
      const { status, stderr } = await runCli(["call", "Replay", "--url", address]);
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^tickwire: invalid-argument: .+\n$/),
      ]);
    }
    expect(refused.stderr).toMatch(/^tickwire: topic-unknown-symbol: .+\n$/);
  });

  test("a book is cut to a depth and sent at an interval", async () => {
    const { url } = await startDev();
    const ask = (...options: string[]) =>
      runCli(["subscribe", "simulated:BTC-USD/book", "--count", "3", "--url", url, ...options]);
    const [cut, long] = await Promise.all([
      ask("--depth", "4", "--interval", "100", "--json"),
      ask("--interval", "10001"),
    ]);
    expect([cut.status, cut.stderr]).toEqual([0, ""]);
    const [whole, ...changes] = cut.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { snapshot: boolean; bids: unknown[]; asks: unknown[] });
    expect([whole?.snapshot, whole?.bids.length, whole?.asks.length]).toEqual([true, 5, 5]);
    // What leaves the five levels is told as well as what enters them.
    for (const { bids, asks } of changes) expect(bids.length + asks.length).toBeLessThanOrEqual(20);
    expect([long.status, long.stderr]).toEqual([
      2,
      expect.stringMatching(/--interval 10001 is more than 10000/),
    ]);
  });

  test("streams find a gateway below its path prefix, and say which path was tried", async () => {
    const { url } = await startDev(["--set", "gateway.pathPrefix=/md"]);
    const ask = (address: string) =>
      runCli(["subscribe", "simulated:BTC-USD/trades", "--count", "1", "--url", address]);
    const [below, beside] = await Promise.all([
      ask(`${url.replace("ws:", "http:")}/md`),
      ask(`${url}/elsewhere`),
    ]);
    expect(below.status).toBe(0);
    expect(below.stdout.split("\n")).toHaveLength(2);
    expect(beside.stderr).toMatch(
      /^tickwire: connect-failed: .*answered 404 at the path \/elsewhere\/v1\/ws: .*it is at \/md\/v1\/ws/,
    );
  });

  test("calls find a gateway below its path prefix, and one line says what else was tried", async () => {
    const { url } = await startDev(["--set", "gateway.pathPrefix=/md"]);
    const http = url.replace("ws:", "http:");
    const ask = (address: string) => runCli(["call", "GetServerTime", "--url", address]);
    const [below, socket, beside, secure] = await Promise.all([
      ask(`${http}/md`),
      ask(`${url}/md/v1/ws`),
      ask(http),
      ask(url.replace("ws:", "wss:")),
    ]);
    for (const { status, stdout } of [below, socket]) {
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toHaveProperty("serverTimeUs");
    }
    expect(beside.stderr).toMatch(/^tickwire: not-found: .* serves what is below \/md\n$/);
    expect(secure.stderr).toMatch(/^tickwire: connect-failed: .* does not speak TLS there; .*\n$/);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends it, and its subscribers, cleanly",
    async (signal) => {
      const { cli, url } = await startDev();
      const subscriber = startCli(["subscribe", "simulated:*/trades", "--url", url, "--json"]);
      await subscriber.waitFor("stdout", /\n/);
      expect((await subscriber.stop(signal)).status).toBe(0);
      const { status, stderr } = await cli.stop(signal);
      expect(status).toBe(0);
      // Where the native module cannot load, the gateway says so once, and nothing else.
      expect(stderr).toMatch(UWS_IS_EXPECTED ? /^$/ : /^\{.*serving on ws and node:http"\}\n$/);
    },
  );

  test("a recording of it normalizes", async () => {
    const out = join(folder, "simulated.ndjson.gz");
    const args = ["record", "--raw", "simulated", "--out", out, "--duration", "2"];
    const recorded = await runCli(args);
    expect(recorded.status).toBe(0);
    const { status, stdout, stderr } = await runCli(["normalize", out]);
    expect(status).toBe(0);
    expect(new Set(eventsOf(stdout).map(({ type }) => type))).toContain("trade");
    expect(stderr).toMatch(/^gaps: +0$/m);
    expect(stderr).toMatch(/^rejected: +0$/m);
  });
});

/** A real capture takes its time on a busy machine. */
const REPLAY_MS_MAX = 180_000;

describe(
  "a replay gives a subscriber every event once, in order",
  { timeout: REPLAY_MS_MAX },
  () => {
    test("within one process", async () => {
      const { path, speed } = chooseCapture();
      const expected = eventsOf((await runCli(["normalize", path])).stdout);
      const { cli, url } = await startDev(["--replay", path, "--speed", speed]);
      expect(cli.stdout()).toContain("the replay starts when the first subscriber is there");
      const count = String(expected.length);
      const { status, stdout } = await runCli([
        "subscribe",
        "--url",
        url,
        "*:*/*",
        "--json",
        "--count",
        count,
      ]);
      expect(status).toBe(0);
      expectSameStreams(eventsOf(stdout), expected);
      await cli.waitFor("stderr", /replay finished\n[^]*speed: .+\n/);
      expect((await fetch(url.replace("ws:", "http:"))).status).toBe(200);
    });

    test("of several captures, played side by side", async () => {
      const paths = [join(folder, "first.ndjson"), join(folder, "second.ndjson")] as const;
      writeFileSync(paths[0], makeCapture({ frames: 40, intervalUs: 1000 }));
      writeFileSync(paths[1], makeSimulatedCapture(20));
      const all = await Promise.all(paths.map((path) => runCli(["normalize", path])));
      const expected = all.flatMap(({ stdout }) => eventsOf(stdout));
      const replays = paths.flatMap((path) => ["--replay", path]);
      const { cli, url } = await startDev([...replays, "--exit-when-done"]);
      expect(cli.stdout()).toContain(
        "replays binance (2 instruments), simulated (1 instrument) on",
      );
      const count = String(expected.length);
      const subscription = ["subscribe", "*:*/*", "--url", url, "--json", "--count", count];
      const { status, stdout } = await runCli(subscription);
      expect(status).toBe(0);
      expectSameStreams(eventsOf(stdout), expected);
      await cli.waitFor("stderr", /replay finished\n[^]*replay finished\n[^]*speed: .+\n/);
      expect(await cli.ended).toMatchObject({ status: 0 });
    });

    test("but not of two captures of one venue", async () => {
      const path = join(folder, "twice.ndjson");
      writeFileSync(path, makeCapture({ frames: 4, intervalUs: 1000 }));
      const args = ["dev", "--port", "0", "--admin-port", "0", "--replay", path, "--replay", path];
      const { status, stderr } = await runCli(args);
      expect(stderr).toContain("are both of binance; --replay plays one of a venue");
      expect(status).toBe(2);
    });

    test("with ingest and gateway as processes of their own over NATS", async () => {
      if (requireNatsServer() === undefined) return;
      const nats = await startNatsServer();
      servers.push(nats);
      const { path, speed } = chooseCapture();
      const expected = eventsOf((await runCli(["normalize", path])).stdout);
      const environment = { TICKWIRE_BUS__NATS__SERVERS: nats.url };
      const port = await findFreePort();
      const gatewayArgs = ["gateway", "--port", String(port), "--admin-port", "0", "--json"];
      const gateway = startCli(gatewayArgs, { environment });
      const served = await whereItListens(gateway);
      expect(served.url).toBe(`http://127.0.0.1:${port}/`);
      const args = ["ingest", "--replay", path, "--speed", speed, "--admin-port", "0", "--json"];
      const ingest = startCli(args, { environment });
      const { adminUrl, venues } = await whereItListens(ingest);
      expect(venues).toHaveLength(1);
      await untilReady(adminUrl);
      await untilReady(served.adminUrl);
      const { status, stdout } = await runCli([
        "subscribe",
        "--url",
        `ws://127.0.0.1:${port}`,
        "*:*/*",
        "--json",
        "--count",
        String(expected.length),
      ]);
      expect(status).toBe(0);
      expectSameStreams(eventsOf(stdout), expected);
      const metrics = await (await fetch(`${adminUrl}metrics`)).text();
      expect(metrics).toContain("tickwire_build_info");
      expect((await ingest.stop()).status).toBe(0);
      expect((await gateway.stop()).status).toBe(0);
    });

    test("whatever was called, or refused, before it subscribed", async () => {
      const path = join(folder, "called.ndjson");
      writeFileSync(path, makeCapture({ frames: 400, intervalUs: 1000 }));
      const expected = eventsOf((await runCli(["normalize", path])).stdout);
      const { url } = await startDev(["--replay", path, "--speed", "max"]);
      const request = '{"venue":"binance","symbol":"MOON-USDT"}';
      for (const method of ["GetSnapshot", "GetTrades", "GetStatus", "ListInstruments"]) {
        const { status } = await runCli([
          "call",
          method,
          method.startsWith("G") ? request : "{}",
          "--url",
          url,
        ]);
        expect(status).toBe(0);
      }
      expect((await runCli(["subscribe", "binance:NONE/trades", "--url", url])).status).toBe(1);
      const topics = [
        "binance:MOON-USDT/*",
        "*:SUN-USDT/trades",
        "binance:SUN-USDT/quotes",
        "*:SUN-USDT/status",
      ];
      const count = String(expected.length);
      const { status, stdout } = await runCli([
        "subscribe",
        "--url",
        url,
        ...topics,
        "--json",
        "--count",
        count,
      ]);
      expect(status).toBe(0);
      expectSameStreams(eventsOf(stdout), expected);
    });

    test("and --exit-when-done ends with it", async () => {
      const path = join(folder, "short.ndjson");
      writeFileSync(path, makeCapture({ frames: 40, intervalUs: 1000 }));
      const port = String(await findFreePort());
      const args = [
        "--replay",
        path,
        "--speed",
        "max",
        "--no-start-on-subscribe",
        "--exit-when-done",
      ];
      const { status, stderr } = await runCli(["dev", "--port", port, ...args]);
      expect(status).toBe(0);
      expect(stderr).toMatch(/replay finished\n[^]*frames: +40\n/);
    });
  },
);

test("replay plays onto a bus and ends with a summary", async () => {
  const capture = makeCapture({ frames: 400, intervalUs: 1000 });
  const { status, stderr } = await runCli(["replay", "-", "--bus", "memory", "--speed", "max"], {
    input: capture,
  });
  expect(status).toBe(0);
  expect(stderr).toMatch(/^events: +404 \(/m);
});

test("replay --json says what was played", async () => {
  const args = ["replay", "-", "--bus", "memory", "--speed", "max", "--json"];
  const capture = makeCapture({ frames: 400, intervalUs: 1000 });
  const { status, stdout } = await runCli(args, { input: capture });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ frames: 400, damagedLines: 0, gaps: 0 });
});

/** What a service says with `--json`. */
async function whereItListens(service: CliProcess) {
  const [line] = await service.waitFor("stdout", /^\{.*\}$/m);
  return JSON.parse(line) as {
    readonly url?: string;
    readonly adminUrl: string;
    readonly venues?: readonly string[];
  };
}

/** Asks until the process is ready; the number of questions is bounded. */
async function untilReady(base: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if ((await fetch(`${base}readyz`)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${base} is not ready`);
}
