import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { freePort, requireProgram } from "#test/support/local-server.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { killAll, startCli } from "./cli-process.ts";

// The recipe of docs/transports.md: ticks for MQTT devices, over the listener of nats-server.

const PAGE = join(import.meta.dirname, "..", "..", "docs/transports.md");
const TOPIC = "ticks/simulated/BTC-USD/quotes";
const PACKAGE = "mosquitto-clients";

const natsBinary = requireNatsServer();
const publisher = requireProgram("mosquitto_pub", PACKAGE);
const subscriber = requireProgram("mosquitto_sub", PACKAGE);

let folder: string | undefined;
let server: NatsServer | undefined;

afterEach(async () => {
  await killAll();
  await server?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** The configuration as the page has it, with a port and a folder of this test. */
async function startBroker(mqttPort: number): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), "tickwire-mqtt-"));
  const [, written] = /^```\n(server_name: ticks\n.*?)^```$/ms.exec(await readFile(PAGE, "utf8"))!;
  const file = join(folder, "mqtt.conf");
  const own = written!.replace("/var/lib/nats", folder).replace("1883", String(mqttPort));
  await writeFile(file, own);
  server = await startNatsServer({ args: ["-c", file] });
}

describe.skipIf(natsBinary === undefined || publisher === undefined || subscriber === undefined)(
  "the recipe for MQTT",
  () => {
    test("gives a device the last quote at once, and then each as JSON", async () => {
      const mqttPort = await freePort();
      await startBroker(mqttPort);
      const gateway = startCli(["dev", "--port", "0"]);
      const [, port = ""] = await gateway.waitFor("stdout", /127\.0\.0\.1:(\d+)/);
      const url = `ws://127.0.0.1:${port}`;
      const topic = "simulated:BTC-USD/quotes";
      const quotes = startCli(["subscribe", topic, "--interval", "200", "--json", "--url", url]);
      const broker = ["-h", "127.0.0.1", "-p", String(mqttPort)];
      const bridge = spawn(publisher!, [...broker, "-i", "bridge", "-t", TOPIC, "-l", "-r"], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      quotes.child.stdout!.pipe(bridge.stdin);
      try {
        await quotes.waitFor("stdout", /"type":"quote".*\n.*"type":"quote"/s);
        const listen = [...broker, "-t", "ticks/simulated/+/quotes", "-C", "3", "-W", "20"];
        const { stdout } = await promisify(execFile)(subscriber!, [...listen, "-F", "%r %t %p"]);
        const lines = stdout.trim().split("\n");
        expect(lines.map((line) => line.slice(0, TOPIC.length + 2))).toEqual(
          ["1", "0", "0"].map((retained) => `${retained} ${TOPIC}`),
        );
        const events = lines.map((line) => line.slice(TOPIC.length + 3));
        expect(events.map((text) => quotes.stdout().includes(`${text}\n`))).toEqual([
          true,
          true,
          true,
        ]);
        const sequences = events.map((text) => (JSON.parse(text) as { sequence: number }).sequence);
        expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
      } finally {
        bridge.kill();
      }
    });
  },
);
