import { GetCandlesRequestCodec, GetCandlesResponseCodec } from "@tickwire/proto/service";
import type { GetCandlesRequest, MessageInit } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { encodeQueryError, encodeQueryReply } from "#wire/bus-codec.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ANYBODY, somebody } from "#test/support/principals.ts";
import { getCandles } from "./get-candles.ts";
import { VenueGates } from "./ingestor-query.ts";

const NOW_US = 1_000_000_000;
const REFUSAL = encodeQueryError({ code: "CODE_FAILED_PRECONDITION", message: "begin anew" });

/** Asks for candles of an instrument that has these, and says what the ingestor was asked. */
async function ask(
  candleIntervalsMs: readonly number[],
  request: MessageInit<GetCandlesRequest>,
  reply = encodeQueryReply(GetCandlesResponseCodec.encode({ keptFromTimeUs: 5 })),
  principal = ANYBODY,
) {
  const instrument = { venue: "v", symbol: "A-USD", channels: ["CHANNEL_CANDLES"] };
  const asked: GetCandlesRequest[] = [];
  let spent = 0;
  const parts = {
    catalog: {
      find: () => ({ ...instrument, candleIntervalsMs, candleHistoryIntervalsMs: [] }),
      publisherOf: () => ({ publisherId: "p", epoch: 1 }),
    } as unknown as Catalog,
    bus: {
      request: (_subject: string, payload: Uint8Array) => {
        asked.push(GetCandlesRequestCodec.decode(payload));
        return Promise.resolve(reply);
      },
    } as unknown as Bus,
    queryTimeoutMs: 1,
    gates: new VenueGates(),
    clock: { nowUs: () => NOW_US },
  };
  const spend = (requests: number): void => {
    spent += requests;
  };
  const whole = GetCandlesRequestCodec.decode(GetCandlesRequestCodec.encode(request));
  const where = { venue: "v", symbol: "AUSD" };
  const answer = await getCandles(
    parts,
    { ...whole, ...where },
    {
      line: idleLine(),
      spend,
      signal: new AbortController().signal,
      principal,
    },
  );
  return { answer, asked, spent };
}

describe("candles", () => {
  test("are the shortest that there are unless a length is named", async () => {
    const { asked, answer, spent } = await ask([60_000, 300_000], {});
    expect(asked).toMatchObject([{ symbol: "A-USD", intervalMs: 60_000, pageSize: 100 }]);
    expect(answer.keptFromTimeUs).toBe(5);
    expect(spent).toBeGreaterThan(0);
    const longer = await ask([60_000, 300_000], { intervalMs: 300_000, pageSize: 7 });
    expect(longer.asked).toMatchObject([{ intervalMs: 300_000, pageSize: 7 }]);
  });

  test.each([1, 7, 59_999, 120_000])("of a length that there is not, %i ms, are refused", (ms) =>
    expect(ask([60_000, 300_000], { intervalMs: ms })).rejects.toMatchObject({
      code: "invalid_argument",
      message: `v:A-USD has no candles of interval_ms ${ms}; there are 60000, 300000`,
      detail: { reason: "UNKNOWN_INTERVAL", metadata: { alternatives: "60000 300000" } },
    }),
  );

  test("whose lengths nobody knows yet are asked for as they are", async () => {
    expect((await ask([], { intervalMs: 7 })).asked).toMatchObject([{ intervalMs: 7 }]);
    expect((await ask([], {})).asked).toMatchObject([{ intervalMs: 60_000 }]);
  });

  test("that are not kept any more have a reason that says so", async () => {
    await expect(ask([60_000], {}, REFUSAL)).rejects.toMatchObject({
      code: "failed_precondition",
      message: "begin anew",
      detail: { reason: "PAGE_TOKEN_EXPIRED" },
    });
  });

  test("that may not be had are refused", () =>
    expect(ask([60_000], {}, undefined, somebody(["v:*/trades"]))).rejects.toMatchObject({
      code: "permission_denied",
    }));

  test.each<[string, object, number]>([
    ["later", { delayMs: 60_000 }, 60],
    ["at an interval", { intervalMsMin: 10_000 }, 10],
    ["both", { delayMs: 20_000, intervalMsMin: 10_000 }, 30],
  ])("of whoever gets everything %s end where he is", async (_, terms, lateSeconds) => {
    const candles = [1, 2, 3].map((minute) => ({ openTimeUs: NOW_US - minute * 60_000_000 }));
    const answer = { candles: candles.toReversed(), nextPageToken: "more" };
    const reply = encodeQueryReply(GetCandlesResponseCodec.encode(answer));
    const late = somebody([{ topics: ["v:*/candles"], ...terms }]);
    const given = await ask([60_000], {}, reply, late);
    // The ingestor is asked for them alone, and a careless one gives no more away.
    const endUs = NOW_US - (lateSeconds + 60) * 1_000_000 + 1;
    expect(given.asked).toMatchObject([{ toTimeUs: endUs }]);
    expect(
      given.answer.candles.map(({ openTimeUs }) => (NOW_US - openTimeUs) / 60_000_000),
    ).toEqual([3, 2]);
    expect(given.answer.nextPageToken).toBe(`${endUs}.more`);
    const all = await ask([60_000], {}, reply);
    expect(all.asked).toMatchObject([{ toTimeUs: 0 }]);
    expect([all.answer.candles.length, all.answer.nextPageToken]).toEqual([3, "more"]);
  });

  test("of the future of whoever gets everything later are none, and nobody is asked", async () => {
    const late = somebody([{ topics: ["v:*/candles"], delayMs: 60_000 }]);
    const range = { fromTimeUs: NOW_US - 90_000_000 };
    const { answer, asked } = await ask([60_000], range, undefined, late);
    expect([answer.candles, answer.nextPageToken, asked]).toEqual([[], "", []]);
  });
});
