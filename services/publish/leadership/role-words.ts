import type { LeadershipRole } from "@tickwire/proto/messages";
import type { LeaderRole } from "./peers.ts";

/** Roles as the schema names them. */
export const ROLE_NAMES: Readonly<Record<LeaderRole, LeadershipRole>> = {
  probing: "LEADERSHIP_ROLE_PROBING",
  leading: "LEADERSHIP_ROLE_LEADING",
  "standing-by": "LEADERSHIP_ROLE_STANDING_BY",
  suspended: "LEADERSHIP_ROLE_SUSPENDED",
};

const ROLES = new Map<LeadershipRole, LeaderRole>(
  Object.entries(ROLE_NAMES).map(([role, name]) => [name, role as LeaderRole]),
);

/** The role of a message; undefined if it is one that is not known here. */
export function roleOf(name: LeadershipRole): LeaderRole | undefined {
  return ROLES.get(name);
}
