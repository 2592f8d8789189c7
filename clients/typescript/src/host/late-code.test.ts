import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { LateCode } from "./late-code.ts";

/** Code that fails to load so many times. */
function stand(failures: number) {
  const clock = new ManualClock();
  const host = { clock, random: () => 0.5, backoff: { baseMs: 100, maxMs: 1_000 } };
  const counts = { loads: 0 };
  const code = new LateCode(async () => {
    counts.loads += 1;
    if (counts.loads <= failures) throw new TypeError(`failure ${counts.loads}`);
    return "code";
  }, host);
  return { clock, counts, code };
}

/** Runs the wait after an attempt that failed. */
async function passWait(clock: ManualClock): Promise<void> {
  await nextTurn();
  clock.advanceTo(clock.nextUs ?? 0);
  await nextTurn();
}

describe("code that comes late", () => {
  test("is loaded once for all who ask, and stays", async () => {
    const { code, counts } = stand(0);
    expect(counts.loads).toBe(0);
    expect(await Promise.all([code.get(), code.get()])).toEqual(["code", "code"]);
    expect(await code.get()).toBe("code");
    expect(counts.loads).toBe(1);
  });

  test("is tried three times, with growing waits, before it is told that it cannot be had", async () => {
    const { code, counts, clock } = stand(3);
    const startUs = clock.nowUs();
    const asked = code.get().catch((error: unknown) => error);
    await passWait(clock);
    expect((clock.nowUs() - startUs) / 1_000).toBe(55);
    expect(counts.loads).toBe(2);
    await passWait(clock);
    expect((clock.nowUs() - startUs) / 1_000).toBe(55 + 105);
    expect(await asked).toMatchObject({ message: "failure 3" });
    expect(clock.pending).toBe(0);
  });

  test("comes when the third attempt succeeds", async () => {
    const { code, clock } = stand(2);
    const asked = code.get();
    await passWait(clock);
    await passWait(clock);
    expect(await asked).toBe("code");
  });

  test("is tried anew by who asks after it could not be had", async () => {
    const { code, counts, clock } = stand(3);
    const asked = code.get().catch(() => "none");
    await passWait(clock);
    await passWait(clock);
    expect(await asked).toBe("none");
    expect(await code.get()).toBe("code");
    expect(counts.loads).toBe(4);
  });
});
