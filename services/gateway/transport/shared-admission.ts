import type { SharedAccounts } from "#core/shared-accounts.ts";

/** Accounts that the threads of a gateway share, and a clock that is the same for all of them. */
export type SharedAdmission = {
  readonly accounts: SharedAccounts;
  readonly nowNs: () => bigint;
};
