import { z } from "zod";
import { visibleText } from "#core/visible-text.ts";
import { parseGrantPattern } from "./grant-pattern.ts";

/** Entries of each list of the file; more is a mistake of whatever writes it. */
export const ENTRIES_MAX = 100_000;
const GRANTS_MAX = 1_000;
/** A file above this is not read. */
export const ACCESS_FILE_BYTES_MAX = 64 * 1024 * 1024;

/** The role that permits every topic and call; it need not be defined. */
export const ROLE_ALL = "all";

/** What may be asked for of a topic: to receive it as it comes, or to ask for its past or state. */
export const ACTIONS = ["subscribe", "query"] as const;
export type Action = (typeof ACTIONS)[number];

const name = z.string().regex(/^[\w.@-]{1,100}$/, "is not 1 to 100 of A-Z a-z 0-9 _ . @ -");
const limit = z.int().min(1).max(10_000_000).optional();

/** Topics, and in what way they may be had. */
const grantSchema = z.strictObject({
  topics: z
    .array(
      z
        .string()
        .max(256)
        .refine((text) => parseGrantPattern(text) !== undefined, {
          error: "is not of the form VENUE:SYMBOL/channel",
        }),
    )
    .min(1)
    .max(GRANTS_MAX),
  actions: z
    .array(z.enum(ACTIONS))
    .min(1)
    .default([...ACTIONS]),
  /** The topics are refused, whatever later grants say. */
  deny: z.boolean().default(false),
  depthMax: z.int().min(0).max(100_000).default(0),
  intervalMsMin: z.int().min(0).max(10_000).default(0),
  delayMs: z.int().min(0).max(86_400_000).default(0),
});
export type Grant = z.output<typeof grantSchema>;

export const roleSchema = z.strictObject({
  grants: z.array(grantSchema).max(GRANTS_MAX).default([]),
  /** Names of methods, such as `GetSnapshot`; "*" stands for any characters. */
  calls: z
    .array(z.string().regex(/^[\w*]{1,100}$/, "is no name of a method"))
    .max(GRANTS_MAX)
    .default(["*"]),
  admin: z.boolean().default(false),
  limits: z
    .strictObject({
      connectionsMax: limit,
      subscriptionsMax: limit,
      requestsPerSecondMax: limit,
      bandwidthBytesPerSecondMax: limit,
    })
    .partial()
    .default({}),
});
export type Role = z.output<typeof roleSchema>;

const keySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{12}$/, "is not 12 of a-z 0-9"),
  /** SHA-256 of the whole key. */
  hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, "is not sha256: and 64 hexadecimal digits"),
  name: z.string().min(1).max(200).optional(),
  roles: z.array(name).min(1).max(100),
  createdTime: z.iso.datetime().optional(),
  expiresTime: z.iso.datetime().optional(),
  revokedTime: z.iso.datetime().optional(),
});
export type StoredKey = z.output<typeof keySchema>;

const certificateSchema = z.strictObject({
  /** The subject (`CN=desk-3,O=Firm`) or an alternative name (`DNS:desk-3.example.com`). */
  name: z.string().min(1).max(1_000),
  roles: z.array(name).min(1).max(100),
});

const revocationSchema = z.union([
  z.strictObject({ jti: z.string().min(1).max(200) }),
  /** Tokens of the subject that were issued at or before the time. */
  z.strictObject({ sub: z.string().min(1).max(200), issuedBefore: z.iso.datetime() }),
]);

const fileSchema = z
  .strictObject({
    roles: z.record(name, roleSchema).default({}),
    keys: z.array(keySchema).max(ENTRIES_MAX).default([]),
    certificates: z.array(certificateSchema).max(ENTRIES_MAX).default([]),
    /** Tokens that are not valid any more. */
    revoked: z.array(revocationSchema).max(ENTRIES_MAX).default([]),
  })
  .superRefine(({ roles, keys, certificates }, context) => {
    const known = new Set([ROLE_ALL, ...Object.keys(roles)]);
    if (Object.hasOwn(roles, ROLE_ALL)) {
      context.addIssue({ code: "custom", path: ["roles", ROLE_ALL], message: "cannot be changed" });
    }
    for (const [list, entries] of Object.entries({ keys, certificates })) {
      for (const [index, entry] of entries.entries()) {
        const unknown = entry.roles.find((role) => !known.has(role));
        if (unknown === undefined) continue;
        const message = `there is no role ${unknown}`;
        context.addIssue({ code: "custom", path: [list, index, "roles"], message });
      }
    }
    const ids = new Set(keys.map(({ id }) => id));
    if (ids.size < keys.length) {
      context.addIssue({ code: "custom", path: ["keys"], message: "has an id twice" });
    }
  });

/** Who may use a gateway, and what: the content of `gateway.access.file`. */
export type AccessFile = z.output<typeof fileSchema>;

/** A file without any entry. */
export const EMPTY_ACCESS_FILE: AccessFile = fileSchema.parse({});

/** The content of an access file, or everything that is wrong with it. */
export function parseAccessFile(
  text: string,
):
  | { readonly kind: "file"; readonly file: AccessFile }
  | { readonly kind: "broken"; readonly reason: string } {
  if (text.length > ACCESS_FILE_BYTES_MAX) {
    return { kind: "broken", reason: `it is longer than ${ACCESS_FILE_BYTES_MAX} bytes` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // What JSON.parse quotes may be part of a hash, and of nothing worse.
    return { kind: "broken", reason: `it is not JSON: ${visibleText((error as Error).message)}` };
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return { kind: "file", file: result.data };
  const reason = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join(".") || "it"} ${message}`)
    .join("; ");
  return { kind: "broken", reason: visibleText(reason) };
}
