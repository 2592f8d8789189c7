import { expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { FrameSender } from "./frame-sender.ts";

/** A sender whose requests a test answers one by one. */
function senderOf() {
  const clock = new ManualClock();
  const posts: { number: number; body: number[]; answer: (status: number) => Promise<void> }[] = [];
  const failures: string[] = [];
  const sender = new FrameSender({
    clock,
    post: (number, body) =>
      new Promise((resolve, reject) => {
        posts.push({
          number,
          body: [...body],
          answer: async (status) => {
            if (status === 0) reject(new Error("no answer"));
            else resolve(status);
            await Promise.resolve();
            await Promise.resolve();
          },
        });
      }),
    onFailed: (reason) => failures.push(reason),
  });
  const send = (...bytes: number[]) => sender.send(Uint8Array.from(bytes));
  return { clock, posts, failures, sender, send };
}

test("what is sent while a request is under way leaves with the next one", async () => {
  const { posts, send } = senderOf();
  send(1);
  send(2);
  send(3, 4);
  expect(posts).toMatchObject([{ number: 2, body: [1] }]);
  await posts[0]!.answer(204);
  expect(posts).toMatchObject([{ number: 2 }, { number: 3, body: [2, 3, 4] }]);
});

test.each([0, 503, 429, 408])(
  "a request that ends with %s is sent again as it was",
  async (status) => {
    const { clock, posts, send, failures } = senderOf();
    send(1);
    await posts[0]!.answer(status);
    send(2);
    clock.advance(199);
    expect(posts).toHaveLength(1);
    clock.advance(1);
    expect(posts[1]).toMatchObject({ number: 2, body: [1] });
    await posts[1]!.answer(204);
    expect(posts[2]).toMatchObject({ number: 3, body: [2] });
    expect(failures).toEqual([]);
  },
);

test("after its last try the connection is given up", async () => {
  const { clock, posts, send, failures } = senderOf();
  send(1);
  for (const waitMs of [200, 500, 1_000, 2_000]) {
    await posts.at(-1)!.answer(503);
    expect(failures).toEqual([]);
    clock.advance(waitMs);
  }
  await posts.at(-1)!.answer(503);
  expect([posts.length, failures]).toEqual([5, [""]]);
});

test("a session that the gateway has forgotten is given up at once", async () => {
  const { posts, send, failures } = senderOf();
  send(1);
  await posts[0]!.answer(404);
  expect(failures).toEqual(["the gateway has forgotten the session"]);
});

test("a request holds 64 KiB, and more only if one frame is larger", async () => {
  const { posts, sender, send } = senderOf();
  send(1);
  for (const bytes of [40_000, 25_536, 1, 70_000]) sender.send(new Uint8Array(bytes));
  await posts[0]!.answer(204);
  expect(posts[1]!.body).toHaveLength(65_536);
  await posts[1]!.answer(204);
  expect(posts[2]!.body).toHaveLength(1);
  await posts[2]!.answer(204);
  expect(posts[3]!.body).toHaveLength(70_000);
});

test("when it is closed, what has not left is handed back and nothing is tried again", async () => {
  const { clock, posts, sender, send, failures } = senderOf();
  send(1);
  send(2);
  expect([...sender.close()]).toEqual([2]);
  await posts[0]!.answer(503);
  clock.advance(10_000);
  send(3);
  expect([posts.length, failures]).toEqual([1, []]);
});
