/** What a person is told whose access is not enough. */
export type AccessTrouble = {
  readonly title: string;
  readonly text: string;
  /** Entering a key or a token helps. */
  readonly wantsToken: boolean;
};

const TROUBLES: ReadonlyMap<string, AccessTrouble> = new Map([
  [
    "unauthenticated",
    {
      title: "This gateway asks who you are.",
      text: "Enter the API key or the token that its operator gave you. If you have entered one, the gateway does not accept it.",
      wantsToken: true,
    },
  ],
  [
    "access-expired",
    {
      title: "Your access has ended.",
      text: "The token was good until now. Enter a new one to go on where you are.",
      wantsToken: true,
    },
  ],
  [
    "access-revoked",
    {
      title: "Your access was taken back.",
      text: "The operator of this gateway has revoked your key or token. Enter another one.",
      wantsToken: true,
    },
  ],
  [
    "permission-denied",
    {
      title: "Your access does not include this.",
      text: "The gateway knows you, and does not let you have what this page shows. Ask its operator, or enter another key.",
      wantsToken: true,
    },
  ],
  [
    "access-limited",
    {
      title: "Too many connections at once.",
      text: "Your key has as many connections as it may have. Close another window; this page tries again by itself.",
      wantsToken: false,
    },
  ],
  [
    "access-unavailable",
    {
      title: "The gateway cannot check your access now.",
      text: "This page tries again by itself.",
      wantsToken: false,
    },
  ],
]);

/** What an error of the client means for a person; undefined if it is not about access. */
export function accessTrouble(code: string | undefined): AccessTrouble | undefined {
  return TROUBLES.get((code ?? "").replace(/^topic-/, ""));
}

/** What gateways say of a topic whose instrument its venue has taken off its list. */
const GONE = "the instrument is gone";

/** What a panel says that cannot be had. */
export function refusalText({ code, message }: { code?: string; message: string }): string {
  // The heading of a panel has room for few words.
  if (message.endsWith(GONE)) return "not listed any more";
  return accessTrouble(code)?.title ?? message;
}

/** When a token (JWT) ends, in milliseconds since 1970; undefined for a key, which does not say. */
export function tokenEndMs(token: string): number | undefined {
  const [, claims] = token.split(".");
  if (claims === undefined) return undefined;
  try {
    const { exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as {
      exp?: unknown;
    };
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    // Not a token that can be read here: the gateway is the one to judge it.
    return undefined;
  }
}
