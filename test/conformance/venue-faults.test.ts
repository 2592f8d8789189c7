import { afterEach } from "vitest";
import { SCRIPTED_VENUE_IDS } from "#test/support/dialects/registry.ts";
import { closeStands } from "#test/support/scripted-venue-stand.ts";
import { describeVenueFaults } from "./venue-faults-suite.ts";

afterEach(closeStands);

for (const id of SCRIPTED_VENUE_IDS) describeVenueFaults(id);
