import { expect, test } from "vitest";
import { expiryDayOfDigits, expiryDayOfWords } from "./expiry-days.ts";

const CHRISTMAS = { day: "20261225", timeUs: 1_798_185_600_000_000 };
const LEAP_DAY = { day: "20280229", timeUs: 1_835_424_000_000_000 };

test.each([
  ["261225", CHRISTMAS],
  ["280229", LEAP_DAY],
  ["260229", undefined],
  ["261301", undefined],
  ["260001", undefined],
  ["260100", undefined],
  ["26122", undefined],
  ["2612255", undefined],
  ["25DEC26", undefined],
  ["", undefined],
])("the digits %j are %j", (text, expiry) => {
  expect(expiryDayOfDigits(text)).toEqual(expiry);
});

test.each([
  ["25DEC26", CHRISTMAS],
  ["29FEB28", LEAP_DAY],
  ["6AUG21", { day: "20210806", timeUs: 1_628_236_800_000_000 }],
  ["06AUG21", { day: "20210806", timeUs: 1_628_236_800_000_000 }],
  ["29FEB26", undefined],
  ["31APR26", undefined],
  ["0DEC26", undefined],
  ["25dec26", undefined],
  ["25DEZ26", undefined],
  ["261225", undefined],
  ["", undefined],
])("the words %j are %j", (text, expiry) => {
  expect(expiryDayOfWords(text)).toEqual(expiry);
});
