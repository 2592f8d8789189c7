import { describe, expect, test } from "vitest";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { brokenFixtures, fuzzAnswers, fuzzFrames } from "./venue-fuzz.ts";

/** Of all venues together. */
const FRAME_MUTANTS = 200_000;
const ANSWER_MUTANTS = 20_000;

const ADAPTERS: readonly FeedAdapter[] = Object.values(VENUES);

describe.each(ADAPTERS.map((adapter, index) => ({ venue: adapter.venue, adapter, index })))(
  "whatever $venue sends",
  ({ adapter, index }) => {
    test("damaged frames never throw, and give nothing that is not sound", () => {
      const mutants = Math.ceil(FRAME_MUTANTS / ADAPTERS.length);
      expect(fuzzFrames(adapter, { seed: index + 1, mutants }).slice(0, 3)).toEqual([]);
    });

    test("damaged REST answers never throw, and give nothing that is not sound", () => {
      const mutants = Math.ceil(ANSWER_MUTANTS / ADAPTERS.length);
      expect(fuzzAnswers(adapter, { seed: index + 1, mutants }).slice(0, 3)).toEqual([]);
    });

    test("its good messages mean the same afterwards", () => {
      expect(brokenFixtures(adapter)).toEqual([]);
      expect(Object.keys(Object.prototype)).toEqual([]);
    });
  },
);
