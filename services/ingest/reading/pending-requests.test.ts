import { describe, expect, test } from "vitest";
import { PENDING_REQUESTS_MAX, PendingRequests } from "./pending-requests.ts";

describe("pending requests", () => {
  test("are found by id, and stay until they are taken", () => {
    const pending = new PendingRequests<string>();
    pending.note("first", "1");
    expect(pending.get("1")).toBe("first");
    expect(pending.take("1")).toBe("first");
    expect(pending.take("1")).toBeUndefined();
  });

  test("without ids are answered in the order in which they were sent", () => {
    const pending = new PendingRequests<string>();
    for (const request of ["a1", "b1", "a2"]) pending.note(request);
    expect(pending.takeOldest((request) => request.startsWith("b"))).toBe("b1");
    expect(pending.takeOldest()).toBe("a1");
    expect(pending.takeOldest()).toBe("a2");
    expect(pending.takeOldest()).toBeUndefined();
  });

  test("of one id are one: the later request counts", () => {
    const pending = new PendingRequests<string>();
    pending.note("before", "1");
    pending.note("after", "1");
    expect([pending.size, pending.get("1")]).toEqual([1, "after"]);
  });

  test.each([
    [PENDING_REQUESTS_MAX - 1, "0"],
    [PENDING_REQUESTS_MAX, "0"],
    [PENDING_REQUESTS_MAX + 1, "1"],
  ])("after %i of them the oldest that is remembered is %s", (count, oldest) => {
    const pending = new PendingRequests<string>();
    for (let index = 0; index < count; index++) pending.note(String(index));
    expect(pending.size).toBe(Math.min(count, PENDING_REQUESTS_MAX));
    expect(pending.takeOldest()).toBe(oldest);
  });
});
