import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { KeptLease, LeaseRecord, LeaseStore } from "#bus/lease-store.ts";
import { FENCING_TOKEN_MAX } from "#core/fencing-token.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LeaseClaims } from "./lease-claims.ts";

const EXPIRY_MS = 900;

/** A store in memory, which can lose what it has, and be away. */
class FakeStore implements LeaseStore {
  record: KeptLease | undefined;
  isAway = false;
  /** The next writing arrives, and its answer does not. */
  losesAnswer = false;
  #revision = 0;

  read(): Promise<KeptLease | undefined> {
    if (this.isAway) return Promise.reject(new BusError("lease-unavailable", "away"));
    return Promise.resolve(this.record);
  }

  write(
    _key: string,
    record: LeaseRecord,
    { revision }: { readonly revision: number },
  ): Promise<number | "conflict"> {
    if (this.isAway) return Promise.reject(new BusError("lease-unavailable", "away"));
    if ((this.record?.revision ?? 0) !== revision) return Promise.resolve("conflict");
    this.#revision += 1;
    this.record = { ...record, revision: this.#revision };
    if (this.losesAnswer) {
      this.losesAnswer = false;
      return Promise.reject(new BusError("lease-unavailable", "lost"));
    }
    return Promise.resolve(this.#revision);
  }
}

function create() {
  const clock = new ManualClock();
  const store = new FakeStore();
  const of = (holder: string) =>
    new LeaseClaims({ store, key: "fake", holder, clock, expiryMs: EXPIRY_MS });
  return { clock, store, a: of("a"), b: of("b") };
}

test("the first who claims has it, with a token later than any that it has heard of", async () => {
  const { a, b, store } = create();
  expect(await a.claim(0)).toEqual({ kind: "granted", token: 1 });
  expect(await b.claim(7)).toEqual({ kind: "refused" });
  await a.release();
  expect(store.record?.holder).toBe("");
  expect(await b.claim(7)).toEqual({ kind: "granted", token: 8 });
});

test("one that is not renewed can be taken when it was the same for as long as it lasts, not before", async () => {
  const { a, b, clock } = create();
  await a.claim(0);
  await b.watch();
  clock.advance(EXPIRY_MS - 1);
  expect(await b.claim(0)).toEqual({ kind: "refused" });
  clock.advance(1);
  expect(await b.claim(0)).toEqual({ kind: "granted", token: 2 });
  expect(await a.renew()).toBe("lost");
});

test("each renewal is a sign of life, and begins the time anew", async () => {
  const { a, b, clock } = create();
  await a.claim(0);
  for (let round = 0; round < 5; round += 1) {
    await b.watch();
    clock.advance(EXPIRY_MS - 1);
    expect(await a.renew()).toBe("held");
    expect(await b.watch()).toBe("changed");
    expect(await b.claim(0)).toEqual({ kind: "refused" });
  }
});

test("of two who claim what has expired one has it", async () => {
  const { a, b, clock, store } = create();
  store.record = { holder: "c", token: 4, revision: 9 };
  await Promise.all([a.watch(), b.watch()]);
  clock.advance(EXPIRY_MS);
  const claims = await Promise.all([a.claim(0), b.claim(0)]);
  expect(claims.map(({ kind }) => kind).sort()).toEqual(["granted", "refused"]);
});

test("the token goes on over every holder, and around the end of all numbers", async () => {
  const { a, store } = create();
  store.record = { holder: "", token: FENCING_TOKEN_MAX, revision: 9 };
  expect(await a.claim(FENCING_TOKEN_MAX - 9)).toEqual({ kind: "granted", token: 1 });
});

test("a record that nobody of us wrote is replaced", async () => {
  const { a, store } = create();
  store.record = { holder: "", token: -3.5, revision: 9 };
  expect(await a.claim(5)).toEqual({ kind: "granted", token: 6 });
});

test("a renewal whose answer was lost is ours all the same", async () => {
  const { a, store } = create();
  await a.claim(0);
  store.losesAnswer = true;
  expect(await a.renew()).toBe("failed");
  expect(await a.renew()).toBe("held");
  expect(await a.renew()).toBe("held");
});

test("a store that has lost everything gets the record again from whoever holds it", async () => {
  const { a, b, store } = create();
  await a.claim(0);
  store.record = undefined;
  expect(await a.renew()).toBe("held");
  expect(store.record).toMatchObject({ holder: "a", token: 1 });
  expect(await b.claim(0)).toEqual({ kind: "refused" });
});

test("a store that is away tells nobody anything", async () => {
  const { a, b, store } = create();
  await a.claim(0);
  store.isAway = true;
  expect([await a.renew(), await b.watch(), await b.claim(0)]).toEqual([
    "failed",
    "failed",
    { kind: "failed" },
  ]);
  await a.release();
});
