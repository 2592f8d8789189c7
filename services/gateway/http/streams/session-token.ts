import { randomBytes } from "node:crypto";

const TOKEN_BYTES = 16;

/** The name of a session that nobody can guess, because whoever has it speaks for the session. */
export function createSessionToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}
