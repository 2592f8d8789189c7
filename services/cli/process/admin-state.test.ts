import { join } from "node:path";
import { expect, test } from "vitest";
import { adminStateSchema } from "./admin-state.ts";

test("docs/admin-state.schema.json is the schema; vitest -u writes it anew", async () => {
  const path = join(import.meta.dirname, "../../../docs/admin-state.schema.json");
  await expect(adminStateSchema()).toMatchFileSnapshot(path);
});
