import { describe, expect, test } from "vitest";
import { ConnectionSequence, LATE_MESSAGES_MAX } from "./connection-sequence.ts";

function placesOf(...sequences: readonly number[]): readonly string[] {
  const connection = new ConnectionSequence();
  return sequences.map((sequence) => connection.place(sequence));
}

describe("numbers of a connection", () => {
  test("go on from wherever they begin", () => {
    expect(placesOf(17, 18, 19)).toEqual(["next", "next", "next"]);
  });

  test("show what is missing, once, and what comes late", () => {
    expect(placesOf(1, 3, 2, 4)).toEqual(["next", "hole", "late", "next"]);
  });

  test("show what comes twice", () => {
    expect(placesOf(1, 2, 2, 3)).toEqual(["next", "next", "repeated", "next"]);
  });

  test.each([
    [LATE_MESSAGES_MAX - 1, "late"],
    [LATE_MESSAGES_MAX, "hole"],
    [LATE_MESSAGES_MAX + 1, "hole"],
  ])("%i behind, a message is %s", (behind, place) => {
    expect(placesOf(1000, 1000 - behind)).toEqual(["next", place]);
  });

  test("a number that was damaged upwards does not stop the connection", () => {
    expect(placesOf(10, 91_234, 12, 13)).toEqual(["next", "hole", "hole", "next"]);
  });

  test("a message that cannot be read has used up its number", () => {
    const connection = new ConnectionSequence();
    connection.skip();
    expect(connection.place(1)).toBe("next");
    connection.skip();
    expect(connection.place(3)).toBe("next");
    connection.forget();
    expect(connection.place(90)).toBe("next");
  });
});
