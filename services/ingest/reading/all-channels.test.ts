import { expect, test } from "vitest";
import { FEED_CHANNELS } from "#core/instrument.ts";
import { ALL_CHANNELS } from "./all-channels.ts";

test("all channels of venues are those that there are, of instruments", () => {
  expect([...ALL_CHANNELS].toSorted()).toEqual(FEED_CHANNELS.toSorted());
});
