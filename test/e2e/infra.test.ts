import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ADMIN_PORTS } from "#cli/process/admin-process.ts";
import { configSchema } from "#config/config.ts";
import { listVariables } from "#config/config-variables.ts";
import { loadConfig } from "#config/load-config.ts";
import { entrypointOf } from "../support/entrypoint.mjs";

const ROOT = join(import.meta.dirname, "..", "..");
const INFRA = join(ROOT, "infra");

/** The command that reads compose files here, if there is one. */
const COMPOSE = [["docker", "compose"], ["docker-compose"]].find(
  ([command = "", ...rest]) => spawnSync(command, [...rest, "version"]).status === 0,
);
const NATS_SERVER = ["nats-server", "/usr/sbin/nats-server"].find(
  (command) => spawnSync(command, ["-v"]).status === 0,
);

const read = (path: string): string => readFileSync(join(INFRA, path), "utf8");
const dockerfiles = ["docker/ingest.Dockerfile", "docker/gateway.Dockerfile"];

if (COMPOSE === undefined) {
  process.stdout.write("SKIPPED: compose files are not validated; there is no docker compose\n");
}
if (NATS_SERVER === undefined) {
  process.stdout.write("SKIPPED: NATS configurations are not validated; no nats-server\n");
}

test("both images run the program with the same options, which this Node has", () => {
  const [words = [], ...others] = dockerfiles.map((dockerfile) => entrypointOf(read(dockerfile)));
  expect(others).toEqual([words]);
  const options = words.filter((word) => word.startsWith("--"));
  expect(options).toEqual([expect.stringMatching(/^--max-semi-space-size=\d+$/)]);
  expect(words).toEqual(["node", ...options, "services/cli/tickwire.mjs"]);
  const run = spawnSync(process.execPath, [...options, "-p", "process.execArgv.length"]);
  expect([run.status, run.stdout.toString()]).toEqual([0, "3\n"]);
});

describe("compose files", () => {
  test.skipIf(COMPOSE === undefined).each([
    { files: ["compose.yaml"], services: ["gateway", "ingest", "nats"] },
    {
      files: ["compose.yaml", "compose.cluster.yaml"],
      services: ["gateway", "ingest", "nats", "nats-2", "nats-3"],
    },
  ])("$files are valid and define $services", ({ files, services }) => {
    const [command = "", ...rest] = COMPOSE ?? [];
    const options = files.flatMap((file) => ["-f", join(INFRA, file)]);
    const run = (what: string[]) =>
      spawnSync(command, [...rest, ...options, "config", ...what], { encoding: "utf8" });
    const result = run([]);
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    expect(run(["--services"]).stdout.trim().split("\n").toSorted()).toEqual(services);
  });

  test("every service has a health check or an image with one, limits and no writable root", () => {
    const text = read("compose.yaml");
    expect(text.match(/^ {4}read_only: true$/gm)).toHaveLength(3);
    expect(text.match(/limits: \{ cpus: /g)).toHaveLength(3);
    expect(text.match(/^ {4}healthcheck:$/gm)).toHaveLength(1);
    for (const dockerfile of dockerfiles) expect(read(dockerfile)).toMatch(/^HEALTHCHECK /m);
  });

  test("ports are published on loopback only", () => {
    const lists = [...read("compose.yaml").matchAll(/ports: \[(.+)\]/g)];
    const published = lists.flatMap((match) => (match[1] ?? "").split(", "));
    expect(published).toEqual([
      '"127.0.0.1:9090:9090"',
      '"127.0.0.1:8080:8080"',
      '"127.0.0.1:9091:9091"',
    ]);
  });
});

describe("times of a restart", () => {
  /** How long a drain of so many clients takes: docs/restarts.md has the formula. */
  const drainMs = (config: ReturnType<typeof configOf>, clients: number): number => {
    const { lameDuckMs, drainWindowMs, drainClosesPerSecondMax } = config.gateway;
    return lameDuckMs + drainWindowMs + (clients * 1_000) / (0.7 * drainClosesPerSecondMax);
  };
  const configOf = (environment: Record<string, string>) =>
    loadConfig(configSchema, { environment });

  test("a Kubernetes pod ends by itself, with all the clients that it may have", () => {
    const text = read("kubernetes/gateway.yaml");
    const variables = [...text.matchAll(/\{ name: (TICKWIRE_\w+), value: "(.+)" \}/g)];
    const environment = Object.fromEntries(variables.map(([, name, value]) => [name, value]));
    // Its image listens on every address.
    const config = configOf({ ...environment, TICKWIRE_GATEWAY__HOST: "0.0.0.0" });
    const graceSeconds = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]);
    const { deadlineMs } = config.shutdown;
    expect(graceSeconds * 1_000).toBeGreaterThan(deadlineMs);
    expect(drainMs(config, config.gateway.connectionsMax)).toBeLessThanOrEqual(deadlineMs * 0.8);
  });

  test("a container ends by itself, with some thousand clients", () => {
    const graces = [...read("compose.yaml").matchAll(/stop_grace_period: (\d+)s/g)];
    const config = configOf({});
    for (const [, seconds] of graces) {
      expect(Number(seconds) * 1_000).toBeGreaterThan(config.shutdown.deadlineMs);
    }
    expect(drainMs(config, 4_000)).toBeLessThanOrEqual(config.shutdown.deadlineMs * 0.8);
  });
});

describe("images", () => {
  test.each(dockerfiles)(
    "%s runs as another user, without secrets, and copies what exists",
    (path) => {
      const text = read(path);
      expect(text).toMatch(/^USER node$/m);
      expect(text).not.toMatch(/^(ENV|ARG|COPY) .*(password|secret|token|\.env)/im);
      const copied = [...text.matchAll(/^COPY --from=build \/app\/(\S+) /gm)].map(
        (match) => match[1],
      );
      expect(copied.length).toBeGreaterThan(0);
      const built = new Set(["dist", "node_modules"]);
      const missing = copied.filter(
        (file) => !built.has(file ?? "") && !existsSync(join(ROOT, file ?? "")),
      );
      expect(missing).toEqual([]);
    },
  );

  test.each([
    ["docker/ingest.Dockerfile", ADMIN_PORTS.ingest],
    ["docker/gateway.Dockerfile", ADMIN_PORTS.gateway],
  ])("%s exposes and asks for health on admin port %i", (path, port) => {
    const text = read(path);
    expect(text).toMatch(new RegExp(`^EXPOSE .*\\b${port}$`, "m"));
    expect(text).toContain(`http://127.0.0.1:${port}/healthz`);
    expect(text).toMatch(/^ENV TICKWIRE_ADMIN__HOST=0\.0\.0\.0$/m);
  });

  test.each(dockerfiles)("%s has an ignore file that keeps history and builds out", (path) => {
    expect(read(`${path}.dockerignore`)).toMatch(/^\.git$/m);
  });
});

test("every setting in compose files and images exists and takes its value", () => {
  const known = new Set(listVariables(configSchema).map((variable) => variable.variable));
  const used: Record<string, string> = {};
  for (const path of ["compose.yaml", "compose.cluster.yaml", ...dockerfiles]) {
    const settings = read(path).matchAll(/(?:^ENV |^ +)(TICKWIRE_[A-Z0-9_]+)(?:=|: )(.+)$/gm);
    for (const [, name = "", value = ""] of settings) {
      used[name] = value.replace(/^\$\{[A-Z0-9_]+:-(.*)\}$|^"(.*)"$/, "$1$2");
    }
  }
  expect(Object.keys(used).length).toBeGreaterThan(3);
  expect(Object.keys(used).filter((name) => !known.has(name))).toEqual([]);
  expect(() => loadConfig(configSchema, { environment: used })).not.toThrow("configuration");
});

describe("NATS configurations", () => {
  const files = [
    "nats/nats.conf",
    ...readdirSync(join(INFRA, "nats/cluster"))
      .filter((name) => name.startsWith("node-"))
      .map((name) => `nats/cluster/${name}`),
  ];

  const taken = [...files, "nats/secure.conf"];
  test.skipIf(NATS_SERVER === undefined).each(taken)("%s is one that nats-server takes", (path) => {
    const passwords = [...read("nats/accounts.conf").matchAll(/\$(TICKWIRE_\w+)/g)];
    expect(passwords).toHaveLength(4);
    const values = Object.fromEntries(passwords.map(([, name = ""]) => [name, "x"]));
    const env = { ...process.env, ...values };
    const args = ["-t", "-c", join(INFRA, path)];
    const result = spawnSync(NATS_SERVER ?? "", args, { encoding: "utf8", env });
    expect(result.stderr).toContain("is valid");
    expect(result.status).toBe(0);
  });

  test.each(files)("%s listens on loopback only", (path) => {
    const addresses = [...read(path).matchAll(/(?:listen|http): "([^"]+)"/g)];
    expect(addresses.length).toBeGreaterThan(1);
    for (const [, address] of addresses) expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test("a gateway that stands still for 25 s is not cut, neither for writes nor for pings", () => {
    const limits = read("nats/limits.conf");
    const secondsOf = (key: string) =>
      Number(new RegExp(`^${key}: "?(\\d+)`, "m").exec(limits)?.[1]);
    expect(secondsOf("write_deadline")).toBeGreaterThan(25);
    expect(secondsOf("ping_interval") * secondsOf("ping_max")).toBeGreaterThan(25);
  });

  test("a whole book fits into one message", () => {
    expect(read("nats/limits.conf")).toMatch(/^max_payload: 8MB$/m);
  });
});
