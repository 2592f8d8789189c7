import { join } from "node:path";
import { expect, test } from "vitest";
import { venuesDocument } from "./venue-document.ts";

test("docs/venues.md says of every venue what its adapter says; vitest -u writes it anew", async () => {
  const path = join(import.meta.dirname, "../../../docs/venues.md");
  await expect(venuesDocument()).toMatchFileSnapshot(path);
});
