import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { MISSED_INTERVALS_MAX, PEERS_MAX, Peers } from "./peers.ts";
import type { Peer } from "./peers.ts";

const INTERVAL_MS = 100;

function peer(publisherId: string, role: Peer["role"] = "standing-by"): Peer {
  const rest = { token: 0, epoch: 0, intervalMs: INTERVAL_MS, roleForMs: 1, leased: false };
  return { publisherId, role, ...rest };
}

test("those that fall silent for three of their intervals are forgotten, and not before", () => {
  const clock = new ManualClock();
  const peers = new Peers(clock);
  peers.heard(peer("a"));
  clock.advance(INTERVAL_MS * MISSED_INTERVALS_MAX - 1);
  expect(peers.all).toHaveLength(1);
  peers.heard(peer("a"));
  clock.advance(INTERVAL_MS * MISSED_INTERVALS_MAX);
  expect(peers.all).toEqual([]);
});

test.each([PEERS_MAX - 1, PEERS_MAX, PEERS_MAX + 1])(
  "of %i the one that was heard longest ago makes room where there are too many",
  (count) => {
    const peers = new Peers(new ManualClock());
    for (let index = 0; index < count; index += 1) peers.heard(peer(`p${index}`));
    expect(peers.all).toHaveLength(Math.min(count, PEERS_MAX));
    expect(peers.all[0]?.publisherId).toBe(count > PEERS_MAX ? "p1" : "p0");
  },
);

test("those that stand by come one after the other, by name", () => {
  const peers = new Peers(new ManualClock());
  for (const id of ["a", "c"]) peers.heard(peer(id));
  peers.heard(peer("0", "leading"));
  expect([peers.rankOf("b"), peers.rankOf("0"), peers.rankOf("d")]).toEqual([1, 0, 2]);
  expect(peers.someoneStandsBy).toBe(true);
  for (const id of ["a", "c"]) peers.forget(id);
  expect(peers.someoneStandsBy).toBe(false);
});
