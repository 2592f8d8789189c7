import { expect, test } from "vitest";
import { configSchema } from "#config/config.ts";
import { CHAOS_FORMS, parseChaos, withChaos } from "./chaos-option.ts";

const CONFIG = configSchema.parse({});
const LIVE = { isReplay: false };

test("every form that an error shows is read", () => {
  expect(parseChaos(CHAOS_FORMS.join(","))).toEqual({
    dropShare: 0.001,
    delayShare: 0.01,
    delayMs: 500,
    reorderShare: 0.001,
    crossedShare: 0.005,
    disconnectIntervalMs: 600_000,
    silenceIntervalMs: 300_000,
    silenceMs: 15_000,
  });
});

test.each(["", "drop", "drop=1", "drop=101%", "drop=1%:5s", "delay=5s", "fire=1%", "silence=1%"])(
  "%j is refused in a sentence that shows what can be written",
  (text) => {
    expect(() => parseChaos(text)).toThrow(/--chaos cannot read .*; write such as drop=0\.1%/);
  },
);

test("it changes the simulated venue and leaves the rest of its market", () => {
  const config = configSchema.parse({
    ingest: { venues: [{ id: "simulated", simulated: { seed: 7 } }, { id: "kraken" }] },
  });
  const [simulated, kraken] = withChaos(config, ["drop=1%", "delay=2%"], LIVE).ingest.venues;
  expect(simulated?.simulated).toMatchObject({
    seed: 7,
    chaos: { dropShare: 0.01, delayShare: 0.02, delayMs: 500 },
  });
  expect(kraken).toEqual(config.ingest.venues[1]);
});

test("without it nothing changes, and on other venues it is refused", () => {
  expect(withChaos(CONFIG, undefined, LIVE)).toBe(CONFIG);
  const config = configSchema.parse({ ingest: { venues: [{ id: "kraken" }] } });
  expect(() => withChaos(config, ["drop=1%"], LIVE)).toThrow("not on kraken");
  const elsewhere = { id: "simulated", endpoints: { webSocket: "ws://127.0.0.1:1/" } };
  const remote = configSchema.parse({ ingest: { venues: [elsewhere] } });
  expect(() => withChaos(remote, ["drop=1%"], LIVE)).toThrow("a market of this process");
});

test("what is more than the settings allow is refused as they would", () => {
  expect(() => withChaos(CONFIG, ["delay=1%:2h"], LIVE)).toThrow(
    /delayMs: Too big.*\(flag --chaos\)/,
  );
});

test("a replay has no faults of this kind", () => {
  expect(() => withChaos(CONFIG, ["drop=1%"], { isReplay: true })).toThrow("not of --replay");
});
