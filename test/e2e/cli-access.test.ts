// `tickwire keys` and `tickwire token` as an operator runs them, and what two gateways make of it.
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type Client } from "@tickwire/client";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashOfKey } from "#gateway/access/api-keys.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import { killAll, runCli, startCli, type CliProcess, type CliResult } from "./cli-process.ts";

const KEY = /^twk_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;

let folder: string;
const clients: Client[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-keys-"));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

afterAll(killAll);

const file = (name: string) => path.join(folder, name);
const textOf = (name: string) => readFileSync(file(name), "utf8");
const modeOf = (name: string) => (statSync(file(name)).mode & 0o777).toString(8);
const write = (name: string, value: unknown) =>
  writeFileSync(file(name), typeof value === "string" ? value : JSON.stringify(value));

/** Runs it with the names of files in place of `@name`. */
function run(line: string, input?: string): Promise<CliResult> {
  const args = line.split(" ").map((word) => word.replace(/^@/, `${folder}/`));
  return runCli(args, input === undefined ? {} : { input });
}

async function runWell(line: string, input?: string): Promise<CliResult> {
  const result = await run(line, input);
  expect(`${result.status} ${result.stderr}`).toMatch(/^0 /);
  return result;
}

describe("keys", () => {
  test("are printed once, stored as hashes for their owner alone, listed and revoked", async () => {
    const added = await runWell("keys add --file @a.json --role all --name desk --expires 90d");
    const key = added.stdout.trim();
    const [, id = ""] = KEY.exec(key) ?? [];
    const secret = key.slice(17);
    expect(added.stderr).toContain(id);
    expect(added.stderr).not.toContain(secret);
    expect(textOf("a.json")).toContain(hashOfKey(key));
    expect(textOf("a.json")).not.toContain(secret);
    expect(modeOf("a.json")).toBe("600");

    // Who may read the file is for the operator to say, and what else he wrote stays.
    write("a.json", { ...JSON.parse(textOf("a.json")), roles: { less: { grants: [] } } });
    chmodSync(file("a.json"), 0o640);
    symlinkSync("a.json", file("link.json"));
    const other = await runWell("keys add --file @link.json --role less");
    expect([modeOf("a.json"), lstatSync(file("link.json")).isSymbolicLink()]).toEqual([
      "640",
      true,
    ]);
    const list = await runWell("keys list --file @a.json");
    expect(list.stdout).toMatch(new RegExp(`^${id}  all  until \\S+Z  desk\\n`));
    expect(list.stdout).toContain("  less  no end\n");
    expect(list.stdout).not.toContain("sha256");

    // Whoever finds a key somewhere has the whole of it.
    const revoked = await runWell(`keys revoke ${other.stdout.trim()} --file @a.json`);
    const [, otherId = ""] = KEY.exec(other.stdout.trim()) ?? [];
    expect(revoked.stderr).toBe(`revoked ${otherId}\n`);
    const before = textOf("a.json");
    const again = await runWell(`keys revoke ${otherId} --file @a.json`);
    expect(again.stderr).toBe(`was revoked already: ${otherId}\n`);
    expect(textOf("a.json")).toBe(before);
    const json = await runWell("keys list --file @a.json --json");
    const [first, second] = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ id, name: "desk", roles: ["all"] });
    expect(second).toMatchObject({ id: otherId, revokedTime: expect.stringMatching(/Z$/) });
    expect(json.stdout).not.toContain("hash");
  });
});

describe("token", () => {
  test("is made by a new key, and told by the set of that key alone", async () => {
    await runWell("token new-key --private-file @own.json --key-set @set.json");
    expect([modeOf("own.json"), modeOf("set.json")]).toEqual(["600", "644"]);
    const { d } = JSON.parse(textOf("own.json")) as { d: string };
    expect(textOf("set.json")).not.toContain(d);
    const made = await runWell("token make --key @own.json --sub desk --role all --expires 12h");
    expect(made.stderr).toBe("");
    const inspected = await runWell("token inspect --key-set @set.json", made.stdout);
    const { claims, signature } = JSON.parse(inspected.stdout) as {
      claims: { iat: number; exp: number };
      signature: string;
    };
    expect(claims).toMatchObject({ sub: "desk", aud: "tickwire", roles: ["all"] });
    expect(claims.exp - claims.iat).toBe(43_200);
    expect(signature).toMatch(/^made by the key [a-z0-9]{12}$/);
    const damaged = made.stdout.replace(/\.(.)(?=[^.]*$)/, (_, first) =>
      first === "A" ? ".B" : ".A",
    );
    const told = await runWell("token inspect --key-set @set.json", damaged);
    expect(told.stdout).toContain("its signature is not that of the key");
    expect((await runWell("token inspect", made.stdout)).stdout).toContain("not checked");
    const week = await runWell("token make --key @own.json --sub desk --expires 7d");
    expect(week.stderr).toContain("lifetimeMsMax is at least 604800000");
  });

  test("that is none is told as what it is, and none of it is repeated", async () => {
    const head = "eyJhbGciOiJFUzI1NiJ9";
    const [rubbish, noClaims] = await Promise.all([
      run("token inspect", "rubbish-SECRET"),
      run("token inspect", `${head}.SECRET.AA`),
    ]);
    expect([rubbish.status, noClaims.status]).toEqual([1, 1]);
    expect(rubbish.stderr).toBe("tickwire: no token: it is no signed token\n");
    expect(noClaims.stderr).toBe("tickwire: no token: its claims are no JSON\n");
  });
});

/** A client that shows a key, and when and how it was closed. */
async function join(port: string, token: string) {
  const client = await connect(`ws://127.0.0.1:${port}`, { token, reconnect: false });
  clients.push(client);
  const closed = new Promise<{ readonly atMs: number; readonly code: string }>((resolve) => {
    client.onState((state, { code }) => {
      if (state === "closed") resolve({ atMs: Date.now(), code: String(code) });
    });
  });
  return { client, closed };
}

/** Starts what ends with a sentence on its standard error, and tells when that was said. */
async function revoke(line: string): Promise<number> {
  const command = startCli(line.split(" ").map((word) => word.replace(/^@/, `${folder}/`)));
  await command.waitFor("stderr", /^revoked /m);
  const saidMs = Date.now();
  expect((await command.ended).status).toBe(0);
  return saidMs;
}

describe.skipIf(requireNatsServer() === undefined)("two gateways on one bus", () => {
  test("close within a second who uses what is revoked, by the file or over the bus", async () => {
    const server = await startNatsServer();
    const nats = `bus.nats.servers=${server.url}`;
    write("a.json", { roles: { both: { grants: [{ topics: ["*:*/*"] }] } } });
    const keys: string[] = [];
    for (const role of ["all", "all", "both"]) {
      keys.push((await runWell(`keys add --file @a.json --role ${role}`)).stdout.trim());
    }
    const [first = "", second = "", third = ""] = keys;
    write("elsewhere.json", textOf("a.json"));
    write("b.json", textOf("a.json"));
    const ingest = startCli(["ingest", "--venue", "simulated", "--set", nats, "--admin-port", "0"]);
    const startGateway = async (name: string): Promise<{ port: string; process: CliProcess }> => {
      const access = `gateway.access.file=${file(name)}`;
      const more = ["--port", "0", "--admin-port", "0", "--set", nats, "--set", access];
      const gateway = startCli(["gateway", ...more]);
      const [, port = ""] = await gateway.waitFor("stderr", /"port":(\d+)[^\n]*gateway listens/);
      return { port, process: gateway };
    };
    const [one, two] = await Promise.all([startGateway("a.json"), startGateway("b.json")]);

    // Over the bus: no gateway has the file that is changed.
    const firsts = [await join(one.port, first), await join(two.port, first)];
    const seconds = [await join(one.port, second), await join(two.port, second)];
    const thirds = [await join(one.port, third), await join(two.port, third)];
    const onlyBus = await revoke(
      `keys revoke ${first.slice(4, 16)} --file @elsewhere.json --publish --set ${nats}`,
    );
    for (const { closed } of firsts) {
      const { atMs, code } = await closed;
      expect([code, atMs - onlyBus < 1_000]).toEqual(["access-revoked", true]);
    }
    // By the file of one of them, which tells the other.
    const byFile = await revoke(`keys revoke ${second.slice(4, 16)} --file @a.json`);
    for (const { closed } of seconds) {
      const { atMs, code } = await closed;
      expect([code, atMs - byFile < 1_500]).toEqual(["access-revoked", true]);
    }

    // Of a role that gets less, what it has not any more ends, and the rest goes on.
    const ended: Promise<number>[] = [];
    const trades: number[] = [];
    for (const [index, { client }] of thirds.entries()) {
      trades[index] = 0;
      client.onTrades("simulated:BTC-USD", () => void (trades[index] = trades[index]! + 1));
      ended.push(
        new Promise((resolve) => {
          client.onQuotes("simulated:BTC-USD", () => undefined, {
            onError: () => resolve(Date.now()),
          });
        }),
      );
    }
    await expect.poll(() => trades.every((count) => count > 0), { timeout: 20_000 }).toBe(true);
    const roles = { both: { grants: [{ topics: ["*:*/trades"] }] } };
    for (const name of ["a.json", "b.json"]) {
      write(name, { ...(JSON.parse(textOf(name)) as object), roles });
    }
    const changedMs = Date.now();
    for (const atMs of await Promise.all(ended)) expect(atMs - changedMs).toBeLessThan(1_500);
    const before = [...trades];
    await expect
      .poll(() => trades.every((count, index) => count > before[index]!), { timeout: 20_000 })
      .toBe(true);

    const logged = [one, two].map((gateway) => gateway.process.stderr()).join();
    for (const key of keys) expect(logged).not.toContain(key.slice(17));
    await ingest.stop();
    await server.stop();
  });
});
