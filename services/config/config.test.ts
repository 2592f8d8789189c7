import { expect, test } from "vitest";
import { configSchema } from "./config.ts";
import { loadConfig } from "./load-config.ts";

test("without anything set there is a whole configuration on loopback", () => {
  const config = loadConfig(configSchema, {});
  expect(config.bus).toMatchObject({ kind: "nats", nats: { servers: ["nats://127.0.0.1:4222"] } });
  expect(config.gateway).toMatchObject({ host: "127.0.0.1", port: 8080 });
  expect(config.admin).toEqual({ host: "127.0.0.1", hosts: [], port: 9090 });
  expect(config.ingest.venues.map(({ id }) => id)).toEqual(["simulated"]);
});

test("NATS servers are a list, and a password needs its user", () => {
  const load = (environment: Record<string, string>) => loadConfig(configSchema, { environment });
  const servers = load({ TICKWIRE_BUS__NATS__SERVERS: "nats://a:1,nats://b:2" }).bus.nats.servers;
  expect(servers).toEqual(["nats://a:1", "nats://b:2"]);
  expect(() => load({ TICKWIRE_BUS__NATS__PASSWORD: "x" })).toThrow(/bus\.nats\.user: .*password/);
  expect(() => load({ TICKWIRE_BUS__NATS__USER: "x" })).toThrow(/bus\.nats\.password: /);
  const { nats } = load({ TICKWIRE_BUS__NATS__USER: "u", TICKWIRE_BUS__NATS__PASSWORD: "p" }).bus;
  expect(nats).toMatchObject({ user: "u", password: "p" });
});

test("addresses of NATS servers are checked, and keep no password", () => {
  const load = (servers: string) => loadConfig(configSchema, { flags: [flagOf(servers)] }).bus.nats;
  const flagOf = (text: string) => ({ flag: "--set", key: "bus.nats.servers", value: [text] });
  for (const good of ["host", "host:4222", "[::1]:4222", "nats://host", "tls://host:1/"]) {
    expect(load(good).servers).toEqual([good]);
  }
  const bad = ["nats://h:99999", "a b", "http://host:4222", "nats://u:p@host", "nats://", "h:1/x"];
  for (const text of bad) {
    expect(() => load(text)).toThrow(/bus\.nats\.servers\.0: is not HOST:PORT .*\(flag --set\)/);
  }
});

test("venues come as JSON", () => {
  const text = '[{"id":"binance","instruments":["BTC-USDT"]}]';
  const config = loadConfig(configSchema, { environment: { TICKWIRE_INGEST__VENUES: text } });
  expect(config.ingest.venues).toMatchObject([{ id: "binance", instruments: ["BTC-USDT"] }]);
});
