// proto/README.md and proto/wire.md are the specification: their tables say what the code does. The
// examples of wire.md are vectors, see wire-vectors.test.ts.
import { readFileSync } from "node:fs";
import { tickwire } from "@tickwire/proto/protobufjs";
import { BATCH_EVENTS_MAX, DECIMAL_TEXT_LENGTH_MAX, SCALE_MAX } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { CloseCode } from "#wire/codes.ts";

const read = (file: string): string =>
  readFileSync(new URL(`../../proto/${file}`, import.meta.url), "utf8");
const specification = `${read("README.md")}\n${read("wire.md")}`;

describe("the tables", () => {
  const rowsWith = (pattern: RegExp): string[][] =>
    specification
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim()));

  test("list every close code of the schema, and none else", () => {
    const documented = rowsWith(/^\| 4\d\d\d /).map(([, code, name]) => [
      `CLOSE_CODE_${name}`,
      Number(code),
    ]);
    const { CLOSE_CODE_UNSPECIFIED, ...codes } = tickwire.v1.CloseCode;
    expect(CLOSE_CODE_UNSPECIFIED).toBe(0);
    const named = Object.entries(codes).filter(([, value]) => typeof value === "number");
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(named));
    expect(new Set<unknown>(Object.values(CloseCode))).toEqual(
      new Set(named.map(([, code]) => code)),
    );
  });

  test("say which close codes ask the client to come back", () => {
    expect(CloseCode.SlowConsumer).toBeLessThan(4500);
    expect(CloseCode.HelloTimeout).toBeLessThan(4500);
    expect(CloseCode.ProtocolError).toBeGreaterThanOrEqual(4500);
  });

  test("list every topic error of the schema", () => {
    const documented = rowsWith(/^\| [A-Z_]+ +\|.*\| (?:yes|no) +\|$/).map(
      ([, name]) => `TOPIC_ERROR_${name}`,
    );
    const { TOPIC_ERROR_UNSPECIFIED, ...errors } = tickwire.v1.TopicError;
    expect(TOPIC_ERROR_UNSPECIFIED).toBe(0);
    const names = Object.keys(errors).filter((name) => name.startsWith("TOPIC_ERROR_"));
    expect(documented.toSorted()).toEqual(names.toSorted());
  });

  test("list every RPC code of the schema", () => {
    for (const name of Object.keys(tickwire.v1.Code)) {
      if (!name.startsWith("CODE_") || name === "CODE_UNSPECIFIED") continue;
      expect(specification).toMatch(new RegExp(`\\| ${name.slice("CODE_".length)} .*\\d{3} `));
    }
  });

  test.each([
    ["events of a batch ", BATCH_EVENTS_MAX],
    ["scale ", SCALE_MAX],
    ["a decimal as text", DECIMAL_TEXT_LENGTH_MAX],
  ])("give the limit of %s", (name, limit) => {
    const [row] = rowsWith(new RegExp(`^\\| ${name}`));
    expect(row?.[2]).toMatch(new RegExp(`^${limit.toLocaleString("en")}`));
  });
});
