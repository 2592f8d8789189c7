import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { configSchema } from "#config/config.ts";
import { loadConfig } from "#config/load-config.ts";
import { createLogger } from "#runtime/logger.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { makeCertificates } from "#test/support/certificates.ts";
import { createNatsKey, createNatsOperator } from "#test/support/nats-identities.ts";
import { requireNatsServer, startNatsServer, type NatsServer } from "#test/support/nats-server.ts";
import { openBus } from "./open-bus.ts";

const HAS_OPENSSL = spawnSync("openssl", ["version"]).status === 0;
const isReady = requireNatsServer() !== undefined && HAS_OPENSSL;
const folder = mkdtempSync(join(tmpdir(), "tickwire-nats-"));
const file = (name: string) => join(folder, name);
const servers: NatsServer[] = [];
const buses: Bus[] = [];
let log = "";

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  log = "";
});
afterAll(() => rmSync(folder, { recursive: true }));

async function startServer(configuration: string): Promise<NatsServer> {
  const path = file(`server-${servers.length}.conf`);
  writeFileSync(path, configuration);
  const server = await startNatsServer({ args: ["-c", path] });
  servers.push(server);
  return server;
}

/** Opens the bus with these settings as a user writes them: as variables. */
async function open(server: NatsServer, settings: Record<string, string>): Promise<Bus> {
  const environment: Record<string, string> = {
    TICKWIRE_BUS__NATS__SERVERS: `nats://localhost:${server.port}`,
    TICKWIRE_BUS__NATS__CONNECT_TIMEOUT_MS: "0",
  };
  for (const [key, value] of Object.entries(settings)) {
    environment[`TICKWIRE_BUS__NATS__${key}`] = value;
  }
  const write = (line: string) => void (log += line);
  const bus = await openBus({
    config: loadConfig(configSchema, { environment }).bus,
    clock: new SystemClock(),
    logger: createLogger({ level: "trace", service: "test", write }),
    name: "test",
  });
  buses.push(bus);
  return bus;
}

async function expectWorks(bus: Bus): Promise<void> {
  const received = new Promise<string>((resolve) => {
    bus.subscribe("test.subject", ({ payload }) => resolve(new TextDecoder().decode(payload)));
  });
  await bus.flush();
  bus.publish("test.subject", new TextEncoder().encode("there"));
  expect(await received).toBe("there");
}

const nkey = createNatsKey("U");
const operator = createNatsOperator();
const ways = [
  {
    way: "user and password",
    configuration: 'authorization { user: "me", password: "secret-one" }',
    settings: { USER: "me", PASSWORD: "secret-one" },
    wrong: { USER: "me", PASSWORD: "secret-two" },
    secret: "secret-",
  },
  {
    way: "token",
    configuration: 'authorization { token: "secret-one" }',
    settings: { TOKEN: "secret-one" },
    wrong: { TOKEN: "secret-two" },
    secret: "secret-",
  },
  {
    way: "nkey",
    configuration: `authorization { users: [{ nkey: ${nkey.publicKey} }] }`,
    settings: { NKEY_SEED: nkey.seed },
    wrong: { NKEY_SEED: createNatsKey("U").seed },
    secret: nkey.seed,
  },
  {
    way: "credentials file",
    configuration: operator.configuration,
    settings: { CREDENTIALS_FILE: file("right.creds") },
    wrong: { CREDENTIALS_FILE: file("wrong.creds") },
    secret: "SU",
  },
];

describe.skipIf(!isReady)("settings let us in to a real nats-server", () => {
  beforeAll(() => {
    writeFileSync(file("right.creds"), operator.creds);
    writeFileSync(file("wrong.creds"), createNatsOperator().creds);
    makeCertificates(folder);
  });

  test.each(ways)("by $way, and not with a wrong one or none", async (way) => {
    const server = await startServer(way.configuration);
    await expectWorks(await open(server, way.settings));
    const refused = { code: "connect-refused", message: expect.not.stringContaining(way.secret) };
    await expect(open(server, way.wrong)).rejects.toMatchObject(refused);
    await expect(open(server, {})).rejects.toMatchObject({ code: "connect-refused" });
    expect(log).not.toContain(way.secret);
  });

  test("over TLS by a certificate of ours, and only to a server that we trust", async () => {
    const tlsAs = (name: string) => {
      const files = `cert_file: "${file(`${name}.crt`)}", key_file: "${file(`${name}.key`)}"`;
      return `tls { ${files}, ca_file: "${file("ca.crt")}", verify: true }`;
    };
    const server = await startServer(tlsAs("server"));
    const trust = { TLS: "true", TLS_CA_FILE: file("ca.crt") };
    const own = { TLS_CERT_FILE: file("client.crt"), TLS_KEY_FILE: file("client.key") };
    await expectWorks(await open(server, { ...trust, ...own }));
    // Without a certificate of ours, without trust in theirs, and where theirs has another name.
    await expect(open(server, trust)).rejects.toMatchObject({ name: "BusError" });
    await expect(open(server, { TLS: "true", ...own })).rejects.toMatchObject({ name: "BusError" });
    const stranger = await startServer(tlsAs("stranger"));
    const connected = open(stranger, { ...trust, ...own });
    await expect(connected).rejects.toMatchObject({ name: "BusError" });
  });

  test("TLS is refused where the server has none", async () => {
    const server = await startServer("");
    await expect(open(server, { TLS: "true" })).rejects.toMatchObject({ name: "BusError" });
  });

  test.each([
    [{ CREDENTIALS_FILE: "/nowhere/x.creds" }, "bus.nats.credentialsFile cannot be read"],
    [{ TLS: "true", TLS_CA_FILE: "/nowhere/ca.crt" }, "bus.nats.tlsCaFile cannot be read"],
  ])("a file that is not there is said at once: %j", async (settings, message) => {
    const server = await startServer("");
    await expect(open(server, settings)).rejects.toThrow(message);
  });
});

test.each<[Record<string, string>, string]>([
  [{ TOKEN: "x", USER: "u", PASSWORD: "secret-one" }, "has more than one of user, token"],
  [{ NKEY_SEED: "secret-one" }, "is not the seed of a user's nkey"],
  [{ TLS: "true", TLS_CERT_FILE: "a.crt" }, "tlsKeyFile are needed together"],
  [{ TLS_CA_FILE: "ca.crt" }, "has to be true with certificates"],
])("settings that make no sense are refused without quoting secrets: %j", (settings, message) => {
  const environment = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`TICKWIRE_BUS__NATS__${key}`, value]),
  );
  const load = () => loadConfig(configSchema, { environment });
  expect(load).toThrow(message);
  expect(load).not.toThrow("secret-one");
});
