import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "#test/support/free-port.ts";
import { killAll, runCli, startCli } from "./cli-process.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import { makeCapture } from "./cli-capture.ts";

const COMMANDS = [
  "dev",
  "ingest",
  "gateway",
  "subscribe",
  "call",
  "record",
  "replay",
  "convert",
  "normalize",
  "decode",
  "venues",
  "doctor",
] as const;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(killAll);

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("help", () => {
  test("lists every command and the exit codes", async () => {
    const { status, stdout } = await runCli(["--help"]);
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    expect(stdout).toContain("Exit codes: 0 ");
  });

  test.each(COMMANDS)("of %s has a description and examples", async (command) => {
    const { status, stdout, stderr } = await runCli([command, "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(`Usage: tickwire ${command} `);
    expect(stdout).toMatch(new RegExp(`Examples:\\n(.*\\n)*.*tickwire ${command}`));
  });

  test("the version is the package's", async () => {
    expect((await runCli(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong usage exits with 2 and says what is wrong", () => {
  test.each([
    [["dev", "--nonsense"], "unknown option '--nonsense'"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["normalize"], "missing required argument 'capture'"],
    [["normalize", "x", "--channels", "trades,nonsense"], "there is no channel nonsense"],
    [["call", "Nonsense"], "there is no method Nonsense"],
    [["call", "GetServerTime", "{"], "the request is not JSON"],
    [["call", "GetServerTime", "--url", "ftp://x"], "ftp://x is not the address of a gateway"],
    [["subscribe", "a:b/trades", "--url", "x"], "x is not the address of a gateway"],
    [["subscribe", "ws://x:1", "a:b/trades"], "the address of a gateway goes after --url"],
    [["subscribe"], "missing required argument 'topic'"],
    [["subscribe", "a:b/trades", "--count", "x"], "It must be a whole number"],
    [["dev", "--speed", "0"], "It must be a number above 0, or max"],
    [["dev", "--set", "gateway.port"], "--set takes KEY=VALUE"],
    [["dev", "--set", "gateway.=1"], "--set takes KEY=VALUE"],
    [["dev", "--speed", "10"], "--speed only works with --replay"],
    [["dev", "--exit-when-done"], "--exit-when-done only works with --replay"],
    [["ingest", "--no-start-on-subscribe"], "--no-start-on-subscribe only works with --replay"],
    [["ingest", "--replay", "-"], "--replay takes a file"],
    [["replay", "-", "--start-on-subscribe"], "--start-on-subscribe takes a file"],
    [
      ["dev", "--replay", "x", "--venue", "nonsense"],
      "there is no venue nonsense; there are binance",
    ],
    [
      ["dev", "--replay", "x", "--replay", "y", "--venue", "binance"],
      "--venue says what one capture is",
    ],
    [
      ["dev", "--venue", "simulated:FOO-USD"],
      "the simulated market has no FOO-USD; it has BTC-USD",
    ],
    [["ingest", "--venue", "simulated:FOO-USD"], "the simulated market has no FOO-USD"],
    [["normalize", "x", "--venue", "nonsense"], "there is no venue nonsense; there are binance"],
    [["replay", "x", "--venue", "nonsense"], "there is no venue nonsense; there are binance"],
    [["venues", "nonsense"], "there is no venue nonsense; there are binance"],
    [["doctor", "nonsense"], "there is no venue nonsense; there are binance"],
    [["doctor", "simulated", "--set", "bus.kind=nats"], "doctor publishes nothing"],
    [["dev", "--venue", ":X"], "--venue takes ID or ID:SYMBOL,SYMBOL"],
    [["gateway", "--host", "0.0.0.0"], "--allow-anonymous"],
    [["dev", "--host", "::"], "--allow-anonymous"],
    [["gateway", "--set", "bus.kind=memory"], "use dev, or set bus.kind to nats"],
    [["record", "simulated"], "required option '--out <path>' not specified"],
    [
      ["record", "simulated", "--out", "x"],
      "simulated is no topic, which is VENUE:SYMBOL/channel; --raw records the frames of a venue",
    ],
    [["record", "--raw", "simulated", "kraken", "--out", "x"], "record --raw takes one venue"],
    [["record", "a:B/trades", "--out", "x", "--file-size", "big"], "It must be a number of bytes"],
  ])("%j", async (args, message) => {
    const { status, stdout, stderr } = await runCli(args);
    expect(stderr).toContain(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});

describe("a bad configuration exits with 2 before anything listens", () => {
  test("and names every bad key with where it came from", async () => {
    const port = await findFreePort();
    const file = write("bad.json", '{"gateway":{"host":"","prot":1},"nonsense":{}}');
    const args = ["dev", "--config", file, "--port", String(port), "--set", "log.level=loud"];
    const environment = {
      TICKWIRE_GATEWAY__CONNECTIONS_MAX: "many",
      TICKWIRE_NONSENSE: "1",
      TICKWIRE_INGEST__VENUES: '[{"id":"nonsense"}]',
    };
    const { status, stdout, stderr } = await runCli(args, { environment });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("configuration has 7 bad keys");
    for (const line of [
      /gateway\.host: .*bad\.json\)/,
      /gateway\.prot: unknown key; did you mean gateway\.port\? \(file .*bad\.json\)/,
      /nonsense: unknown key \(file .*bad\.json\)/,
      /log\.level: .*\(flag --set\)/,
      /gateway\.connectionsMax: .*\(environment TICKWIRE_GATEWAY__CONNECTIONS_MAX\)/,
      /TICKWIRE_NONSENSE: unknown variable/,
      /ingest\.venues\.0\.id: .*\(environment TICKWIRE_INGEST__VENUES\)/,
    ]) {
      expect(stderr).toMatch(line);
    }
  });

  test.each([
    ["a file that is not there", join("nowhere", "c.json"), "cannot be read"],
    ["a file that is no JSON", undefined, "not JSON"],
  ])("%s", async (_, path, message) => {
    const { status, stderr } = await runCli(["dev", "--config", path ?? write("c.json", "{")]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  test("an unknown venue names those that there are", async () => {
    const { status, stderr } = await runCli(["ingest", "--venue", "nonsense"]);
    expect(status).toBe(2);
    expect(stderr).toContain("there is no venue nonsense; there are binance");
  });
});

describe("what cannot be done exits with 1 and one line", () => {
  const oneLine = /^tickwire: .+\n$/;

  test("a port in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { status, stderr } = await runCli(["dev", "--port", String(port)]);
    server.close();
    expect(status).toBe(1);
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(String(port));
  });

  test("a port in use is told before NATS is waited for", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const nats = `bus.nats.servers=nats://127.0.0.1:${await findFreePort()}`;
    const args = ["--port", String(port), "--admin-port", "0", "--log-level", "silent"];
    const { status, stdout, stderr } = await runCli(["gateway", "--set", nats, ...args]);
    server.close();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toBe(`tickwire: port ${port} of 127.0.0.1 is in use; choose another one\n`);
  });

  test.each(["dev", "gateway", "ingest"])(
    "an admin port in use: %s says what to set",
    async (command) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as { port: number };
      const { status, stdout, stderr } = await runCli([command, "--admin-port", String(port)]);
      server.close();
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(oneLine);
      expect(stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
      expect(stderr).toContain("--admin-port, or admin.host and admin.port");
    },
  );

  test.each(["call", "subscribe", "gateway", "ingest", "normalize"])(
    "%s without its other end",
    async (command) => {
      const port = await findFreePort();
      const args = {
        call: ["GetServerTime", "--url", `http://127.0.0.1:${port}`],
        subscribe: ["a:b/trades", "--url", `ws://127.0.0.1:${port}`],
        gateway: [
          "--set",
          `bus.nats.servers=nats://127.0.0.1:${port}`,
          "--set",
          "bus.nats.connectTimeoutMs=0",
          "--port",
          "0",
          "--admin-port",
          "0",
          "--log-level",
          "silent",
        ],
        ingest: [
          "--set",
          `bus.nats.servers=nats://127.0.0.1:${port}`,
          "--set",
          "bus.nats.connectTimeoutMs=0",
          "--admin-port",
          "0",
          "--log-level",
          "silent",
        ],
        normalize: [join(folder, "nowhere.ndjson.gz")],
      }[command];
      const { status, stdout, stderr } = await runCli([command, ...(args ?? [])]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(oneLine);
    },
  );

  test("captures that are none", async () => {
    const other = join(folder, "image.png");
    writeFileSync(other, "\u0000 no\n capture\n");
    const okx = write("okx.ndjson", '{"capture":1,"venue":"nowhere","source":"a test"}\n');
    for (const [path, message] of [
      [folder, `cannot read ${folder}: it is a directory`],
      [join(folder, "nowhere.gz"), "no such file"],
      [write("empty.ndjson", ""), "has no lines"],
      [other, "none of its 2 lines is one of a capture"],
      [okx, "no adapter for venue nowhere; there are binance"],
    ]) {
      for (const args of [
        ["normalize"],
        ["replay", "--bus", "memory"],
        ["dev", "--port", "0", "--replay"],
      ]) {
        const { status, stdout, stderr } = await runCli([...args, path ?? ""]);
        const said = stderr.replace(/^\{"level":"warn".*"damaged line in the capture"\}\n/, "");
        expect(said).toContain(message);
        expect(said).toMatch(oneLine);
        expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      }
    }
  });

  test("a NATS server that wants a password, at once", async () => {
    if (requireNatsServer() === undefined) return;
    const nats = await startNatsServer({ args: ["--auth", "secret"] });
    try {
      const server = ["--set", `bus.nats.servers=${nats.url}`];
      const args = [...server, "--port", "0", "--admin-port", "0", "--log-level", "silent"];
      const { status, stdout, stderr } = await runCli(["gateway", ...args]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(oneLine);
      expect(stderr).toMatch(/Authorization/);
    } finally {
      await nats.stop();
    }
  });

  test("a recording over a file that exists", async () => {
    const out = write("exists.ndjson.gz", "precious");
    const { status, stderr } = await runCli(["record", "--raw", "simulated", "--out", out]);
    expect(status).toBe(1);
    expect(stderr).toContain("exist");
    // Refused before anything is connected.
    expect(stderr).not.toContain("recording");
  });
});

test("in a checkout that is not built it says what to run, and exits with 2", () => {
  const program = join(folder, "services", "cli", "tickwire.mjs");
  mkdirSync(join(folder, "services", "cli"), { recursive: true });
  copyFileSync(join(import.meta.dirname, "../../services/cli/tickwire.mjs"), program);
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("npm run build");
});

test("a reader that went away ends the program quietly", async () => {
  const capture = write("long.ndjson", makeCapture({ frames: 20_000, intervalUs: 1000 }));
  const cli = startCli(["normalize", capture]);
  await cli.waitFor("stdout", /\n/);
  cli.child.stdout?.destroy();
  const { status, stderr } = await cli.ended;
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
