import { expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import { describeVenue } from "./venue-suite.ts";

test("every venue is registered under its own id", () => {
  for (const [id, adapter] of Object.entries(VENUES)) expect(adapter.venue).toBe(id);
});

for (const adapter of Object.values(VENUES)) describeVenue(adapter);
