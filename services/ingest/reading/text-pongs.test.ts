import { expect, test } from "vitest";
import { JSON_RECORDS } from "./frame-forms.ts";
import { PONG, withTextPongs } from "./text-pongs.ts";

const form = withTextPongs(JSON_RECORDS);

test.each([
  ["pong", PONG],
  ['{"a":1}', { a: 1 }],
  ["pon", "bad-json"],
  ["pong ", "bad-json"],
  ["[]", "unknown-message"],
  // The text of JSON's own form is a message of that form.
  ['"pong"', "unknown-message"],
])("the frame %j is %j", (text, message) => {
  expect(form.message(text)).toEqual(message);
});

test("the text is no answer to a request", () => {
  expect(form.body("pong")).toBeUndefined();
});
