import type { LeadershipRole } from "@tickwire/proto/messages";

/** What whoever takes part in publishing a venue does. */
export type LeaderRole = "probing" | "leading" | "standing-by" | "suspended";

const NAMES: Readonly<Record<LeaderRole, LeadershipRole>> = {
  probing: "LEADERSHIP_ROLE_PROBING",
  leading: "LEADERSHIP_ROLE_LEADING",
  "standing-by": "LEADERSHIP_ROLE_STANDING_BY",
  suspended: "LEADERSHIP_ROLE_SUSPENDED",
};

const ROLES = new Map<LeadershipRole, LeaderRole>(
  Object.entries(NAMES).map(([role, name]) => [name, role as LeaderRole]),
);

/** The role as the schema names it. */
export function roleToWire(role: LeaderRole): LeadershipRole {
  return NAMES[role];
}

/** The role that the schema names so; undefined if it is one that is not known here. */
export function roleFromWire(name: LeadershipRole): LeaderRole | undefined {
  return ROLES.get(name);
}
