import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DeadLetters } from "./dead-letters.ts";

const folder = mkdtempSync(join(tmpdir(), "tickwire-dead-letters-"));
const path = join(folder, "letters.ndjson");
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const letter = (id: string) => ({ id, body: "{}", attempts: 3, reason: "status 500" });

test("letters are sent again under their ids, and those that fail are there again", async () => {
  const remarks: string[] = [];
  const letters = new DeadLetters(path, (line) => remarks.push(line));
  letters.add(letter("a"));
  appendFileSync(path, '{"id":"cut o');
  letters.add(letter("b"));
  const sent: string[] = [];
  const send = ({ id }: { readonly id: string }): void => {
    sent.push(id);
    if (id === "b") letters.add(letter(id));
  };
  expect(await letters.redeliver(send, () => Promise.resolve())).toBe(2);
  expect(sent).toEqual(["a", "b"]);
  expect(remarks).toEqual([expect.stringContaining('{"id":"cut o')]);
  expect(
    await letters.redeliver(
      () => undefined,
      () => Promise.resolve(),
    ),
  ).toBe(1);
  expect(
    await letters.redeliver(
      () => undefined,
      () => Promise.resolve(),
    ),
  ).toBe(0);
});

test("letters that a process was killed over are the first of the next time", async () => {
  const other = join(folder, "other.ndjson");
  const letters = new DeadLetters(other, () => undefined);
  writeFileSync(`${other}.redelivering`, `${JSON.stringify(letter("a"))}\n`);
  letters.add(letter("b"));
  const sent: string[] = [];
  const send = ({ id }: { readonly id: string }): void => void sent.push(id);
  await letters.redeliver(send, () => Promise.resolve());
  await letters.redeliver(send, () => Promise.resolve());
  expect(sent).toEqual(["a", "b"]);
});
