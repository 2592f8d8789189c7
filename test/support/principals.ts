import type { z } from "zod";
import { roleSchema } from "#gateway/access/access-file.ts";
import { AccessList } from "#gateway/access/access-list.ts";
import { Principal } from "#gateway/access/principal.ts";
import { Rights } from "#gateway/access/rights.ts";

type RoleInput = z.input<typeof roleSchema>;
type GrantInput = NonNullable<RoleInput["grants"]>[number];

/** A client that proves nothing, where nobody has to: it may have everything. */
export const ANYBODY = new Principal({
  kind: "anonymous",
  id: "anonymous",
  rights: new AccessList().rightsOf(["all"]),
});

/** Somebody with these grants, and what else his role has. */
export function somebody(
  grants: readonly (string | GrantInput)[],
  role: Omit<RoleInput, "grants"> = {},
  more: Partial<ConstructorParameters<typeof Principal>[0]> = {},
): Principal {
  const whole = grants.map((grant) => (typeof grant === "string" ? { topics: [grant] } : grant));
  const rights = new Rights([roleSchema.parse({ ...role, grants: whole })]);
  return new Principal({ kind: "api-key", id: "key:test", rights, keyId: "test", ...more });
}
