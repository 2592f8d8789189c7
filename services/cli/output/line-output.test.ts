import { expect, test } from "vitest";
import { LineOutput } from "./line-output.ts";

function createStream(accepts: () => boolean) {
  const chunks: string[] = [];
  const drains: (() => void)[] = [];
  return {
    chunks,
    drain: () => drains.splice(0).forEach((listener) => listener()),
    write(chunk: string) {
      chunks.push(chunk);
      return accepts();
    },
    once(_: "drain", listener: () => void) {
      drains.push(listener);
    },
  };
}

test("gathers lines until a chunk is full, and not one line longer", () => {
  const stream = createStream(() => true);
  const output = new LineOutput(stream, { eager: false });
  output.write("a".repeat(65_534));
  expect(stream.chunks).toHaveLength(0);
  output.write("b");
  expect(stream.chunks).toHaveLength(1);
  expect(stream.chunks[0]).toHaveLength(65_537);
  output.write("c");
  output.flush();
  output.flush();
  expect(stream.chunks.slice(1)).toEqual(["c\n"]);
});

test("a single line of a whole chunk is written at once", () => {
  const stream = createStream(() => true);
  new LineOutput(stream, { eager: false }).write("a".repeat(65_535));
  expect(stream.chunks).toHaveLength(1);
});

test("writes each line by itself where somebody watches", () => {
  const stream = createStream(() => true);
  const output = new LineOutput(stream, { eager: true });
  output.write("a");
  output.write("b");
  expect(stream.chunks).toEqual(["a\n", "b\n"]);
});

test("is blocked from a full stream until it drains", async () => {
  let full = true;
  const stream = createStream(() => !full);
  const output = new LineOutput(stream, { eager: true });
  output.write("a");
  expect(output.blocked).toBe(true);
  const drained = output.drained();
  full = false;
  stream.drain();
  await drained;
  expect(output.blocked).toBe(false);
  await output.drained();
});
