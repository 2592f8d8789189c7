import { expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { ALL_CHANNELS } from "./all-channels.ts";

test("all channels of venues are those that there are, without the status", () => {
  expect([...ALL_CHANNELS, "status"].toSorted()).toEqual(CHANNELS.toSorted());
});
