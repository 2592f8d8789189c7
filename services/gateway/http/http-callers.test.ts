import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { PrincipalAccounts } from "../session/principal-accounts.ts";
import { Turns } from "../turns/turns.ts";
import { HttpCallers } from "./http-callers.ts";

function callers() {
  const clock = new ManualClock();
  const turns = new Turns({ clock, scheduler: { endOfTurn: () => {} } });
  const accounts = new PrincipalAccounts(createGatewayMetrics(new Registry()));
  return new HttpCallers({ turns, clock, accounts, limits: { requestsPerSecondMax: 10 } });
}

test("calls of one address share a line and what they may spend, those of others do not", () => {
  const all = callers();
  const [one, same, other] = ["a", "a", "b"].map((address) => all.begin(address, ANYBODY));
  expect(one?.line).toBe(same?.line);
  expect(one?.line).not.toBe(other?.line);
  one?.spend(6);
  expect(() => same?.spend(6)).toThrow(/requestsPerSecondMax 10/);
  expect(() => other?.spend(6)).not.toThrow();
});

test("an address of one IPv6 network is any of them", () => {
  const all = callers();
  expect(all.begin("2001:db8::1", ANYBODY).line).toBe(all.begin("2001:db8::2", ANYBODY).line);
});

test("who comes back has spent what it has spent", () => {
  const all = callers();
  const first = all.begin("a", ANYBODY);
  first.spend(10);
  first.end();
  expect(() => all.begin("a", ANYBODY).spend(1)).toThrow(/requestsPerSecondMax/);
});

test("addresses that ask for nothing are forgotten above 10,000, the longest idle first", () => {
  const all = callers();
  const busy = all.begin("busy", ANYBODY);
  busy.spend(10);
  for (let index = 0; index < 10_000; index += 1) {
    const call = all.begin(`a${index}`, ANYBODY);
    call.spend(10);
    call.end();
  }
  expect(all.size).toBe(10_001);
  all.begin("one more", ANYBODY).end();
  expect(all.size).toBe(10_001);
  expect(() => all.begin("a0", ANYBODY).spend(10)).not.toThrow();
  expect(() => all.begin("a2", ANYBODY).spend(10)).toThrow(/requestsPerSecondMax/);
  expect(() => all.begin("busy", ANYBODY).spend(10)).toThrow(/requestsPerSecondMax/);
});
