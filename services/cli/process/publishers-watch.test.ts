import { expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { announceSubject, leadershipSubject } from "#bus/subject.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { encodeAnnouncement, encodeLeadership } from "#wire/bus-codec.ts";
import { collisionOf, hearPublishers } from "./publishers-watch.ts";
import type { HeardPublisher } from "./publishers-watch.ts";

function publisher(part: Partial<HeardPublisher>): HeardPublisher {
  const rest = { shard: "", role: "leading", term: 1, roleForMs: 5, leased: true } as const;
  return { venue: "fake", publisherId: "a", ...rest, ...part };
}

test("everybody is heard once: by its role, or by its announcement alone", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const heard = hearPublishers(bus, clock);
  const common = { venue: "fake", intervalMs: 300 };
  const say = (init: Parameters<typeof encodeLeadership>[0]) =>
    bus.publish(leadershipSubject("fake"), encodeLeadership({ ...common, ...init }));
  say({ publisherId: "b", role: "LEADERSHIP_ROLE_STANDING_BY", roleForMs: 7 });
  say({ publisherId: "a", role: "LEADERSHIP_ROLE_LEADING", fencingToken: 3, leased: true });
  say({ publisherId: "c", role: "LEADERSHIP_ROLE_LEADING", leaving: true });
  for (const [venue, ingestorId] of [
    ["fake", "a"],
    ["old", "z"],
  ] as const) {
    bus.publish(announceSubject(venue), encodeAnnouncement({ venue, ingestorId, epoch: 1 }));
  }
  bus.publish(leadershipSubject("fake"), new Uint8Array([255]));
  await bus.flush();
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1_000);
  expect((await heard).map((one) => `${one.venue} ${one.publisherId} ${one.role}`)).toEqual([
    "fake a leading",
    "fake b standing-by",
    "old z alone",
  ]);
});

test("one that leads and others that stand by are in nobody's way", () => {
  const spare = publisher({ publisherId: "b", role: "standing-by", term: 0 });
  expect(collisionOf([publisher({}), spare])).toBeUndefined();
  const shards = [publisher({ shard: "1/2" }), publisher({ shard: "2/2", publisherId: "b" })];
  expect(collisionOf(shards)).toBeUndefined();
});

test("two that lead, and shards of different counts, collide", () => {
  expect(collisionOf([publisher({}), publisher({ publisherId: "b" })])).toBe(
    "a and b publish the same at the same time",
  );
  expect(collisionOf([publisher({}), publisher({ shard: "1/2", publisherId: "b" })])).toBe(
    "instruments are published twice: by shard 1/2, the whole",
  );
});
