import { describe, expect, test } from "vitest";
import {
  formatIndex,
  parseIndex,
  recordingFileName,
  recordingFileNumber,
} from "./recording-index.ts";

const FILE = {
  name: "000001-20261126T100000Z.twr",
  bytes: 10,
  blocks: 1,
  events: 3,
  firstTimeUs: 1,
  lastTimeUs: 2,
};

describe("the name of a recording's file", () => {
  test("has its number and its start", () => {
    expect(recordingFileName(12, Date.UTC(2026, 10, 26, 10, 1, 2, 345) * 1_000)).toBe(
      "000012-20261126T100102Z.twr",
    );
  });

  test.each([
    ["000012-20261126T100102Z.twr", 12],
    ["1000000-20261126T100102Z.twr", 1_000_000],
    ["index.json", undefined],
    ["000012-20261126T100102Z.twr.next", undefined],
    ["12.twr", undefined],
  ])("%s has the number %s", (name, number) => {
    expect(recordingFileNumber(name)).toBe(number);
  });
});

describe("an index", () => {
  test("is read as it was written", () => {
    expect([...parseIndex(formatIndex([FILE])).values()]).toEqual([FILE]);
  });

  test.each([
    ["", "is empty"],
    ["{", "was cut off"],
    ["null", "is nothing"],
    [JSON.stringify({ format: "another", version: 1, files: [FILE] }), "is of another format"],
    [
      JSON.stringify({ format: "tickwire-recording-index", version: 2, files: [FILE] }),
      "is of a later version",
    ],
    [
      JSON.stringify({
        format: "tickwire-recording-index",
        version: 1,
        files: [{ ...FILE, bytes: -0.5 }, { ...FILE, name: "../../etc/passwd" }, null],
      }),
      "names what is no file of a recording",
    ],
  ])("%s counts as none, because it %s", (text) => {
    expect(parseIndex(text).size).toBe(0);
  });
});
