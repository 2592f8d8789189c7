import { describe, expect, test } from "vitest";
import { historyQuery, writeHistoryToken } from "#wire/history-token.ts";
import { checkHistoryRequest } from "./history-request.ts";
import { RpcError } from "./rpc-error.ts";

const ALL = { venue: "v", symbol: "A-USD", pageSize: 0, fromTimeUs: 0, toTimeUs: 0, pageToken: "" };

function refusalOf(change: Partial<typeof ALL>): readonly (string | undefined)[] {
  try {
    checkHistoryRequest({ ...ALL, ...change });
  } catch (error) {
    if (error instanceof RpcError) return [error.code, error.detail?.reason, error.message];
    throw error;
  }
  return ["none"];
}

describe("a request for the past", () => {
  test("has pages of a hundred unless it says otherwise, and of a thousand at most", () => {
    expect(checkHistoryRequest(ALL).pageSize).toBe(100);
    expect(checkHistoryRequest({ ...ALL, pageSize: 1_000 }).pageSize).toBe(1_000);
    expect(refusalOf({ pageSize: 1_001 })).toEqual([
      "invalid_argument",
      undefined,
      "page_size 1001 exceeds 1000",
    ]);
  });

  test("has a range of time, of which each side may be open", () => {
    expect(refusalOf({ fromTimeUs: 5, toTimeUs: 6 })).toEqual(["none"]);
    expect(refusalOf({ fromTimeUs: 5 })).toEqual(["none"]);
    expect(refusalOf({ toTimeUs: 5 })).toEqual(["none"]);
    const noTime = "from_time_us 5 is not before to_time_us 5";
    expect(refusalOf({ fromTimeUs: 5, toTimeUs: 5 })).toEqual([
      "invalid_argument",
      "BAD_RANGE",
      noTime,
    ]);
    for (const change of [{ fromTimeUs: -1 }, { toTimeUs: -1 }]) {
      expect(refusalOf(change)[1]).toBe("BAD_RANGE");
    }
  });

  test("takes the token of the same request only", () => {
    const pageToken = writeHistoryToken(historyQuery({ ...ALL, fromTimeUs: 5 }), {
      epoch: 1,
      key: 2,
    });
    expect(refusalOf({ fromTimeUs: 5, pageToken })).toEqual(["none"]);
    expect(refusalOf({ fromTimeUs: 5, pageToken, pageSize: 7 })).toEqual(["none"]);
    expect(refusalOf({ fromTimeUs: 6, pageToken }).slice(0, 2)).toEqual([
      "invalid_argument",
      "BAD_PAGE_TOKEN",
    ]);
    expect(refusalOf({ pageToken: "x" })[1]).toBe("BAD_PAGE_TOKEN");
  });
});
