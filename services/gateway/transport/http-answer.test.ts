import { expect, test } from "vitest";
import {
  badUpgradeAnswer,
  bodyTooLargeAnswer,
  errorAnswer,
  isStream,
  jsonAnswer,
  reasonPhrase,
  textAnswer,
  limitAnswer,
} from "./http-answer.ts";

test.each([
  [200, "OK"],
  [426, "Upgrade Required"],
  [418, ""],
])("the phrase of status %i is %j", (status, phrase) => {
  expect(reasonPhrase(status)).toBe(phrase);
});

test("an error is JSON in the shape of the Connect protocol, with the headers that are given", () => {
  expect(errorAnswer(404, "not_found", 'no "x"', { allow: "POST" })).toEqual({
    status: 404,
    headers: { "content-type": "application/json", allow: "POST" },
    body: '{"code":"not_found","message":"no \\"x\\""}',
  });
});

test("JSON and text say what they are", () => {
  expect(jsonAnswer(200, { a: [1] })).toMatchObject({ status: 200, body: '{"a":[1]}' });
  expect(textAnswer(503, "no\n")).toEqual({
    status: 503,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: "no\n",
  });
});

test.each([
  ["a body above the limit", bodyTooLargeAnswer(1_000), 413, "requestBytesMax 1000"],
  [
    "another protocol",
    badUpgradeAnswer("Sec-WebSocket-Version: 13 is needed"),
    400,
    "Sec-WebSocket-Version: 13",
  ],
  ["one connection too many", limitAnswer("connectionsMax"), 503, "(connectionsMax)"],
])("%s is refused with what to do about it", (_, answer, status, words) => {
  expect(answer.status).toBe(status);
  expect(answer.body).toContain(words);
});

test("the refusals that a client can act on say so in a header", () => {
  expect(
    badUpgradeAnswer("Sec-WebSocket-Version: 13 is needed").headers["sec-websocket-version"],
  ).toBe("13");
  expect(limitAnswer("connectionsMax").headers["retry-after"]).toBe("5");
});

test("text and bytes are whole bodies; anything that opens is a stream", () => {
  const open = () => ({ onDrain: () => {}, onClose: () => {} });
  expect([isStream(""), isStream(new Uint8Array(1)), isStream({ open })]).toEqual([
    false,
    false,
    true,
  ]);
});
