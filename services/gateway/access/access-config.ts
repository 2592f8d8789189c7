import { z } from "zod";
import { isLoopbackHost } from "#core/host-name.ts";
import { TOKEN_ALGORITHMS } from "./token-keys.ts";

const durationMs = (fallback: number, low = 1, high = 86_400_000) =>
  z.int().min(low).max(high).default(fallback);

const roles = (fallback: readonly string[]) =>
  z.array(z.string().min(1).max(100)).default([...fallback]);

const tokensConfigSchema = z
  .strictObject({
    keySetFile: z
      .string()
      .min(1)
      .optional()
      .describe("JWKS file with the keys of tokens; `tickwire token new-key` makes one"),
    keySetUrl: z
      .string()
      .refine(isSafeUrl, "is no https address without a password (http only on loopback)")
      .optional()
      .describe("instead of keySetFile: the https address of a JWKS"),
    algorithms: z
      .array(z.enum(TOKEN_ALGORITHMS))
      .min(1)
      .default([...TOKEN_ALGORITHMS])
      .describe("that tokens may have; each key is good for one alone"),
    issuer: z.string().min(1).optional().describe("`iss` that tokens must have; none: any"),
    audience: z.string().min(1).default("tickwire").describe("that `aud` of tokens must have"),
    leewayMs: durationMs(30_000, 0, 600_000).describe("how far the issuer's clock may be off"),
    lifetimeMsMax: durationMs(86_400_000, 1_000, 31_536_000_000).describe(
      "from `iat` to `exp` of a token; revocations are remembered for so long",
    ),
    tokenBytesMax: z.int().min(256).max(65_536).default(8_192).describe("a longer token: refused"),
    rolesClaim: z.string().min(1).default("roles").describe("the claim that names the roles"),
    defaultRoles: roles([]).describe("of tokens that name none; `all` may have everything"),
    refetchMsMin: durationMs(10_000, 100).describe("an unknown key is looked for at most so often"),
    refreshMs: durationMs(300_000, 1_000).describe("the keys are read anew after this long"),
    fetchTimeoutMs: durationMs(5_000, 1, 60_000).describe("whole answer of keySetUrl"),
  })
  .refine(({ keySetFile, keySetUrl }) => keySetFile === undefined || keySetUrl === undefined, {
    path: ["keySetUrl"],
    error: "cannot be set together with keySetFile",
  });

/** Who may use a gateway: `gateway.access`. */
export const accessConfigSchema = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe("JSON file of roles, API keys, certificates and revocations; see docs/access.md"),
  reloadMs: durationMs(500, 50, 60_000).describe("the files are looked at so often for changes"),
  tokens: tokensConfigSchema.prefault({}),
  anonymousRoles: roles(["all"]).describe("of clients that prove nothing, where they are served"),
  certificateHeader: z
    .string()
    .regex(/^[a-z0-9-]+$/, "is no name of a header in lower case")
    .optional()
    .describe("in which gateway.trustedProxies name the subject of a verified client certificate"),
  expiryNoticeMs: durationMs(60_000).describe("a client is told this long before access ends"),
  expiryGraceMs: durationMs(10_000, 0).describe("after it: close code 4010"),
  authenticateTimeoutMs: durationMs(10_000).describe("a check that takes longer: close code 4012"),
});
export type AccessConfig = Readonly<z.output<typeof accessConfigSchema>>;

/** Whether clients can prove who they are, so that those that do not need not be served. */
export function asksForProof({ file, tokens }: AccessConfig): boolean {
  // A certificate is proof too, and the file says whose.
  return [file, tokens.keySetFile, tokens.keySetUrl].some((source) => source !== undefined);
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // What is asked without a proof needs none, and no such address may be fetched.
  if (username !== "" || password !== "") return false;
  return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
}
