import { afterEach, expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import { SCRIPTED_VENUE_IDS } from "#test/support/dialects/registry.ts";
import { closeStands } from "#test/support/scripted-venue-stand.ts";
import { describeVenueFaults } from "./venue-faults-suite.ts";

afterEach(closeStands);

test("every venue is tried, but for the one that is made up as a whole", () => {
  const ids = Object.keys(VENUES).filter((id) => id !== "simulated");
  expect([...SCRIPTED_VENUE_IDS].toSorted()).toEqual(ids.toSorted());
});

for (const id of SCRIPTED_VENUE_IDS) describeVenueFaults(id);
