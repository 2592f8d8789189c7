import { describe, expect, test } from "vitest";
import { accessTrouble, refusalText, tokenEndMs } from "./access-words.ts";

const tokenOf = (claims: string): string => `e30.${btoa(claims).replace(/=+$/, "")}.c2ln`;

describe("what access a reader has", () => {
  test("a token says when it ends; a key, and what is no token, do not", () => {
    expect(tokenEndMs(tokenOf('{"sub":"desk??","exp":1700000000}'))).toBe(1_700_000_000_000);
    expect(tokenEndMs("twk_abc")).toBeUndefined();
    for (const claims of ["", "{}", '{"exp":"soon"}', "null", '{"exp":1e999}'])
      expect(tokenEndMs(tokenOf(claims))).toBeUndefined();
  });

  test("a refusal, of a connection, a call or a topic, has words that say what to do", () => {
    expect(accessTrouble("unauthenticated")?.wantsToken).toBe(true);
    expect(accessTrouble("topic-permission-denied")).toBe(accessTrouble("permission-denied"));
    expect(accessTrouble("access-limited")?.wantsToken).toBe(false);
    expect(accessTrouble("connection-lost")).toBeUndefined();
    expect(accessTrouble(undefined)).toBeUndefined();
    const refused = { code: "topic-permission-denied", message: "no such topic" };
    expect(refusalText(refused)).toBe("Your access does not include this.");
    const gone = { code: "topic-unknown-symbol", message: "v:A/book: the instrument is gone" };
    expect(refusalText(gone)).toBe("not listed any more");
    const taken = { ...gone, message: "v:A/book: you may not have this topic any more" };
    expect(refusalText(taken)).toBe(taken.message);
    expect(refusalText({ code: "topic-unknown", message: "no such topic" })).toBe("no such topic");
  });
});
