import { AccessControl, AuthenticateControl } from "./control-messages.ts";
import type { FrameMembers } from "./frame.ts";

/**
 * An API key, or a token; or a function that gives the one of now. The function is called for every
 * connection, and again before the access that it gave ends.
 */
export type AccessToken = string | (() => string | Promise<string>);

/** The one of now. Rejects with what the function of the user throws. */
export async function currentToken(token: AccessToken): Promise<string> {
  return typeof token === "string" ? token : token();
}

/** What renewing access sends and reads. */
export const ACCESS_MEMBERS: FrameMembers = {
  outbound: { "10mauthenticate": AuthenticateControl },
  inbound: { "8maccess": AccessControl },
};
